//! A server and clients that count, each on a host of a simulated network.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use sente::driver::System;
use sente_client::{CarrierChoice, Client};
use sente_e2e::{Counting, Entry, Recorder, Story, Summary, count_client, count_server};
use sente_server::Server;
use tokio::sync::watch;
use turmoil::Sim;
use turmoil::net::{TcpListener, TcpStream};

pub(crate) const SERVER: &str = "server";
const PORT: u16 = 80;
/// The clients, each with the carriers that it may use.
pub(crate) const CLIENTS: [(&str, CarrierChoice); 3] = [
    ("auto", CarrierChoice::Auto),
    ("websocket", CarrierChoice::WebSocket),
    ("poll", CarrierChoice::Poll),
];
/// Whatever is to come by itself comes within this.
const PATIENCE: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(50);
/// Time passes in steps of this. Finer ones take longer.
const TICK: Duration = Duration::from_millis(10);

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Numbers by a seed (SplitMix64).
pub(crate) struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub(crate) fn within(&mut self, range: Range<Duration>) -> Duration {
        let span = (range.end - range.start).as_millis() as u64;
        range.start + ms(self.next() % span.max(1))
    }
}

/// Stands in for the operating system of all hosts.
struct Simulated(Mutex<Rng>);

impl System for Simulated {
    fn since_unix(&self) -> Duration {
        turmoil::since_epoch().unwrap_or_default()
    }

    fn random(&self) -> u128 {
        let mut rng = self.0.lock().unwrap();
        u128::from(rng.next()) << 64 | u128::from(rng.next())
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(task);
    }
}

/// One run of a program.
struct Run {
    of: &'static str,
    entries: Arc<Mutex<Vec<Entry>>>,
    crashed: bool,
}

#[derive(Clone, Default)]
struct Runs(Arc<Mutex<Vec<Run>>>);

impl Runs {
    /// What the next run of a program writes down. Returns the how-manieth run it is.
    fn begin(&self, of: &'static str) -> (Recorder, u64) {
        let entries = Arc::<Mutex<Vec<Entry>>>::default();
        let mut runs = self.0.lock().unwrap();
        runs.push(Run {
            of,
            entries: Arc::clone(&entries),
            crashed: false,
        });
        let count = runs.iter().filter(|run| run.of == of).count() as u64;
        let recorder = Recorder::new(move |entry| entries.lock().unwrap().push(entry));
        (recorder, count)
    }

    fn crashed(&self, of: &str) {
        let mut runs = self.0.lock().unwrap();
        if let Some(run) = runs.iter_mut().rfind(|run| run.of == of) {
            run.crashed = true;
        }
    }
}

/// The hosts, their network, and what their programs have written down.
pub(crate) struct World {
    sim: Sim<'static>,
    pub(crate) rng: Rng,
    runs: Runs,
    go_on: watch::Sender<bool>,
    end: watch::Sender<bool>,
}

impl World {
    /// A server and three clients. Everything that chance decides, `seed` does.
    pub(crate) fn new(seed: u64, latency: Range<Duration>) -> Self {
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed)
            .tick_duration(TICK)
            .simulation_duration(Duration::from_secs(3_600))
            .min_message_latency(latency.start)
            .max_message_latency(latency.end)
            .tcp_capacity(4_096)
            .build();
        let runs = Runs::default();
        let (go_on, goes_on) = watch::channel(true);
        let (end, ends) = watch::channel(false);
        let counting = move |recorder| Counting {
            recorder,
            pause: PAUSE,
            goes_on: goes_on.clone(),
        };
        let system = Arc::new(Simulated(Mutex::new(Rng(seed))));
        {
            let (runs, counting, system, ends) = (
                runs.clone(),
                counting.clone(),
                Arc::clone(&system),
                ends.clone(),
            );
            sim.host(SERVER, move || {
                let (recorder, run) = runs.begin(SERVER);
                let (counting, system, ends) =
                    (counting(recorder), Arc::clone(&system), ends.clone());
                serve(run, counting, system, ends)
            });
        }
        for (name, carriers) in CLIENTS {
            let (runs, counting, system, ends) = (
                runs.clone(),
                counting.clone(),
                Arc::clone(&system),
                ends.clone(),
            );
            sim.host(name, move || {
                let (recorder, _) = runs.begin(name);
                let (counting, system, mut ends) =
                    (counting(recorder), Arc::clone(&system), ends.clone());
                async move {
                    let builder = Client::builder(format!("http://{SERVER}/sente"))
                        .carrier(carriers)
                        .system(system)
                        .transport(|host, port| TcpStream::connect((host, port)));
                    let client = count_client(builder, counting).await;
                    ends.wait_for(|ends| *ends).await?;
                    drop(client);
                    Ok(())
                }
            });
        }
        Self {
            sim,
            rng: Rng(!seed),
            runs,
            go_on,
            end,
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.sim.elapsed() + time;
        while self.sim.elapsed() < end {
            self.sim.step().unwrap();
        }
    }

