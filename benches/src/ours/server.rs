//! The server of sente.

use axum::serve::ListenerExt;
use sente::Peer;
use sente_server::Server;
use tokio::net::TcpListener;

use super::contract::{Bench, BenchServer};
use crate::Result;

/// Far above what one client can send: by default it may send 100,000 events a second.
const RATE: u32 = 100_000_000;

struct Handler {
    server: Server,
}

impl BenchServer for Handler {
    async fn echo(&self, _from: &Peer, text: String) -> String {
        text
    }

    async fn note(&self, _from: &Peer, _text: String) {}

    async fn mirror(&self, from: &Peer, text: String) {
        // Refused only if the client has gone.
        let _ = Bench::to_client(from).pushed(text);
    }

    async fn push(&self, _from: &Peer, text: String) {
        Bench::to_clients(self.server.everyone()).pushed(text);
    }
}

pub(crate) async fn serve(listener: TcpListener) -> Result {
    let sente = Server::builder()
        .max_rate(RATE)
        .serve(|server| Bench::server(Handler { server }))
        .build();
    let app = axum::Router::new().merge(sente.routes("/sente"));
    let listener = listener.tap_io(|io| {
        let _ = io.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}
