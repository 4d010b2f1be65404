//! What a client needs of the machine it runs on. Each platform is thin; what they share is the
//! driver.
//!
//! A platform exports [`Here`], which implements [`Platform`], [`Options`], which a builder fills,
//! and [`random`].

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use sente::{MaybeSend, MaybeSendFuture};
use sente_proto::client::{Response, SocketClosed};

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{Native as Here, Options, random};
#[cfg(target_family = "wasm")]
pub(crate) use web::{Options, Page as Here, random};

/// What programs see of their platform alone.
pub(crate) mod public {
    #[cfg(not(target_family = "wasm"))]
    pub use super::native::ByteStream;
}

/// Whether frames are text, and how large what the server sends may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) text: bool,
    /// The largest message of a WebSocket, in bytes.
    pub(crate) message: usize,
    /// The largest body of a response, in bytes.
    pub(crate) body: usize,
}

impl Form {
    /// The content type of requests.
    pub(crate) const fn content_type(self) -> &'static str {
        if self.text {
            "application/vnd.sente+json"
        } else {
            "application/vnd.sente"
        }
    }
}

/// One kind of machine: sockets, requests and time.
pub(crate) trait Platform: MaybeSend + 'static {
    type Socket: Socket;
    type Timer: Timer;

    /// Opens a WebSocket. Dropping the future gives up.
    fn dial(&self, form: Form) -> MaybeSendFuture<Result<Self::Socket, SocketClosed>>;

    /// Posts a body and brings the response, over a connection made for it if it is to be `fresh` and
    /// the platform lets choose. Dropping the future gives up.
    fn post(
        &self,
        form: Form,
        body: Vec<u8>,
        timeout: Duration,
        fresh: bool,
    ) -> MaybeSendFuture<Result<Response, String>>;

    fn timer(&self) -> Self::Timer;

    /// Lets other tasks run first.
    fn yield_now() -> impl Future<Output = ()> + MaybeSend;

    /// Ready when nobody looks at the program any more, or somebody does again: whether nobody does.
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<bool>;

    /// Ready when the connection should be probed: the machine slept, or the network is back.
    fn poll_woken(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// An open WebSocket.
pub(crate) trait Socket: MaybeSend + 'static {
    /// The next message. After an error the socket is only good for being
    /// [closed](Self::close).
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, SocketClosed>>;

    /// Takes a message; it goes out with the next flush at the latest.
    fn send(&mut self, message: Vec<u8>) -> Result<(), SocketClosed>;

    /// Sends all that was taken.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SocketClosed>>;

    /// Sends what was taken and says goodbye. Bounded in time.
    fn close(self) -> MaybeSendFuture<()>;
}

/// One alarm.
pub(crate) trait Timer: MaybeSend + 'static {
    /// Rings after so long, and not at the time that was set before.
    fn set(&mut self, after: Duration);

    /// Ready when it rings.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}
