//! A house with a room, in which everybody hears what anybody says.

use std::sync::{Arc, Mutex};

use sente::{Link, Peer};
use sente_client::ClientBuilder;
use sente_server::{Builder, Identity, Refusal, Server};
use sente_test::{Net, ms, secs};
use tokio::time::Instant;

#[sente::events]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum House {
    /// Everybody hears it.
    #[to_server]
    Say { number: u32 },

    #[to_client]
    Said { from: String, number: u32 },

    /// Twice as much, after a while.
    #[to_server(reply = u32, error = String)]
    Double { number: u32 },

    #[to_client(reply = String)]
    Ask { question: String },
}

/// What happened when, to whom: the same in each run.
#[derive(Clone)]
pub(crate) struct Log {
    began: Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            lines: Arc::default(),
        }
    }

    pub(crate) fn note(&self, what: String) {
        let at = self.began.elapsed().as_micros();
        self.lines.lock().unwrap().push(format!("{at} {what}"));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The lines with `what` in them, without their times.
    pub(crate) fn with(&self, what: &str) -> Vec<String> {
        let lines = self.lines();
        let lines = lines.iter().filter(|line| line.contains(what));
        let what = lines.filter_map(|line| Some(line.split_once(' ')?.1.to_owned()));
        what.collect()
    }
}

pub(crate) struct Room {
    pub(crate) server: Server,
    pub(crate) log: Log,
}

impl HouseServer for Room {
    async fn say(&self, from: &Peer, number: u32) {
        let name = from.user_or("somebody").to_owned();
        self.log.note(format!("server hears {number} of {name}"));
        self.server.join(from, "hall");
        House::to_clients(self.server.room("hall")).said(name, number);
    }

    async fn double(&self, from: &Peer, number: u32) -> Result<u32, String> {
        let name = from.user_or("somebody").to_owned();
        self.log.note(format!("server doubles {number} of {name}"));
        tokio::time::sleep(ms(u64::from(number % 7) * 100)).await;
        self.log.note(format!("server doubled {number} of {name}"));
        number.checked_mul(2).ok_or("too much".to_owned())
    }
}

pub(crate) struct Ui {
    pub(crate) name: String,
    pub(crate) log: Log,
}

impl HouseClient for Ui {
    async fn said(&self, _: &Link, from: String, number: u32) {
        let name = &self.name;
        self.log.note(format!("{name} hears {number} of {from}"));
    }

    async fn ask(&self, _: &Link, question: String) -> String {
        tokio::time::sleep(ms(10)).await;
        format!("{question} {}", self.name)
    }
}

pub(crate) fn server(log: &Log) -> Builder {
    let log = log.clone();
    Server::builder()
        // So long lives a session that its client has not confirmed. On a stormy network 10 s are not
        // always enough, and then the client is told of a fresh one.
        .handshake_timeout(secs(120))
        .authenticate(|handshake| async move {
            // Who is to be let in has to be looked up.
            tokio::time::sleep(ms(20)).await;
            Ok::<_, Refusal>(match handshake.token() {
                Some(name) => Identity::user(name),
                None => Identity::anonymous(),
            })
        })
        .serve(|server| House::server(Room { server, log }))
}

pub(crate) fn client(net: &Net, name: &str, log: &Log) -> ClientBuilder {
    configure(net.client(), name, log)
}

pub(crate) fn configure(builder: ClientBuilder, name: &str, log: &Log) -> ClientBuilder {
    let log = log.clone();
    let ui = Ui {
        name: name.to_owned(),
        log,
    };
    builder.token(name).serve(House::client(ui))
}
