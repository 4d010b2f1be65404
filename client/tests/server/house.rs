//! A server with a handler that remembers what came.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sente::Peer;
use sente_client::{Client, ClientBuilder};
use sente_server::{Builder, Identity, Refusal, Server};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// A test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"))
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
pub(crate) struct Greeting {
    pub(crate) to: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
pub(crate) enum Unfit {
    Odd { number: u32 },
}

#[sente::events(handshake = Greeting)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum House {
    /// Halves an even number.
    #[to_server(reply = u32, error = Unfit)]
    Halve { number: u32 },

    /// Is answered when the test says so.
    #[to_server(reply = u32)]
    Wait,

    /// Comes back as `Counted`.
    #[to_server]
    Count { number: u32 },

    #[to_client]
    Counted { number: u32 },

    /// Has the server ask back.
    #[to_server(reply = String)]
    AskMe,

    #[to_client(reply = String)]
    Ask { question: String },
}

/// What the server saw.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) counts: Arc<Mutex<Vec<u32>>>,
    pub(crate) halved: Arc<Mutex<HashMap<u32, u32>>>,
    /// Lets calls of `Wait` end.
    pub(crate) gate: watch::Sender<bool>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            counts: Arc::default(),
            halved: Arc::default(),
            gate: watch::channel(false).0,
        }
    }
}

impl HouseServer for Seen {
    async fn halve(&self, _: &Peer, number: u32) -> Result<u32, Unfit> {
        *self.halved.lock().unwrap().entry(number).or_default() += 1;
        if number.is_multiple_of(2) {
            Ok(number / 2)
        } else {
            Err(Unfit::Odd { number })
        }
    }

    async fn wait(&self, _: &Peer) -> u32 {
        self.gate
            .subscribe()
            .wait_for(|open| *open)
            .await
            .map_or(0, |_| 7)
    }

    async fn count(&self, from: &Peer, number: u32) {
        self.counts.lock().unwrap().push(number);
        House::to_client(from).counted(number).unwrap();
    }

    async fn ask_me(&self, from: &Peer) -> String {
        House::to_client(from)
            .ask("who?")
            .await
            .unwrap_or_else(|error| error.to_string())
    }
}

/// Tells the test what was counted.
pub(crate) struct Ui(mpsc::UnboundedSender<u32>);

impl Ui {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<u32>) {
        let (counted, seen) = mpsc::unbounded_channel();
        (Self(counted), seen)
    }
}

impl HouseClient for Ui {
    async fn counted(&self, _: &sente::Link, number: u32) {
        self.0.send(number).unwrap();
    }

    async fn ask(&self, _: &sente::Link, question: String) -> String {
        // A handler that waits.
        tokio::task::yield_now().await;
        format!("{question} me")
    }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Seen,
    pub(crate) server: Server,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::start_with("127.0.0.1:0", |builder| builder).await
    }

    pub(crate) async fn start_with(address: &str, f: impl FnOnce(Builder) -> Builder) -> Self {
        let seen = Seen::default();
        let handler = seen.clone();
        let server = f(Server::builder())
            .authenticate(|handshake| async move {
                match handshake.token() {
                    Some("wrong") => Err(Refusal::unauthorized("that token is wrong")),
                    Some(name) => Ok(Identity::user(name)),
                    None => Ok(Identity::anonymous()),
                }
            })
            .handshake::<House>(|peer| Greeting {
                to: peer.user_or("stranger").to_string(),
            })
            .serve(|_| House::server(handler))
            .build();
        let app = axum::Router::new().nest("/deep", server.routes("/sente"));
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            axum::serve(
                listener,
                app.into_make_service_with_connect_info::<SocketAddr>(),
            )
            .await
            .unwrap();
        });
        Self {
            address,
            seen,
            server,
            task,
        }
    }

    pub(crate) fn client(&self) -> ClientBuilder {
        Client::builder(format!("http://{}/deep/sente", self.address))
    }

    /// Stops, with all connections, and frees the port.
    pub(crate) async fn stop(self) {
        self.server.shutdown(Duration::ZERO).await;
        self.task.abort();
        let _ = self.task.await;
    }
}
