//! sente, with its defaults except for the rate that a session may send at.

mod client;
mod contract;
mod server;

pub(crate) use client::Client;
pub(crate) use server::serve;
