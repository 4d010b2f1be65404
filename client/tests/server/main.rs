//! The client and the real server, over real sockets.

mod house;
mod order;
mod talk;
mod values;
