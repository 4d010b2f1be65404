//! The server of the chat, without its sockets: see `main.rs` for those.
//!
//! # Layout
//! * [`Handler`]: what happens at each event that a client sends
//! * [`rooms`]: who is where and what was said; pure, and tested without a network

mod flood;
mod handler;
mod names;
pub mod rooms;

pub use handler::Handler;
pub use names::is_name;
