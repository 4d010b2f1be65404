//! Who is there: what changes, and how it is now.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use sente::Peer;
use sente_proto::{Carrier, CloseReason};
use tokio::sync::watch;

use crate::hub::Hub;

/// A change of who is there. Only clients that have finished their handshake are.
///
/// A client that loses its connection is still there, without a carrier, until its session ends.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Presence {
    /// A client has come.
    Joined {
        /// The client.
        peer: Peer,
    },
    /// A client is served by another carrier, or by none for now.
    Moved {
        /// The client.
        peer: Peer,
        /// What serves it.
        carrier: Option<Carrier>,
    },
    /// A client has gone for good: its session has ended.
    Left {
        /// The client.
        peer: Peer,
        /// Why.
        reason: CloseReason,
    },
    /// The first client of a user has come.
    UserConnected {
        /// The user.
        user: Arc<str>,
    },
    /// The last client of a user has gone.
    UserDisconnected {
        /// The user.
        user: Arc<str>,
        /// Why.
        reason: CloseReason,
    },
    /// The reader was too slow and so many changes were left out here. Ask
    /// [`Server::connected`](crate::Server::connected) how it is now.
    Missed {
        /// How many.
        count: u64,
    },
}

/// All [`Presence`] from the call to [`Server::presence`](crate::Server::presence) on.
///
/// Up to 4,096 changes wait for a slow reader; then some are [missed](Presence::Missed).
pub struct PresenceStream {
    queue: Arc<Mutex<Queue>>,
}

const WAITING: usize = 4096;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Presence>,
    missed: u64,
    reader: Option<Waker>,
    ended: bool,
}

impl Queue {
    fn push(&mut self, change: &Presence) {
        if self.waiting.len() < WAITING && self.missed == 0 {
            self.waiting.push_back(change.clone());
        } else {
            self.missed += 1;
        }
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl Stream for PresenceStream {
    type Item = Presence;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Presence>> {
        let mut queue = lock(&self.queue);
        if let Some(change) = queue.waiting.pop_front() {
            return Poll::Ready(Some(change));
        }
        match std::mem::take(&mut queue.missed) {
            0 if queue.ended => Poll::Ready(None),
            0 => {
                queue.reader = Some(cx.waker().clone());
                Poll::Pending
            }
            count => Poll::Ready(Some(Presence::Missed { count })),
        }
    }
}

impl fmt::Debug for PresenceStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceStream")
            .field("waiting", &lock(&self.queue).waiting.len())
            .finish_non_exhaustive()
    }
}

/// Tells all who listen.
pub(crate) struct Announcer {
    listeners: Mutex<Vec<Weak<Mutex<Queue>>>>,
    /// Grows with each change.
    version: watch::Sender<u64>,
}

impl Default for Announcer {
    fn default() -> Self {
        Self {
            listeners: Mutex::default(),
            version: watch::Sender::new(0),
        }
    }
}

impl Announcer {
    pub(crate) fn tell(&self, change: &Presence) {
        lock(&self.listeners).retain(|listener| {
            let listener = listener.upgrade();
            if let Some(queue) = &listener {
                lock(queue).push(change);
            }
            listener.is_some()
        });
        self.version.send_modify(|version| *version += 1);
    }

    pub(crate) fn listen(&self) -> PresenceStream {
        let queue = Arc::default();
        lock(&self.listeners).push(Arc::downgrade(&queue));
        PresenceStream { queue }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        for queue in lock(&self.listeners).iter().filter_map(Weak::upgrade) {
            let mut queue = lock(&queue);
            queue.ended = true;
            queue.wake();
        }
    }
}

/// Who is there now, and a watch on it.
///
/// ```no_run
/// # async fn example(server: sente_server::Server) {
/// let mut connected = server.connected();
/// while connected.changed().await {
///     println!("{} clients", connected.clients().len());
/// }
/// # }
/// ```
pub struct Connected {
    clients: Vec<ConnectedClient>,
    hub: Weak<Hub>,
    version: watch::Receiver<u64>,
}

/// A client that is there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectedClient {
    /// The client.
    pub peer: Peer,
    /// What serves it; `None` while it has lost its connection.
    pub carrier: Option<Carrier>,
}

impl Connected {
    pub(crate) fn new(hub: &Arc<Hub>) -> Self {
        let mut version = hub.announcer.version.subscribe();
        version.mark_unchanged();
        Self {
            clients: hub.connected(),
            hub: Arc::downgrade(hub),
            version,
        }
    }

    /// All clients, in no order.
    #[must_use]
    pub fn clients(&self) -> &[ConnectedClient] {
        &self.clients
    }

    /// All users that have a client, in no order, each once.
    #[must_use]
    pub fn users(&self) -> Vec<&str> {
        let mut users: Vec<_> = self
            .clients
            .iter()
            .filter_map(|client| client.peer.user())
            .collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Those that speak another version of the contract, in no order: whom to ask for a reload.
    ///
    /// ```no_run
    /// # #[sente::events] enum Chat { #[to_client] Outdated }
    /// # fn example(server: sente_server::Server) {
    /// for client in server.connected().skewed() {
    ///     Chat::to_client(&client.peer).outdated().ok();
    /// }
    /// # }
    /// ```
    ///
    /// [`Peer::skew`] says what does not fit, also within a handler.
    #[must_use]
    pub fn skewed(&self) -> Vec<&ConnectedClient> {
        let is_skewed = |client: &&ConnectedClient| !client.peer.skew().is_empty();
        self.clients.iter().filter(is_skewed).collect()
    }

    /// Waits until something has changed, and then shows how it is. Returns `false` if the server
    /// is gone.
    pub async fn changed(&mut self) -> bool {
        if self.version.changed().await.is_err() {
            return false;
        }
        let Some(hub) = self.hub.upgrade() else {
            return false;
        };
        self.clients = hub.connected();
        true
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
