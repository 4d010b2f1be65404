//! Whom a push goes to.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use sente::driver::{Port, Push, push_value};
use sente::{Events, One, Peer, SendError, SessionId, Targets};

use crate::hub::Hub;
use crate::sessions::Client;

/// A set of clients: those who are in it when something is pushed.
///
/// A push returns for how many clients it was queued. A client for which too much waits is not
/// waited for: its session ends, and no other client feels it.
#[derive(Clone)]
pub struct Audience {
    hub: Arc<Hub>,
    who: Who,
    device: Option<Arc<str>>,
    except: Vec<SessionId>,
}

#[derive(Clone, Debug)]
enum Who {
    User(Arc<str>),
    Users(Vec<Arc<str>>),
    Room(Arc<str>),
    Anonymous,
    Everyone,
}

impl Audience {
    fn new(hub: &Arc<Hub>, who: Who) -> Self {
        Self {
            hub: Arc::clone(hub),
            who,
            device: None,
            except: Vec::new(),
        }
    }

    pub(crate) fn users(hub: &Arc<Hub>, users: Vec<Arc<str>>) -> Self {
        let mut seen = HashSet::new();
        let users = users
            .into_iter()
            .filter(|user| seen.insert(Arc::clone(user)));
        Self::new(hub, Who::Users(users.collect()))
    }

    pub(crate) fn room(hub: &Arc<Hub>, room: Arc<str>) -> Self {
        Self::new(hub, Who::Room(room))
    }

    pub(crate) fn anonymous(hub: &Arc<Hub>) -> Self {
        Self::new(hub, Who::Anonymous)
    }

    pub(crate) fn everyone(hub: &Arc<Hub>) -> Self {
        Self::new(hub, Who::Everyone)
    }

    /// All of them but this client.
    #[must_use]
    pub fn except(mut self, peer: &Peer) -> Self {
        self.except.push(peer.session());
        self
    }

    /// Those who are in it now, in no order.
    #[must_use]
    pub fn peers(&self) -> Vec<Peer> {
        let clients = self.clients();
        clients.iter().map(|client| client.peer.clone()).collect()
    }

    /// How many are in it now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.clients().len()
    }

    /// Pushes an event that is a value of its enum; returns for how many clients it was queued.
    ///
    /// ```
    /// use sente_server::{SendError, Server};
    ///
    /// #[sente::events]
    /// enum Chat {
    ///     #[to_client]
    ///     Posted { text: String },
    /// }
    ///
    /// # fn example(server: &Server) -> Result<(), SendError> {
    /// let event = Chat::Posted { text: "hello".into() };
    /// server.everyone().send(event)?; // as `Chat::to_clients(server.everyone()).posted("hello")`
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It is delivered as the contract says. A call is sent as by `.detach()`: nobody answers.
    ///
    /// # Errors
    /// Only [`SendError::WrongDirection`], if the server does not send it.
    pub fn send<E: Events>(&self, event: E) -> Result<usize, SendError> {
        push_value(self, &event)
    }

    /// Taken out of the lock, so that a push to many delays nobody who comes or goes.
    fn clients(&self) -> Vec<Arc<Client>> {
        let wanted = |client: &&Arc<Client>| {
            !self.except.contains(&client.id)
                && (self.device.is_none() || client.peer.device() == self.device.as_deref())
        };
        match &self.who {
            Who::User(user) => {
                let users = self.hub.users();
                users.of(user).iter().filter(wanted).cloned().collect()
            }
            Who::Users(ids) => {
                let users = self.hub.users();
                let clients = ids.iter().flat_map(|user| users.of(user));
                clients.filter(wanted).cloned().collect()
            }
            Who::Room(room) => {
                let rooms = self.hub.rooms();
                rooms.members(room).filter(wanted).cloned().collect()
            }
            Who::Anonymous => {
                let users = self.hub.users();
                users.anonymous().filter(wanted).cloned().collect()
            }
            Who::Everyone => {
                let users = self.hub.users();
                users.all().filter(wanted).cloned().collect()
            }
        }
    }
}

impl Targets for Audience {
    fn push(&self, push: &mut Push<'_>) -> usize {
        let clients = self.clients();
        // A full outbox is counted in the session; whoever keeps its time sees it and ends it.
        let queued = |client: &&Arc<Client>| push.offer(&client.port).is_ok();
        clients.iter().filter(queued).count()
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audience")
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}

/// All clients of a user. See [`Audience`].
#[derive(Clone, Debug)]
pub struct User(Audience);

impl User {
    pub(crate) fn new(hub: &Arc<Hub>, user: Arc<str>) -> Self {
        Self(Audience::new(hub, Who::User(user)))
    }

    /// Only those that gave their device this name.
    #[must_use]
    pub fn device(self, name: impl AsRef<str>) -> Audience {
        Audience {
            device: Some(name.as_ref().into()),
            ..self.0
        }
    }

    /// All of them but this client.
    #[must_use]
    pub fn except(self, peer: &Peer) -> Audience {
        self.0.except(peer)
    }

    /// Those who are there now.
    #[must_use]
    pub fn peers(&self) -> Vec<Peer> {
        self.0.peers()
    }

    /// Pushes an event that is a value. See [`Audience::send`].
    ///
    /// # Errors
    /// If the server does not send it.
    pub fn send<E: Events>(&self, event: E) -> Result<usize, SendError> {
        self.0.send(event)
    }

    /// How many are there now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.count()
    }
}

impl Targets for User {
    fn push(&self, push: &mut Push<'_>) -> usize {
        self.0.push(push)
    }
}

/// One client, by its session. It can be pushed to and asked.
#[derive(Clone)]
pub struct Session {
    hub: Arc<Hub>,
    id: SessionId,
}

impl Session {
    pub(crate) fn new(hub: &Arc<Hub>, id: SessionId) -> Self {
        Self {
            hub: Arc::clone(hub),
            id,
        }
    }

    /// The client, from the end of its handshake to the end of its session.
    #[must_use]
    pub fn peer(&self) -> Option<Peer> {
        let sessions = self.hub.sessions();
        let client = sessions.get(self.id);
        client
            .filter(|client| client.has_joined())
            .map(|client| client.peer.clone())
    }

    /// Sends an event that is a value. See [`Peer::send`].
    ///
    /// # Errors
    /// As for any send; [`SendError::Ended`] if the client has gone.
    pub fn send<E: Events>(&self, event: E) -> Result<(), SendError> {
        self.peer().ok_or(SendError::Ended)?.send(event)
    }
}

impl Targets for Session {
    fn push(&self, push: &mut Push<'_>) -> usize {
        let port = self.peer().filter(|peer| push.offer(peer.port()).is_ok());
        usize::from(port.is_some())
    }
}

impl One for Session {
    fn port(self) -> Option<Arc<Port>> {
        Some(Arc::clone(self.peer()?.port()))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.id).finish()
    }
}
