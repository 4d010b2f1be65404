//! The network of a simulation, with its server.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sente::driver::System;
use sente::{Routes, ToClient, ToServer};
use sente_client::{Client, ClientBuilder};
use sente_server::{Builder, Server};
use tokio::time::Instant;

use super::connection::End;
use super::process::Process;
use super::uplink::{Line, Uplink};
use crate::{Fault, Network, Rng};

/// Where the server's routes are.
pub(super) const PREFIX: &str = "/sente";

/// A [`Network`] at work: one server and any number of clients in one program, in memory, in the
/// paused time of a tokio runtime.
///
/// [`run`](crate::run) gives it to a test; [`Network::open`] makes it. Cheap to clone.
///
/// ```
/// use sente_server::{Identity, Refusal, Server};
/// use sente_test::{Network, ms};
/// # use sente::{Link, Peer};
/// # #[sente::events] enum Chat { #[to_server] Post { text: String }, #[to_client] Posted { text: String } }
/// # struct Room(Server);
/// # impl ChatServer for Room {
/// #     async fn post(&self, _: &Peer, text: String) { Chat::to_clients(self.0.everyone()).posted(text); }
/// # }
///
/// sente_test::run(Network::seeded(7).delay(ms(50)..ms(400)).loss(0.2), async |net| {
///     let builder = Server::builder()
///         .authenticate(|handshake| async move {
///             Ok::<_, Refusal>(Identity::user(handshake.token().unwrap_or("guest")))
///         })
///         .serve(|server| Chat::server(Room(server)));
///     let server = net.serve(builder);
///     let ann = net.client().token("ann").contract::<Chat>().connect();
///     let bob = net.client().token("bob").contract::<Chat>().connect();
///     ann.ready().await.unwrap();
///     bob.ready().await.unwrap();
///     net.cut();
///     Chat::to_server(&ann).post("hello").unwrap();
///     sente_test::advance(ms(5_000)).await;
///     assert_eq!(server.user("bob").count(), 1);
/// });
/// ```
#[derive(Clone)]
pub struct Net(Arc<Inner>);

/// What all handles of a network and all that is on it share.
pub(super) struct Inner {
    pub(super) network: Network,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    server: Option<Running>,
    lines: Vec<Weak<Line>>,
    /// How many uplinks there have been.
    count: u16,
}

/// The server's program.
struct Running {
    process: Arc<Process>,
    router: Router,
}

impl Network {
    /// Puts the network to work in the tokio runtime around it, whose clock should be paused:
    /// `#[tokio::test(start_paused = true)]`. [`run`](crate::run) brings such a runtime along.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use = "the network is where servers and clients are made"]
    pub fn open(self) -> Net {
        let inner = Arc::new(Inner {
            began: Instant::now(),
            state: Mutex::new(State {
                rng: Rng::new(self.seed),
                server: None,
                lines: Vec::new(),
                count: 0,
            }),
            network: self,
        });
        for (fault, mean) in inner.network.faults.clone() {
            tokio::spawn(happens(Arc::downgrade(&inner), inner.fork(), fault, mean));
        }
        Net(inner)
    }
}

