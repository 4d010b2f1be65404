//! A contract for counting, and programs that count: both sides send numbers one after the other, and
//! write down what they send, hear and are told. [`Story`](crate::Story) compares.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use sente_client::{
    CallError, Carrier, CarrierChoice, Client, ClientBuilder, Link, SendError, SessionState,
    UnconfirmedReason,
};
use sente_server::{Builder, Peer, Presence, Server, UnconfirmedEvent};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::{Answer, Back, Entry};

/// Numbers in both directions.
#[sente::events]
#[derive(Debug)]
pub enum Count {
    /// The next number of a client.
    #[to_server]
    Up(u64),
    /// The next number of one of the server's counts. Each session has a count of its own.
    #[to_client]
    Down {
        /// Which count.
        count: u64,
        /// The number.
        number: u64,
    },
    /// Brings the number back. 0 is not written down.
    #[to_server(reply = u64, timeout = "60s")]
    Ask(u64),
}

/// Where entries go.
#[derive(Clone)]
pub struct Recorder(Arc<dyn Fn(Entry) + Send + Sync>);

impl Recorder {
    /// Gives each entry to `record` before anything comes of what it tells.
    pub fn new(record: impl Fn(Entry) + Send + Sync + 'static) -> Self {
        Self(Arc::new(record))
    }

    /// Writes one down.
    pub fn note(&self, entry: Entry) {
        (self.0)(entry);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

/// How a program counts.
#[derive(Clone, Debug)]
pub struct Counting {
    /// What it writes down.
    pub recorder: Recorder,
    /// How long it waits between two numbers.
    pub pause: Duration,
    /// Whether it goes on.
    pub goes_on: watch::Receiver<bool>,
}

impl Counting {
    /// Waits for the next number's turn. Returns whether there is to be one.
    async fn next(&mut self) -> bool {
        let over = self.goes_on.wait_for(|goes_on| !goes_on);
        tokio::select! {
            biased;
            _ = over => false,
            () = sleep(self.pause) => true,
        }
    }
}

// ---- the server ----

struct Counter(Recorder);

impl CountServer for Counter {
    async fn up(&self, from: &Peer, number: u64) {
        let session = from.session().to_string();
        self.0.note(Entry::Up { session, number });
    }

    async fn ask(&self, from: &Peer, number: u64) -> u64 {
        if number > 0 {
            let session = from.session().to_string();
            self.0.note(Entry::Ran { session, number });
        }
        number
    }
}

/// A server that counts for each client that comes. `run` tells its counts from those of others.
pub fn count_server(builder: Builder, run: u64, counting: Counting) -> Server {
    let (recorder, ends) = (counting.recorder.clone(), counting.recorder.clone());
    let server = builder
        .serve(move |_| Count::server(Counter(recorder)))
        .on_end(move |peer, end| {
            ends.note(Entry::Ended {
                session: peer.session().to_string(),
                reason: format!("{:?}", end.reason),
                back: end.unconfirmed.iter().map(back).collect(),
            });
        })
        .build();
    let mut presence = server.presence();
    tokio::spawn(async move {
        let mut counters = JoinSet::new();
        let mut count = run * 1_000_000;
        while let Some(news) = presence.next().await {
            if let Presence::Joined { peer } = news {
                count += 1;
                counters.spawn(count_down(peer, count, counting.clone()));
            }
        }
    });
    server
}

async fn count_down(peer: Peer, count: u64, mut counting: Counting) {
    let session = peer.session().to_string();
    counting.recorder.note(Entry::Joined { session, count });
    let mut number = 0;
    while counting.next().await {
        number += 1;
        counting.recorder.note(Entry::Pushing { count, number });
        if Count::to_client(&peer).down(count, number).is_err() {
            // Its session has ended.
            counting.recorder.note(Entry::Refused { count, number });
            return;
        }
    }
}

fn back(event: &UnconfirmedEvent) -> Back {
    let number = match event.decode::<Count>() {
        Some(Ok(Count::Up(number) | Count::Down { number, .. })) => number,
        other => panic!("only numbers are sent: {other:?}"),
    };
    Back {
        number,
        maybe_received: event.maybe_received(),
    }
}

// ---- the client ----

struct Hearer(Recorder);

impl CountClient for Hearer {
    async fn down(&self, _link: &Link, count: u64, number: u64) {
        self.0.note(Entry::Down { count, number });
    }
}

/// Counts as a client does, until it is not to go on and all that it has sent is answered.
pub async fn count_client(builder: ClientBuilder, mut counting: Counting) -> Client {
    let recorder = counting.recorder.clone();
    let mut states = builder.states();
    let client = builder
        .serve(Count::client(Hearer(recorder.clone())))
        .connect();
    let watcher = recorder.clone();
    tokio::spawn(async move {
        while let Some(change) = states.next().await {
            let (old, new) = (change.old, change.new);
            if old.open && !new.open {
                let reason = new.last_close.as_ref().map(|close| close.reason.clone());
                let reason = format!("{reason:?}");
                watcher.note(Entry::Closed { reason });
            }
            if new.open && (!old.open || old.carrier != new.carrier) {
                watcher.note(Entry::Open {
                    session: new.session_id.map(|id| id.to_string()).unwrap_or_default(),
                    fresh: match new.session {
                        Some(SessionState::Fresh { reason }) => Some(format!("{reason:?}")),
                        _ => None,
                    },
                    polls: new.carrier == Some(Carrier::Poll),
                });
            }
        }
    });
    let mut asks = JoinSet::new();
    let mut next = 1;
    while counting.next().await {
        recorder.note(Entry::Sending { number: next });
        while let Err(error) = Count::to_server(&client).up(next) {
            // There is no room; no number may be left out.
            assert!(matches!(error, SendError::Full), "{error}");
            sleep(counting.pause).await;
        }
        if next.is_multiple_of(5) {
            asks.spawn(ask(client.clone(), recorder.clone(), next));
        }
        next += 1;
        note_what_came_back(&client, &recorder);
    }
    while asks.join_next().await.is_some() {}
    // Numbers are heard in order: when this is answered, all before it have been.
    while Count::to_server(&client).ask(0).await.is_err() {}
    note_what_came_back(&client, &recorder);
    recorder.note(Entry::Done);
    client
}

async fn ask(client: Client, recorder: Recorder, number: u64) {
    recorder.note(Entry::Asking { number });
    let answer = match Count::to_server(&client).ask(number).await {
        Ok(answer) => {
            assert_eq!(answer, number, "the answer to another call");
            Answer::Came
        }
        Err(CallError::Rejected(never)) => match never {},
        Err(error) if error.maybe_executed() => Answer::MaybeRan,
        Err(_) => Answer::NeverRan,
    };
    recorder.note(Entry::Answered { number, answer });
}

fn note_what_came_back(client: &Client, recorder: &Recorder) {
    while let Some(batch) = client.unconfirmed().try_next() {
        recorder.note(Entry::Back {
            reason: match batch.reason {
                UnconfirmedReason::SessionEnded(reason) => format!("{reason:?}"),
                reason => format!("{reason:?}"),
            },
            back: batch.events.iter().map(back).collect(),
        });
    }
}

/// The carriers of that name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn carrier_named(name: &str) -> CarrierChoice {
    match name {
        "auto" => CarrierChoice::Auto,
        "websocket" => CarrierChoice::WebSocket,
        "poll" => CarrierChoice::Poll,
        _ => panic!("there is no carrier `{name}`; there are auto, websocket and poll"),
    }
}
