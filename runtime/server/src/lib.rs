//! The server of sente: axum routes, users, rooms and pushes.
//!
//! ```
//! use sente_server::{Handshake, Identity, Refusal, Server};
//!
//! async fn authenticate(handshake: Handshake) -> Result<Identity, Refusal> {
//!     match handshake.token() {
//!         Some("s3cret") => Ok(Identity::user("ann")),
//!         Some(_) => Err(Refusal::unauthorized("log in again")),
//!         None => Ok(Identity::anonymous()),
//!     }
//! }
//!
//! let sente = Server::builder().authenticate(authenticate).build();
//! let app: axum::Router = axum::Router::new().merge(sente.routes("/sente"));
//! ```
//!
//! # Layout
//! * [`Server`] and its [`Builder`]: what a program configures, serves and asks
//! * [`Handshake`], [`Identity`] and [`Refusal`]: who may connect
//! * [`Audience`], [`User`] and [`Session`]: whom a push goes to
//! * [`Presence`] and [`Connected`]: who is there
//! * [`SessionEnd`]: how a session ended, and what it did not deliver
//! * [`Counts`]: how many clients were refused, and broke the protocol

mod around;
mod budget;
mod builder;
mod clock;
mod counts;
mod end;
mod guard;
mod handshake;
mod hub;
mod identity;
mod keeper;
mod line;
mod open;
mod poll;
mod presence;
mod push;
mod renewal;
mod rooms;
mod routes;
mod server;
mod sessions;
mod shutdown;
mod tally;
mod users;
mod ws;

pub use builder::Builder;
pub use counts::Counts;
pub use end::SessionEnd;
pub use handshake::Handshake;
pub use identity::{Identity, Refusal};
pub use presence::{Connected, ConnectedClient, Presence, PresenceStream};
pub use push::{Audience, Session, User};
pub use sente::{
    CallError, Codec, EventStream, Peer, SendError, SessionCounts, SessionId, Skew, SkewCause,
    UnconfirmedEvent, Unhandled, UnhandledCause,
};
#[cfg(feature = "custom")]
pub use sente::{CustomCodec, CustomError, CustomSlot, CustomValue};
pub use sente_proto::server::Caps;
pub use sente_proto::{Carrier, CloseReason, Limits, RefusedReason};
pub use server::Server;