impl Net {
    /// The seed of the network.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.0.network.seed
    }

    /// Starts a server, to which all clients of the network connect. One that was there before
    /// [crashes](Self::crash): so a program is started anew.
    pub fn serve(&self, builder: Builder) -> Server {
        self.crash();
        let process = self.0.process();
        let server = builder.system(Arc::clone(&process) as _).build();
        let router = server.routes(PREFIX);
        self.0.state().server = Some(Running { process, router });
        server
    }

    /// Begins a client, with an [`Uplink`] of its own.
    #[must_use = "a builder does nothing until it is told to `connect`"]
    pub fn client(&self) -> ClientBuilder {
        self.uplink().client()
    }

    /// A place for a client, to do something to its connections alone.
    #[must_use = "a client is begun by `uplink.client()`"]
    pub fn uplink(&self) -> Uplink {
        let [high, low] = {
            let mut state = self.0.state();
            state.count += 1;
            state.count.to_be_bytes()
        };
        let address = SocketAddr::from((Ipv4Addr::new(10, 0, high, low), 40_000));
        let uplink = Uplink::new(&self.0, address);
        let lines = &mut self.0.state().lines;
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(&uplink.0));
        uplink
    }

    /// One server and one client of a namespace, by its handlers: [`pair`](crate::pair) on this
    /// network. The client is anonymous.
    pub fn pair(
        &self,
        server: impl FnOnce(Server) -> Routes<ToServer> + Send + 'static,
        client: Routes<ToClient>,
    ) -> (Client, Server) {
        let server = self.serve(Server::builder().serve(server));
        (self.client().serve(client).connect(), server)
    }

    /// [Cuts](Uplink::cut) the connections of all clients.
    pub fn cut(&self) {
        self.uplinks().iter().for_each(Uplink::cut);
    }

    /// Lets the connections of all clients [go dead](Uplink::half_open).
    pub fn half_open(&self) {
        self.uplinks().iter().for_each(Uplink::half_open);
    }

    /// Takes the network [away](Uplink::offline) from all clients that there are.
    pub fn offline(&self) {
        self.uplinks().iter().for_each(Uplink::offline);
    }

    /// [Gives](Uplink::heal) the network back to all clients.
    pub fn heal(&self) {
        self.uplinks().iter().for_each(Uplink::heal);
    }

    /// Kills the server's program: its handlers stop where they wait, its sessions are gone, its
    /// connections break, and nothing listens until [`serve`](Self::serve) starts another. Its
    /// `on_end` hears nothing. What it spawned by itself goes on.
    ///
    /// For an orderly end, await the server's `shutdown`.
    pub fn crash(&self) {
        let Some(server) = self.0.state().server.take() else {
            return;
        };
        tracing::debug!("the server crashes");
        server.process.kill();
        self.cut();
    }

    fn uplinks(&self) -> Vec<Uplink> {
        let state = self.0.state();
        let lines = state.lines.iter().filter_map(Weak::upgrade);
        lines.map(Uplink).collect()
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net")
            .field("network", &self.0.network)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// A program that has not begun.
    pub(super) fn process(&self) -> Arc<Process> {
        Process::new(self.began, self.fork())
    }

    /// Random numbers for a part of the simulation.
    pub(super) fn fork(&self) -> Rng {
        self.state().rng.fork()
    }

    pub(super) fn is_serving(&self) -> bool {
        self.state().server.is_some()
    }

    /// The server serves a connection from `address`, if it lives.
    pub(super) fn accept(&self, end: End, address: SocketAddr) {
        let state = self.state();
        let Some(Running { process, router }) = &state.server else {
            return;
        };
        let router = router.clone().layer(Extension(ConnectInfo(address)));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(end), TowerToHyperService::new(router))
            .with_upgrades();
        process.spawn(Box::pin(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the server broke");
            }
        }));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault happens about so often, to one client after the other.
async fn happens(net: Weak<Inner>, mut rng: Rng, fault: Fault, mean: Duration) {
    loop {
        tokio::time::sleep(rng.around(mean)).await;
        let Some(net) = net.upgrade().map(Net) else {
            return;
        };
        let uplinks = net.uplinks();
        if uplinks.is_empty() {
            continue;
        }
        let uplink = uplinks[rng.below(uplinks.len())].clone();
        tracing::debug!(?uplink, ?fault, "a fault");
        match fault {
            Fault::Cut => {
                if let Some(socket) = uplink.socket() {
                    socket.cut();
                }
            }
            Fault::HalfOpen => {
                let which = rng.below(4);
                if let Some(socket) = uplink.socket() {
                    socket.go_dead(which != 0, which != 1);
                }
            }
            Fault::Offline => {
                let lasts = rng.around(Duration::from_secs(5));
                uplink.offline();
                tokio::spawn(async move {
                    tokio::time::sleep(lasts).await;
                    uplink.heal();
                });
            }
            // A network has no others.
            _ => {}
        }
    }
}
