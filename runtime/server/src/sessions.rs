//! One session as the server keeps it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sente::driver::{Host, Port};
use sente::{Peer, SessionId};
use sente_proto::server::Seat;
use sente_proto::session::Session;
use sente_proto::{Close, Time};

use crate::handshake::Handshake;

/// A session: what the carriers move, what the application sees, and who serves it.
pub(crate) struct Client {
    pub(crate) id: SessionId,
    pub(crate) port: Arc<Port>,
    pub(crate) peer: Peer,
    /// The application knows of it: its client has finished its handshake. Set while the chair is
    /// locked.
    has_joined: AtomicBool,
    chair: Mutex<Chair>,
}

/// Who serves a session, and what has become of it.
pub(crate) struct Chair {
    pub(crate) seat: Seat,
    /// What carriers are to tell the client, once the session has ended.
    pub(crate) end: Option<Close>,
    /// A task of its own keeps the session's time.
    pub(crate) has_keeper: bool,
    /// The application is being asked who the client is now.
    pub(crate) is_asking: bool,
    /// When that was shown which it is to be asked about next.
    pub(crate) shown_at: Time,
    /// It is not to be asked so again before then.
    pub(crate) asks_from: Time,
    /// When it was asked about the newest hello that was let in.
    pub(crate) greeted: Time,
}

impl Client {
    pub(crate) fn new(
        host: Arc<dyn Host>,
        session: Session,
        id: SessionId,
        user: Option<Arc<str>>,
        handshake: &Handshake,
    ) -> Arc<Self> {
        let now = host.now();
        let port = Port::new(host, session);
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            id,
            peer: Peer::new(
                Arc::clone(&port),
                id,
                user,
                handshake.device().map(Into::into),
                handshake.to_request(),
                Box::new(this.clone()),
            ),
            port,
            has_joined: AtomicBool::new(false),
            chair: Mutex::new(Chair {
                seat: Seat::new(id, now),
                end: None,
                has_keeper: false,
                is_asking: false,
                shown_at: Time::default(),
                asks_from: Time::default(),
                greeted: Time::default(),
            }),
        })
    }

    /// The session of a peer, while it lasts.
    pub(crate) fn of(peer: &Peer) -> Option<Arc<Self>> {
        peer.server().downcast_ref::<Weak<Self>>()?.upgrade()
    }

    pub(crate) fn has_joined(&self) -> bool {
        self.has_joined.load(Ordering::Acquire)
    }

    /// The application is told of it now. Returns whether that is new; never after its end.
    pub(crate) fn join(&self) -> bool {
        let chair = self.chair();
        // Whoever ends it looks here after it has written its end down.
        chair.end.is_none() && !self.has_joined.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn chair(&self) -> MutexGuard<'_, Chair> {
        self.chair.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the seat and the session, in the order of their locks.
    pub(crate) fn with<R>(&self, f: impl FnOnce(Time, &mut Chair, &mut Session) -> R) -> R {
        let mut chair = self.chair();
        self.port.with(|now, session| f(now, &mut chair, session))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.id).finish()
    }
}
