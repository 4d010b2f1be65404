//! What generated code names. Not for people: it may change with any version.

pub use std::boxed::Box;
pub use std::convert::{From, Infallible, Into};
pub use std::future::Future;
pub use std::marker::{Send, Sync};
pub use std::option::Option;
pub use std::result::Result;
pub use std::string::String;
pub use std::sync::Arc;
pub use std::time::Duration;

pub use sente_proto::codec::{DecodeError, EncodeError, FieldReader, FieldWriter};
pub use sente_proto::contract::{About, AboutEvent, Event, Field, Namespace, Reply, Sent, Way};
pub use sente_proto::schema;
pub use sente_proto::session::Delivery;

pub use crate::call::{ask, call};
pub use crate::error::RouteError;
pub use crate::port::Port;
pub use crate::route::{Arrived, Direction, Route, reply, result};
pub use crate::send::{MaybeSend, MaybeSync};
pub use crate::target::{Outline, push, send};
pub use crate::value::Sending;
