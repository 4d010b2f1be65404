//! The handle on a running server.

use std::fmt;
use std::sync::{Arc, Weak};

use sente::{Peer, SessionId};
use sente_proto::{Close, CloseReason};

use crate::Builder;
use crate::counts::Counts;
use crate::hub::{Hub, Service};
use crate::presence::{Connected, PresenceStream};
use crate::push::{Audience, Session, User};
use crate::sessions::Client;

/// A server: its routes, its users and rooms, and pushes to them. Cheap to clone.
///
/// [`Builder::build`] makes it. The handle that [`Builder::serve`] gives to handlers is the same
/// for users and rooms, but does not keep the handlers alive: only the handle of `build`, its clones
/// and the routes do.
///
/// ```
/// use sente_server::Server;
///
/// let sente = Server::builder().build();
/// let app: axum::Router = axum::Router::new().merge(sente.routes("/sente"));
/// assert_eq!(sente.everyone().count(), 0);
/// ```
#[derive(Clone)]
pub struct Server {
    pub(crate) hub: Arc<Hub>,
    pub(crate) service: Option<Arc<Service>>,
}

impl Server {
    /// Configures a server.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn service(&self) -> Option<Arc<Service>> {
        self.service
            .clone()
            .or_else(|| self.hub.service.get().and_then(Weak::upgrade))
    }

    // ---- targets ----

    /// All clients of a user.
    #[must_use]
    pub fn user(&self, id: impl AsRef<str>) -> User {
        User::new(&self.hub, id.as_ref().into())
    }

    /// All clients of several users.
    #[must_use]
    pub fn users<I: AsRef<str>>(&self, ids: impl IntoIterator<Item = I>) -> Audience {
        let ids = ids.into_iter().map(|id| id.as_ref().into());
        Audience::users(&self.hub, ids.collect())
    }

    /// All clients in a room.
    #[must_use]
    pub fn room(&self, name: impl AsRef<str>) -> Audience {
        Audience::room(&self.hub, name.as_ref().into())
    }

    /// One client: it can be asked as well.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Session {
        Session::new(&self.hub, id)
    }

    /// All clients without a user.
    #[must_use]
    pub fn anonymous(&self) -> Audience {
        Audience::anonymous(&self.hub)
    }

    /// All clients.
    #[must_use]
    pub fn everyone(&self) -> Audience {
        Audience::everyone(&self.hub)
    }

    // ---- rooms ----

    /// Puts a client into a room. It stays there, whatever its connection does, until it
    /// [leaves](Self::leave) or its session ends. Returns whether it was not there before.
    ///
    /// During its handshake a client can be put into a room already. It is counted, and pushes reach
    /// it, from the end of the handshake on.
    pub fn join(&self, peer: &Peer, room: impl AsRef<str>) -> bool {
        let Some(client) = Client::of(peer) else {
            return false;
        };
        let mut rooms = self.hub.rooms();
        // Whoever ends it takes it out of all rooms after it has written its end down.
        if client.chair().end.is_some() {
            return false;
        }
        rooms.join(&client, room.as_ref())
    }

    /// Takes a client out of a room. Returns whether it was there.
    pub fn leave(&self, peer: &Peer, room: impl AsRef<str>) -> bool {
        self.hub.rooms().leave(peer.session(), room.as_ref())
    }

    /// All rooms that somebody is in, with the number of clients, in no order.
    #[must_use]
    pub fn rooms(&self) -> Vec<(Arc<str>, usize)> {
        let rooms = self.hub.rooms();
        rooms
            .names()
            .map(|(name, count)| (Arc::clone(name), count))
            .collect()
    }

    /// The rooms that a client is in.
    #[must_use]
    pub fn rooms_of(&self, peer: &Peer) -> Vec<Arc<str>> {
        self.hub.rooms().of(peer.session()).to_vec()
    }

    // ---- who is there ----

    /// Who is there now, and a watch on it.
    #[must_use]
    pub fn connected(&self) -> Connected {
        Connected::new(&self.hub)
    }

    /// All changes of who is there, from now on.
    #[must_use]
    pub fn presence(&self) -> PresenceStream {
        self.hub.announcer.listen()
    }

    /// How many sessions there are: connected, within their window, or not yet confirmed.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.hub.sessions().len()
    }

    /// Why sessions have ended and handshakes were refused, counted since the server was made: for
    /// metrics, and to notice who tries what.
    ///
    /// ```
    /// # let sente = sente_server::Server::builder().build();
    /// for (reason, count) in sente.counts().refusals() {
    ///     println!("refused: {} {count}", reason.name());
    /// }
    /// ```
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.hub.counts.read()
    }

    /// Ends a session. Its client is told `message` and does not come back by itself. Returns
    /// whether there was such a session.
    pub fn kick(&self, session: SessionId, message: impl Into<String>) -> bool {
        let client = self.hub.sessions().get(session).cloned();
        let Some(client) = client else {
            return false;
        };
        let close = Close {
            message: message.into(),
            ..Close::new(CloseReason::Kicked)
        };
        self.hub.end(&client, &close);
        true
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("sessions", &self.hub.sessions().len())
            .finish_non_exhaustive()
    }
}
