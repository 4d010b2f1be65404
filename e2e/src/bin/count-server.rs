//! Serves [`Count`](sente_e2e::Count): writes an entry a line, stops counting at the line `stop`, and
//! ends in order when its input does.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use sente_e2e::{Entry, count_server, standard};
use sente_server::Server;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let mut options = standard::options();
    let mut ms = |name| options.take(name).map(Duration::from_millis);
    let pause = ms("pause").unwrap_or(Duration::from_millis(10));
    let mut builder = Server::builder();
    if let Some(silence) = ms("silence") {
        builder = builder.silence(silence);
    }
    if let Some(window) = ms("window") {
        builder = builder.window(window);
    }
    let run = options.take("run").unwrap_or(1);
    let listen: SocketAddr = options.take("listen").unwrap_or(([127, 0, 0, 1], 0).into());
    let (counting, ends) = standard::counting(pause);
    let recorder = counting.recorder.clone();
    let server = count_server(builder, run, counting);
    let listener = TcpListener::bind(listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    recorder.note(Entry::Listens(address.to_string()));
    let app = Router::new().merge(server.routes("/sente"));
    let shutdown = server.shutdown_on(ends, Duration::from_secs(5));
    let listener = listener.tap_io(|tcp| tcp.set_nodelay(true).unwrap());
    axum::serve(listener, app)
        .with_graceful_shutdown(shutdown)
        .await
        .unwrap();
}
