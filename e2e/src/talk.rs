//! A contract with one event of each kind, and handlers that write down what they hear.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sente_client::{CarrierChoice, Client, ClientBuilder, Link};
use sente_server::{Peer, Server};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// What both sides say to each other.
#[sente::events]
#[derive(Debug)]
pub enum Talk {
    /// Counts.
    #[to_server]
    Count(u64),
    /// Brings the text back.
    #[to_server(reply = String, timeout = "20s")]
    Echo {
        /// What to bring back.
        text: String,
    },
    /// Brings the number back after so many milliseconds, and counts how often it ran.
    #[to_server(reply = u64, timeout = "90s")]
    Wait {
        /// How long.
        ms: u64,
    },
    /// Has the server count up to this number, to this client.
    #[to_server]
    CountBack {
        /// From which number on.
        from: u64,
        /// Up to which.
        to: u64,
    },
    /// Counts.
    #[to_client]
    Counted(u64),
    /// Asks the client.
    #[to_client(reply = String, timeout = "20s")]
    Ask {
        /// What.
        question: String,
    },
    /// Has the server ask this client, and brings back what it answered.
    #[to_server(reply = String, timeout = "20s")]
    AskBack,
    /// Something large.
    #[to_client]
    Bulk {
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// What handlers have heard, in order.
pub type Heard = mpsc::UnboundedReceiver<u64>;

pub(crate) struct Room {
    #[expect(dead_code, reason = "shows that a handler may hold it")]
    pub(crate) server: Server,
    pub(crate) heard: mpsc::UnboundedSender<u64>,
    pub(crate) waits: Arc<AtomicU64>,
}

impl TalkServer for Room {
    async fn count(&self, _from: &Peer, number: u64) {
        let _ = self.heard.send(number);
    }

    async fn echo(&self, _from: &Peer, text: String) -> String {
        text
    }

    async fn wait(&self, _from: &Peer, ms: u64) -> u64 {
        self.waits.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(ms)).await;
        ms
    }

    async fn count_back(&self, from: &Peer, first: u64, to: u64) {
        for number in first..=to {
            if Talk::to_client(from).counted(number).is_err() {
                return;
            }
        }
    }

    async fn ask_back(&self, from: &Peer) -> String {
        match Talk::to_client(from).ask("who?").await {
            Ok(answer) => answer,
            Err(error) => error.to_string(),
        }
    }
}

struct Screen(mpsc::UnboundedSender<u64>);

impl TalkClient for Screen {
    async fn counted(&self, _link: &Link, number: u64) {
        let _ = self.0.send(number);
    }

    async fn ask(&self, _link: &Link, question: String) -> String {
        format!("you asked {question}")
    }

    async fn bulk(&self, _link: &Link, _bytes: Vec<u8>) {}
}

/// A client that writes down what it hears.
#[must_use]
pub fn connect(
    url: &str,
    carrier: CarrierChoice,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (Client, Heard) {
    let (heard, hears) = mpsc::unbounded_channel();
    let builder = Client::builder(url)
        .carrier(carrier)
        .serve(Talk::client(Screen(heard)));
    (set_up(builder).connect(), hears)
}
