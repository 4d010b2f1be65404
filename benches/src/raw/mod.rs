//! WebSocket as axum and tokio-tungstenite give it, with small read buffers: what sente is compared
//! with.

mod client;
mod server;

pub(crate) use client::Client;
pub(crate) use server::serve;

/// The default of 128 KiB costs half of the speed and most of the memory.
const READ_BUFFER: usize = 4 * 1024;
