//! The place of a client on the network, and what becomes of its connections.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sente_client::{Client, ClientBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::connection::{Connection, End};
use super::net::{Inner, PREFIX};
use super::process::Process;
use crate::{Network, Rng};

/// A client's own way into the network: what is done to it befalls that client alone.
///
/// [`Net::uplink`](crate::Net::uplink) makes it. Cheap to clone.
///
/// ```
/// use sente_test::{Network, secs};
/// # #[sente::events] enum Chat { #[to_server(reply = u64)] Post { text: String } }
/// # struct Room;
/// # impl ChatServer for Room { async fn post(&self, _: &sente::Peer, _: String) -> u64 { 7 } }
///
/// sente_test::run(Network::seeded(7), async |net| {
///     net.serve(sente_server::Server::builder().serve(|_| Chat::server(Room)));
///     let uplink = net.uplink();
///     let client = uplink.client().contract::<Chat>().connect();
///     let call = Chat::to_server(&client).post("hello").timeout(secs(60));
///     uplink.offline();
///     sente_test::advance(secs(10)).await;
///     uplink.heal();
///     assert_eq!(call.await, Ok(7));
/// });
/// ```
#[derive(Clone)]
pub struct Uplink(pub(super) Arc<Line>);

/// What all handles of an uplink, its clients and its connections share.
pub(super) struct Line {
    net: Arc<Inner>,
    /// As the server sees it.
    address: SocketAddr,
    process: Arc<Process>,
    state: Mutex<State>,
    healed: Notify,
}

struct State {
    rng: Rng,
    connections: Vec<Weak<Connection>>,
    is_offline: bool,
}

impl Uplink {
    pub(super) fn new(net: &Arc<Inner>, address: SocketAddr) -> Self {
        Self(Arc::new(Line {
            net: Arc::clone(net),
            address,
            process: net.process(),
            state: Mutex::new(State {
                rng: net.fork(),
                connections: Vec::new(),
                is_offline: false,
            }),
            healed: Notify::new(),
        }))
    }

    /// Begins a client that connects from here to the server of the network.
    ///
    /// It is configured as any other; only its `transport` has to stay as it is.
    #[must_use = "a builder does nothing until it is told to `connect`"]
    pub fn client(&self) -> ClientBuilder {
        let line = Arc::clone(&self.0);
        Client::builder(format!("http://server.test{PREFIX}"))
            .system(Arc::clone(&self.0.process) as _)
            .transport(move |_, _| Arc::clone(&line).connect())
    }

    /// Breaks all connections. Both sides are told; the client may dial again at once.
    pub fn cut(&self) {
        let connections = self.0.connections();
        tracing::debug!(uplink = %self.0.address, connections = connections.len(), "cut");
        connections.iter().for_each(|connection| connection.cut());
    }

    /// Lets all connections go dead without a word: what is sent vanishes, and either side has to
    /// find out by the silence. New connections work.
    pub fn half_open(&self) {
        let connections = self.0.connections();
        tracing::debug!(uplink = %self.0.address, connections = connections.len(), "half-open");
        for connection in connections {
            connection.go_dead(true, true);
        }
    }

    /// Takes the network away, until it is told to [`heal`](Self::heal). Connections that are open
    /// are dead for ever, without a word; those that are dialled hang.
    pub fn offline(&self) {
        self.0.state().is_offline = true;
        self.half_open();
    }

    /// Gives the network back.
    pub fn heal(&self) {
        tracing::debug!(uplink = %self.0.address, "healed");
        self.0.state().is_offline = false;
        self.0.healed.notify_waiters();
    }

    /// Kills the client's program, as by a power cut: its handlers stop where they wait, and nobody
    /// says goodbye. A client that is connected from here afterwards does nothing.
    pub fn crash(&self) {
        tracing::debug!(uplink = %self.0.address, "the client crashes");
        self.offline();
        self.0.process.kill();
    }

    /// The WebSocket that was opened last, if there is one.
    pub(super) fn socket(&self) -> Option<Arc<Connection>> {
        let connections = self.0.connections();
        connections.into_iter().rfind(|it| it.is_socket())
    }
}

impl fmt::Debug for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Uplink").field(&self.0.address).finish()
    }
}

impl Line {
    pub(super) fn network(&self) -> &Network {
        &self.net.network
    }

    /// A client dials.
    async fn connect(self: Arc<Self>) -> io::Result<End> {
        let mut rng = self.state().rng.fork();
        loop {
            self.wait_until_healed().await;
            let delay = &self.network().socket.delay;
            tokio::time::sleep(rng.within(delay) + rng.within(delay)).await;
            if !self.state().is_offline {
                break;
            }
        }
        if !self.net.is_serving() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (connection, end) = Connection::open(&self, rng);
        let connections = &mut self.state().connections;
        connections.retain(|connection| connection.strong_count() > 0);
        connections.push(Arc::downgrade(&connection));
        Ok(end)
    }

    async fn wait_until_healed(&self) {
        loop {
            let healed = self.healed.notified();
            if !self.state().is_offline {
                return;
            }
            healed.await;
        }
    }

    /// The server gets its end of a connection.
    pub(super) fn accept(&self, end: End) {
        self.net.accept(end, self.address);
    }

    /// The server gets a request a second time, some time later.
    pub(super) fn repeat(self: &Arc<Self>, request: Vec<u8>) {
        let mut rng = self.state().rng.fork();
        let line = Arc::clone(self);
        tokio::spawn(async move {
            let late = Duration::ZERO..Duration::from_secs(10);
            tokio::time::sleep(rng.within(&late)).await;
            let mut end = Connection::repeat(&line, rng);
            if end.write_all(&request).await.is_ok() {
                // Nobody waits for the answer; it only has to come.
                let _ = end.read(&mut [0; 1024]).await;
            }
        });
    }

    /// Those that are open.
    fn connections(&self) -> Vec<Arc<Connection>> {
        let state = self.state();
        state.connections.iter().filter_map(Weak::upgrade).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
