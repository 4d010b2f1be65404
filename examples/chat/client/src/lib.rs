//! What all clients of the chat share, whatever they look like.
//!
//! # Layout
//! * [`View`]: a room as far as it has been shown
//! * [`fate`](fn@fate): what to do about a line that brought no receipt
//! * [`why`](fn@why): why a session is a new one

mod fate;
mod view;
mod why;

pub use fate::{Fate, fate};
pub use view::View;
pub use why::why;