    /// A client, by chance.
    pub(crate) fn a_client(&mut self) -> &'static str {
        CLIENTS[self.rng.below(CLIENTS.len())].0
    }

    // ---- the network ----

    /// What goes between a client and the server is lost, from now on.
    pub(crate) fn partition(&self, client: &str) {
        self.sim.partition(client, SERVER);
    }

    /// What a client says is lost.
    pub(crate) fn partition_up(&self, client: &str) {
        self.sim.partition_oneway(client, SERVER);
    }

    /// What the server says to a client is lost.
    pub(crate) fn partition_down(&self, client: &str) {
        self.sim.partition_oneway(SERVER, client);
    }

    /// New packets go through again. Connections that have lost some stay dead.
    pub(crate) fn repair(&self, client: &str) {
        self.sim.repair(client, SERVER);
    }

    /// What goes between a client and the server waits.
    pub(crate) fn hold(&self, client: &str) {
        self.sim.hold(client, SERVER);
    }

    /// It goes on.
    pub(crate) fn release(&self, client: &str) {
        self.sim.release(client, SERVER);
    }

    // ---- the hosts ----

    /// A program is gone, with all that it knew.
    pub(crate) fn crash(&mut self, program: &str) {
        if self.sim.is_host_running(program) {
            self.sim.crash(program);
            self.runs.crashed(program);
        }
    }

    /// It is started anew, if it is gone.
    pub(crate) fn start(&mut self, program: &str) {
        if !self.sim.is_host_running(program) {
            self.sim.bounce(program);
        }
    }

    // ---- the end ----

    /// Has all come to their end, and compares what they have written down.
    pub(crate) fn end(mut self) -> Summary {
        self.go_on.send_replace(false);
        self.until("the clients' end", |world| {
            let runs = world.runs.0.lock().unwrap();
            let mut alive = runs.iter().filter(|run| run.of != SERVER && !run.crashed);
            alive.all(|run| run.entries.lock().unwrap().last() == Some(&Entry::Done))
        });
        self.end.send_replace(true);
        self.until("the server's end", |world| {
            !world.sim.is_host_running(SERVER)
        });
        let mut story = Story::default();
        for run in self.runs.0.lock().unwrap().drain(..) {
            let entries = std::mem::take(&mut *run.entries.lock().unwrap());
            match run.of {
                SERVER => story.server(entries, run.crashed),
                _ => story.client(entries, run.crashed),
            }
        }
        story.check()
    }

    /// All that was written down so far, for comparison.
    pub(crate) fn journals(&self) -> Vec<(&'static str, Vec<Entry>)> {
        let runs = self.runs.0.lock().unwrap();
        let journal = |run: &Run| (run.of, run.entries.lock().unwrap().clone());
        runs.iter().map(journal).collect()
    }

    fn until(&mut self, what: &str, has_come: impl Fn(&mut Self) -> bool) {
        let begun = self.sim.elapsed();
        while !has_come(self) {
            assert!(self.sim.elapsed() - begun < PATIENCE, "{what} never came");
            self.pass(ms(100));
        }
    }
}

async fn serve(
    run: u64,
    counting: Counting,
    system: Arc<Simulated>,
    mut ends: watch::Receiver<bool>,
) -> turmoil::Result {
    let server = count_server(Server::builder().system(system), run, counting);
    let listener = Here(TcpListener::bind(("0.0.0.0", PORT)).await?);
    let app = Router::new().merge(server.routes("/sente"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    ends.wait_for(|ends| *ends).await?;
    server.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

/// The simulated listener, as axum wants it.
struct Here(TcpListener);

impl Listener for Here {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok(accepted) => return accepted,
                // Its client had gone before.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
