//! What a client wants done, and what comes back.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

/// A WebSocket of a client.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SocketId(pub(super) u64);

/// A request of a client and its response.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ExchangeId(pub(super) u64);

/// What a driver has to do.
#[expect(clippy::exhaustive_enums, reason = "a driver must know them all")]
pub enum Transmit {
    /// Get credentials and give them to
    /// [`Client::handle_credentials`](super::Client::handle_credentials). Credentials that were asked
    /// for before, and have not come, are not wanted any more.
    Authenticate,
    /// Dial a WebSocket; [`Client::handle_opened`](super::Client::handle_opened) or
    /// [`Client::handle_closed`](super::Client::handle_closed) follows.
    Open(SocketId),
    /// Send a message, as text if the codec is text.
    Message {
        /// The socket, which is open.
        socket: SocketId,
        /// The frame.
        message: Vec<u8>,
    },
    /// Close a WebSocket. Nothing more is heard of it.
    Close {
        /// The socket.
        socket: SocketId,
        /// With a close frame; else just drop it.
        clean: bool,
    },
    /// Send a request; [`Client::handle_response`](super::Client::handle_response) follows.
    Post {
        /// The request.
        exchange: ExchangeId,
        /// Its body.
        body: Vec<u8>,
        /// After so long without a response, the request has failed.
        timeout: Duration,
        /// It begins a carrier, or is the first after a sleep, and is to go over a connection made for
        /// it: those that were kept may be dead.
        fresh: bool,
    },
    /// Drop a request. Nothing more is heard of it.
    Abort(ExchangeId),
}

/// The response to a [`Transmit::Post`].
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by drivers")]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

// Bytes hold tokens, secrets and payloads: only how many there are may come into a log.

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticate => f.write_str("Authenticate"),
            Self::Open(socket) => f.debug_tuple("Open").field(socket).finish(),
            Self::Message { socket, message } => f
                .debug_struct("Message")
                .field("socket", socket)
                .field("bytes", &message.len())
                .finish(),
            Self::Close { socket, clean } => f
                .debug_struct("Close")
                .field("socket", socket)
                .field("clean", clean)
                .finish(),
            Self::Post {
                exchange,
                body,
                timeout,
                fresh,
            } => f
                .debug_struct("Post")
                .field("exchange", exchange)
                .field("bytes", &body.len())
                .field("timeout", timeout)
                .field("fresh", fresh)
                .finish(),
            Self::Abort(exchange) => f.debug_tuple("Abort").field(exchange).finish(),
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_and_what_comes_back_are_shown_by_their_sizes_alone() {
        let message = Transmit::Message {
            socket: SocketId(1),
            message: vec![7; 900],
        };
        assert_eq!(
            format!("{message:?}"),
            "Message { socket: SocketId(1), bytes: 900 }"
        );
        let post = Transmit::Post {
            exchange: ExchangeId(2),
            body: vec![7; 900],
            timeout: Duration::from_secs(10),
            fresh: false,
        };
        assert_eq!(
            format!("{post:?}"),
            "Post { exchange: ExchangeId(2), bytes: 900, timeout: 10s, fresh: false }"
        );
        let response = Response {
            status: 200,
            body: vec![7; 900].into(),
        };
        assert_eq!(
            format!("{response:?}"),
            "Response { status: 200, bytes: 900 }"
        );
    }
}
