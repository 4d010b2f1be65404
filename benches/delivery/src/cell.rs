//! One conversation: a server that sends numbers, a line, and a client that hears them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::serve::ListenerExt as _;
use futures_util::StreamExt;
use sente_client::{CarrierChoice, Client, Link};
use sente_e2e::{Count, CountClient, CountServer, Draws, Line, Mode, Proxy};
use sente_server::{Peer, Presence, Server};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, sleep_until};

use crate::Result;

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) carrier: CarrierChoice,
    pub(crate) round_trip: Duration,
    pub(crate) events: usize,
    pub(crate) period: Duration,
    /// How much each period varies, both ways, as a share of it.
    pub(crate) variation: f64,
    pub(crate) fault: Option<Fault>,
}

/// What happens in the middle, when event number `at` is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    /// Both ways everything vanishes, and nobody is told, for so long.
    pub(crate) dead: Duration,
    /// Then the connection is cut, and no other can be had for so long.
    pub(crate) away: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) sent: usize,
    pub(crate) delivered: usize,
    pub(crate) reordered: usize,
    pub(crate) repeated: usize,
    /// How long each event took, in milliseconds, shortest first.
    pub(crate) took: Vec<f64>,
    /// How long after the line was there again the last of what had waited came, in milliseconds.
    pub(crate) caught_up: Option<f64>,
}

impl Outcome {
    /// What came of several together; when they had caught up stays theirs.
    pub(crate) fn all(outcomes: &[Self]) -> Self {
        let mut all = Self::default();
        for outcome in outcomes {
            all.sent += outcome.sent;
            all.delivered += outcome.delivered;
            all.reordered += outcome.reordered;
            all.repeated += outcome.repeated;
            all.took.extend(&outcome.took);
        }
        all.took.sort_by(f64::total_cmp);
        all
    }

    pub(crate) fn is_perfect(&self) -> bool {
        self.sent > 0 && self.delivered == self.sent && self.reordered + self.repeated == 0
    }

    /// So many hundredths of the events took no longer than this.
    pub(crate) fn percentile(&self, hundredths: usize) -> f64 {
        let place = (self.took.len() * hundredths / 100).min(self.took.len().saturating_sub(1));
        self.took.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// Whatever has not come after this is lost.
const PATIENCE: Duration = Duration::from_secs(20);

type Heard = Arc<Mutex<Vec<(u64, Instant)>>>;

struct Hearer(Heard);

impl CountClient for Hearer {
    async fn down(&self, _link: &Link, _count: u64, number: u64) {
        let heard = (number, Instant::now());
        self.0.lock().expect("nobody panics").push(heard);
    }
}

struct Silent;

impl CountServer for Silent {
    async fn up(&self, _from: &Peer, _number: u64) {}

    async fn ask(&self, _from: &Peer, number: u64) -> u64 {
        number
    }
}

impl Cell {
    pub(crate) async fn run(self, seed: u64) -> Result<Outcome> {
        let server = Server::builder().serve(|_| Count::server(Silent)).build();
        let mut presence = server.presence();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|io| {
            let _ = io.set_nodelay(true);
        });
        let app = axum::Router::new().merge(server.routes("/sente"));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await });
        let proxy = Proxy::start(address, Mode::Pass).await;
        proxy.set_line(Line::delayed(self.round_trip / 2));
        let heard = Heard::default();
        let client = Client::builder(proxy.url())
            .carrier(self.carrier)
            .serve(Count::client(Hearer(Arc::clone(&heard))))
            .connect();
        let Some(Presence::Joined { peer }) = presence.next().await else {
            return Err("the client did not come".into());
        };
        // The first poll is there.
        sleep(self.round_trip).await;
        let sending = self.send(peer, seed);
        let (sent, back_at) = match self.fault {
            Some(fault) => {
                let begun = Instant::now();
                let (sent, back_at) =
                    tokio::join!(sending, self.fail(fault, begun, &proxy, &client));
                (sent?, Some(back_at))
            }
            None => (sending.await?, None),
        };
        let end = Instant::now() + PATIENCE;
        while heard.lock().expect("nobody panics").len() < sent.len() && Instant::now() < end {
            sleep(Duration::from_millis(10)).await;
        }
        // What comes twice would come now.
        sleep(self.round_trip * 2).await;
        serving.abort();
        drop(client);
        let heard = heard.lock().expect("nobody panics").clone();
        Ok(outcome(&sent, &heard, back_at))
    }

    /// Sends all numbers, and notes when each was sent.
    async fn send(self, peer: Peer, seed: u64) -> Result<Vec<Instant>> {
        let mut draws = Draws::seeded(seed);
        let mut next = Instant::now();
        let mut sent = Vec::with_capacity(self.events);
        for number in 1..=self.events {
            let varied = 1.0 + self.variation * (2.0 * draws.draw() - 1.0);
            next += self.period.mul_f64(varied);
            sleep_until(next).await;
            sent.push(Instant::now());
            Count::to_client(&peer).down(1, number as u64)?;
        }
        Ok(sent)
    }

    /// Has the line fail, and returns when it was there again.
    async fn fail(self, fault: Fault, begun: Instant, proxy: &Proxy, client: &Client) -> Instant {
        sleep_until(begun + self.period * fault.at as u32).await;
        if !fault.dead.is_zero() {
            proxy.set(Mode::Stall);
            sleep(fault.dead).await;
        }
        proxy.set(Mode::Away);
        proxy.cut();
        sleep(fault.away).await;
        proxy.set(Mode::Pass);
        // As a browser says that it is online.
        client.wake();
        Instant::now()
    }
}

fn outcome(sent: &[Instant], heard: &[(u64, Instant)], back_at: Option<Instant>) -> Outcome {
    let mut outcome = Outcome {
        sent: sent.len(),
        ..Outcome::default()
    };
    let mut seen = vec![false; sent.len()];
    let mut highest = 0;
    let mut caught_up = back_at;
    for (number, at) in heard {
        let place = *number as usize - 1;
        if std::mem::replace(&mut seen[place], true) {
            outcome.repeated += 1;
            continue;
        }
        outcome.delivered += 1;
        outcome.reordered += usize::from(*number < highest);
        highest = highest.max(*number);
        outcome.took.push((*at - sent[place]).as_secs_f64() * 1e3);
        if back_at.is_some_and(|back_at| sent[place] < back_at) {
            caught_up = caught_up.max(Some(*at));
        }
    }
    outcome.took.sort_by(f64::total_cmp);
    outcome.caught_up = match (back_at, caught_up) {
        (Some(back_at), Some(last)) => Some((last - back_at).as_secs_f64() * 1e3),
        _ => None,
    };
    outcome
}
