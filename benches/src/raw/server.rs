//! The raw server.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use axum::serve::ListenerExt;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::READ_BUFFER;
use crate::Result;

type Sinks = Arc<Mutex<Vec<SplitSink<WebSocket, Message>>>>;

pub(crate) async fn serve(listener: TcpListener) -> Result {
    let small = |upgrade: WebSocketUpgrade| upgrade.read_buffer_size(READ_BUFFER);
    let echoing = move |upgrade| async move { small(upgrade).on_upgrade(echo) };
    let taking = move |upgrade| async move { small(upgrade).on_upgrade(take) };
    let pushing = move |State(sinks): State<Sinks>, upgrade| async move {
        small(upgrade).on_upgrade(|socket| push(socket, sinks))
    };
    let app = Router::new()
        .route("/echo", get(echoing))
        .route("/take", get(taking))
        .route("/push", get(pushing))
        .with_state(Sinks::default());
    let listener = listener.tap_io(|io| {
        let _ = io.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn take(mut socket: WebSocket) {
    while let Some(Ok(_)) = socket.recv().await {}
}

async fn push(socket: WebSocket, sinks: Sinks) {
    let (sink, mut stream) = socket.split();
    sinks.lock().await.push(sink);
    while let Some(Ok(message @ Message::Text(_))) = stream.next().await {
        for sink in sinks.lock().await.iter_mut() {
            let _ = sink.send(message.clone()).await;
        }
    }
}
