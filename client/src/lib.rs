//! The client of *sente*: typed realtime messaging over WebSocket and long polling.
//!
//! One [`Client`] for native programs and pages alike. It connects, falls back to polling where
//! WebSockets do not work, comes back after every loss, and goes on with its session; a program
//! sees typed events, calls and a [`State`].
//!
//! ```no_run
//! use sente_client::Client;
//!
//! #[sente::events]
//! pub enum Chat {
//!     #[to_server(reply = u64)]
//!     Post { room: String, text: String },
//!
//!     #[to_client]
//!     Posted { room: String, text: String },
//! }
//!
//! struct Ui;
//!
//! impl ChatClient for Ui {
//!     async fn posted(&self, _server: &sente::Link, room: String, text: String) {
//!         println!("{room}: {text}");
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::builder("https://example.org/sente")
//!         .serve(Chat::client(Ui))
//!         .connect();
//!     let id = Chat::to_server(&client).post("lobby", "hello").await?;
//!     println!("posted as {id}");
//!     Ok(())
//! }
//! ```
//!
//! # Layout
//! * [`ClientBuilder`]: everything that is chosen before
//! * [`Client`]: the handle; [`State`] and [`StateChanges`]: what it knows
//! * [`EventStream`]: events for `match`, instead of a handler
//! * [`Unconfirmed`]: what comes back when a session ends
//! * [`SetupError`] and [`NotReady`]: what can go wrong

mod builder;
mod client;
mod credentials;
mod drive;
mod error;
mod platform;
mod random;
mod shared;
mod state;
mod unconfirmed;

pub use builder::ClientBuilder;
pub use client::Client;
pub use credentials::{IntoToken, Token};
pub use error::{NotReady, SetupError, UrlError};
#[allow(
    unused_imports,
    unreachable_pub,
    reason = "there is nothing of the kind in a browser"
)]
pub use platform::public::*;
pub use sente::{
    AsLink, CallError, Codec, EventStream, Link, SendError, SessionCounts, SessionId, Skew,
    SkewCause, UnconfirmedEvent, Unhandled, UnhandledCause,
};
#[cfg(feature = "custom")]
pub use sente::{CustomCodec, CustomError, CustomSlot, CustomValue};
pub use sente_proto::client::{CarrierChoice, ConnectionEnd, SessionState, SocketClosed};
pub use sente_proto::codec::DecodeError;
pub use sente_proto::session::Delivery;
pub use sente_proto::{Carrier, CloseReason, FreshReason, Limits, Refused, RefusedReason};
pub use state::{LastClose, State, StateChange, StateChanges};
pub use unconfirmed::{ResendError, Unconfirmed, UnconfirmedBatches, UnconfirmedReason};
