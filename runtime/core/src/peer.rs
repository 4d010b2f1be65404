//! A client as the server sees it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use sente_proto::SessionId;
use sente_proto::contract::Skew;
use sente_proto::session::Session;

use crate::error::SendError;
use crate::port::Port;
use crate::{Events, SessionCounts, value};

/// A client, as a server's handler sees it: one session. Cheap to clone.
///
/// Two peers are equal if they are the same session. `Debug` shows the session and the user, never
/// the request.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    port: Arc<Port>,
    session: SessionId,
    user: Option<Arc<str>>,
    device: Option<Box<str>>,
    request: http::request::Parts,
    server: Box<dyn Any + Send + Sync>,
}

impl Peer {
    /// Makes a peer of a server's session. `server` is the server's own to keep with it.
    #[must_use]
    pub fn new(
        port: Arc<Port>,
        session: SessionId,
        user: Option<Arc<str>>,
        device: Option<Box<str>>,
        request: http::request::Parts,
        server: Box<dyn Any + Send + Sync>,
    ) -> Self {
        Self(Arc::new(Inner {
            port,
            session,
            user,
            device,
            request,
            server,
        }))
    }

    /// The public name of the session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.0.session
    }

    /// The user, as `authenticate` said; `None` if the client is anonymous.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.0.user.as_deref()
    }

    /// The user, or `name` for an anonymous client.
    #[must_use]
    pub fn user_or<'a>(&'a self, name: &'a str) -> &'a str {
        self.user().unwrap_or(name)
    }

    /// The name that the client gave its device. It means something within its user only, and
    /// nothing for security.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        self.0.device.as_deref()
    }

    /// The request of the handshake that opened the session: headers, cookies, address, extensions.
    #[must_use]
    pub fn request(&self) -> &http::request::Parts {
        &self.0.request
    }

    /// What one side may send and the other cannot take, since one of both programs is older. Empty
    /// for a client of the same contract, and until the client has said what it knows, which it has
    /// when it [joins](https://docs.rs/sente-server/latest/sente_server/enum.Presence.html).
    ///
    /// ```
    /// # fn example(peer: &sente::Peer) {
    /// for skew in peer.skew().iter() {
    ///     println!("{:?}: {skew}", peer.user()); // Some("ann"): chat/post (another form)
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn skew(&self) -> Arc<[Skew]> {
        let skew = |session: &Session| session.mapping().map(|mapping| Arc::clone(mapping.skew()));
        self.0.port.look(skew).unwrap_or_default()
    }

    /// Sends an event that is a value to this client.
    ///
    /// ```
    /// #[sente::events]
    /// enum Chat {
    ///     #[to_client]
    ///     Posted { text: String },
    /// }
    ///
    /// # fn example(peer: &sente::Peer) -> Result<(), sente::SendError> {
    /// peer.send(Chat::Posted { text: "hello".into() })?; // as `Chat::to_client(peer).posted("hello")?`
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It is delivered as the contract says. A call is sent as by [`Call::detach`](crate::Call::detach):
    /// no answer comes back.
    ///
    /// # Errors
    /// As for any send, and [`SendError::WrongDirection`] if the server does not send it.
    pub fn send<E: Events>(&self, event: E) -> Result<(), SendError> {
        value::to_client(&self.0.port, &event)
    }

    /// What the session with this client has counted: events that were dropped, refused or not
    /// understood.
    ///
    /// ```
    /// # fn example(peer: &sente::Peer) {
    /// println!("{} volatile events were dropped", peer.counts().dropped_volatile);
    /// # }
    /// ```
    #[must_use]
    pub fn counts(&self) -> SessionCounts {
        self.0.port.look(Session::counts)
    }

    /// The session, for generated code.
    #[must_use]
    pub fn port(&self) -> &Arc<Port> {
        &self.0.port
    }

    /// What the server keeps with it.
    #[must_use]
    pub fn server(&self) -> &(dyn Any + Send + Sync) {
        &*self.0.server
    }
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        self.0.session == other.0.session
    }
}

impl Eq for Peer {}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("session", &self.0.session)
            .field("user", &self.0.user)
            .finish_non_exhaustive()
    }
}
