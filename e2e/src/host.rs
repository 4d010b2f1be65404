//! A server that can be stopped and started again at the same address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use sente_server::{Builder, Server};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::talk::{Heard, Room, Talk};

/// A server that answers [`Talk`].
pub struct Host {
    /// The server.
    pub server: Server,
    /// What its handlers have heard.
    pub heard: Heard,
    /// How often `wait` has run.
    pub waits: Arc<AtomicU64>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Host {
    /// Starts one on a port that the system picks.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start(set_up: impl FnOnce(Builder) -> Builder) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), set_up).await
    }

    /// Starts one at an address, where one may just have stopped.
    ///
    /// # Panics
    /// If the address is taken.
    pub async fn start_at(address: SocketAddr, set_up: impl FnOnce(Builder) -> Builder) -> Self {
        let (heard, hears) = mpsc::unbounded_channel();
        let waits = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&waits);
        let server = set_up(Server::builder())
            .serve(move |server| {
                Talk::server(Room {
                    server,
                    heard,
                    waits: counted,
                })
            })
            .build();
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = listener.tap_io(|tcp| tcp.set_nodelay(true).unwrap());
        let app = Router::new().merge(server.routes("/sente"));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            // Dropping the server's future drops the listener and, below, all that it spawned is
            // cut with the runtime or by the shutdown that the test asks for.
            tokio::select! {
                result = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()) => result.unwrap(),
                _ = stopped => {}
            }
        });
        Self {
            server,
            heard: hears,
            waits,
            address,
            stop: Some(stop),
            task,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients connect to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/sente", self.address)
    }

    /// Stops it with its sessions, and waits until the address is free.
    pub async fn stop(mut self) -> SocketAddr {
        self.server.shutdown(Duration::ZERO).await;
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let _ = (&mut self.task).await;
        self.address
    }
}
