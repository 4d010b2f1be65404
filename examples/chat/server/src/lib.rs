//! The server of the chat, without its sockets: see `main.rs` for those.
//!
//! # Layout
//! * [`Handler`]: what happens at each event that a client sends
//! * [`LabHandler`]: the same for the buttons of the page
//! * [`authenticate`] and [`is_from_page`]: who a client is, by a cookie or a token
//! * [`page`]: the page's files, log-in and log-out
//! * [`rooms`]: who is where and what was said; pure, and tested without a network

mod account;
mod flood;
mod handler;
mod lab;
mod names;
pub mod page;
pub mod rooms;

pub use account::{authenticate, is_from_page};
pub use handler::Handler;
pub use lab::LabHandler;
pub use names::is_name;
