//! The session of sente as a machine without I/O.

#[macro_use]
mod mutation;

mod backoff;
mod carrier;
pub mod client;
pub mod codec;
pub mod contract;
mod fnv;
pub mod frame;
mod limits;
mod reason;
pub mod schema;
mod secret;
pub mod server;
pub mod session;
mod sorted;
mod time;
pub mod wire;

pub use backoff::Backoff;
pub use carrier::Carrier;
pub use limits::Limits;
pub use reason::{Close, CloseReason, FreshReason, Refused, RefusedReason};
pub use secret::{ResumeSecret, Secret, SessionId};
pub use time::Time;
