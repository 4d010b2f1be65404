//! Typed realtime messaging: one enum of events, typed both ways.
//!
//! This crate holds what contracts and handlers name. A server adds `sente-server`, a client
//! `sente-client`.
//!
//! # Layout
//! * [`events`]: the attribute that turns an enum into senders, handlers and routes
//! * [`Schema`](macro@Schema): the derive for the types in it, and [`schema`]: what it says of them
//! * [`Peer`] and [`Link`]: who sent it, as a handler sees it
//! * [`Call`] and [`CallError`]: an answer, or what prevented it
//! * [`driver`]: what the server and the clients are made of

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod call;
mod dispatch;
mod error;
mod link;
mod peer;
mod port;
mod route;
mod send;
mod stream;
mod system;
mod target;
mod unconfirmed;
mod unhandled;
mod value;

pub use call::Call;
pub use error::{CallError, SendError};
pub use link::{AsLink, Link};
pub use peer::Peer;
pub use route::{Direction, Events, Routes, ToClient, ToServer};
pub use send::{MaybeSend, MaybeSendFuture, MaybeSync, SendFuture};
pub use sente_macros::{Schema, events};
pub use sente_proto::codec::Codec;
#[cfg(feature = "custom")]
pub use sente_proto::codec::{CustomCodec, CustomError, CustomSlot, CustomValue};
pub use sente_proto::contract::{Skew, SkewCause};
pub use sente_proto::schema::{self, Schema};
pub use sente_proto::session::Counts as SessionCounts;
pub use sente_proto::{Secret, SessionId};
pub use stream::EventStream;
pub use target::{One, Targets};
pub use unconfirmed::UnconfirmedEvent;
pub use unhandled::{Unhandled, UnhandledCause};

/// What the server and the clients are made of. For programs that bring their own carrier.
pub mod driver {
    pub use crate::dispatch::{Dispatcher, DispatcherBuilder};
    pub use crate::port::{Bell, Host, Port};
    pub use crate::route::{Arrived, Route};
    pub use crate::stream::stream;
    pub use crate::system::System;
    pub use crate::target::Push;
    pub use crate::unconfirmed::unconfirmed;
    pub use crate::value::push_value;
}
