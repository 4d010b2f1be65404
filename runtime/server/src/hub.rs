//! What all parts of a server share.
//!
//! [`Hub`] knows who is there: handlers hold it, through [`Server`](crate::Server). [`Service`]
//! holds the handlers: routes and carriers hold it. The hub knows the service only weakly, so that
//! a handler that holds its server keeps nothing alive.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use sente::driver::{Dispatcher, Host};
use sente::{Codec, Peer, ToServer};
use sente_proto::codec::EncodeError;
use sente_proto::frame::Request;
use sente_proto::server::{Mappings, Sessions};
use sente_proto::{Close, CloseReason, Limits};
use tokio::sync::watch;

use crate::around::{Around, Program};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::counts::Counter;
use crate::end::SessionEnd;
use crate::guard::Guard;
use crate::presence::{Announcer, ConnectedClient, Presence};
use crate::rooms::Rooms;
use crate::sessions::Client;
use crate::tally::Tally;
use crate::users::Users;
use crate::{Handshake, Identity, Refusal, handshake};

/// Who is there.
///
/// Its locks are taken in this order: sessions, users, rooms, then those of one session (chair,
/// port).
pub(crate) struct Hub {
    pub(crate) around: Around,
    pub(crate) clock: Clock,
    pub(crate) limits: Arc<Limits>,
    pub(crate) host: Arc<dyn Host>,
    /// Tells this run of the program from others.
    pub(crate) run: u64,
    sessions: Mutex<Sessions<Arc<Client>>>,
    users: Mutex<Users>,
    rooms: Mutex<Rooms>,
    pub(crate) announcer: Announcer,
    pub(crate) budget: Budget,
    pub(crate) counts: Counter,
    /// Handlers that wait, and hooks.
    pub(crate) handlers: Arc<Tally>,
    /// Connections and requests that are being served.
    pub(crate) carriers: Arc<Tally>,
    /// Whether the server shuts down.
    pub(crate) draining: watch::Sender<bool>,
    pub(crate) service: OnceLock<Weak<Service>>,
}

/// What handles what comes.
pub(crate) struct Service {
    pub(crate) hub: Arc<Hub>,
    pub(crate) dispatcher: Arc<Dispatcher<ToServer>>,
    pub(crate) mappings: Mappings,
    pub(crate) guard: Guard,
    pub(crate) authenticate: Authenticate,
    pub(crate) admit: Option<Admit>,
    pub(crate) csrf: Option<Csrf>,
    pub(crate) handshakes: Vec<(&'static str, HandshakeData)>,
    pub(crate) on_end: Option<Arc<OnEnd>>,
    /// Those that clients may choose from.
    pub(crate) codecs: Vec<Codec>,
    /// How often a connection breaks on purpose, for tests: from 0 to 1.
    pub(crate) bad_connection: f64,
}

pub(crate) type Authenticate = Box<
    dyn Fn(Handshake) -> Pin<Box<dyn Future<Output = Result<Identity, Refusal>> + Send>>
        + Send
        + Sync,
>;
pub(crate) type Admit = Box<dyn Fn(&Parts) -> Result<(), Refusal> + Send + Sync>;
pub(crate) type Csrf = Box<dyn Fn(&Handshake) -> bool + Send + Sync>;
pub(crate) type HandshakeData =
    Box<dyn Fn(&Peer, Codec) -> Result<Bytes, EncodeError> + Send + Sync>;
pub(crate) type OnEnd = dyn Fn(Peer, SessionEnd) + Send + Sync;

impl Hub {
    pub(crate) fn new(
        around: Around,
        limits: Arc<Limits>,
        sessions: Sessions<Arc<Client>>,
        budget: Budget,
    ) -> Self {
        let clock = Clock::start(&around);
        let handlers: Arc<Tally> = Arc::default();
        let program = Program {
            clock,
            around: around.clone(),
            handlers: Arc::clone(&handlers),
        };
        Self {
            clock,
            limits,
            host: Arc::new(program),
            run: around.random() as u64,
            around,
            sessions: Mutex::new(sessions),
            users: Mutex::default(),
            rooms: Mutex::default(),
            announcer: Announcer::default(),
            budget,
            counts: Counter::default(),
            handlers,
            carriers: Arc::default(),
            draining: watch::Sender::new(false),
            service: OnceLock::new(),
        }
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions<Arc<Client>>> {
        lock(&self.sessions)
    }

    pub(crate) fn users(&self) -> MutexGuard<'_, Users> {
        lock(&self.users)
    }

    pub(crate) fn rooms(&self) -> MutexGuard<'_, Rooms> {
        lock(&self.rooms)
    }

    /// The session of a request, or what to answer if it is not there.
    pub(crate) fn asked(&self, request: &Request) -> Result<Arc<Client>, Close> {
        let now = self.clock.now();
        let mut sessions = self.sessions();
        match sessions.find(request.session, &request.secret) {
            Some(client) => Ok(client),
            None => {
                let close = sessions.gone(now, request, self.run);
                // Other reasons have been counted when the session ended.
                if matches!(
                    close.reason,
                    CloseReason::UnknownSession | CloseReason::WrongServer
                ) {
                    self.counts.close(close.reason);
                }
                Err(close)
            }
        }
    }

    /// The client has finished its handshake: the application may know of it.
    pub(crate) fn join(&self, client: &Arc<Client>) {
        self.sessions().confirm(client.id);
        let mut users = self.users();
        if !client.join() {
            return;
        }
        tracing::debug!(session = %client.id, "a client joined");
        let is_first = users.add(client);
        if let Some(user) = client.peer.user().filter(|_| is_first) {
            let user = user.into();
            self.announcer.tell(&Presence::UserConnected { user });
        }
        let peer = client.peer.clone();
        self.announcer.tell(&Presence::Joined { peer });
    }

    /// Another carrier serves the session, or none.
    pub(crate) fn moved(&self, client: &Arc<Client>) {
        // The older carrier, and whoever keeps the session's time, have to see whether they are still
        // needed.
        client.port.ring();
        let users = self.users();
        let carrier = {
            let chair = client.chair();
            if chair.end.is_some() || !client.has_joined() {
                return;
            }
            chair.seat.carrier()
        };
        let peer = client.peer.clone();
        self.announcer.tell(&Presence::Moved { peer, carrier });
        drop(users);
    }

    /// A carrier is closed for this, and no session with it: it serves none.
    pub(crate) fn reject(&self, reason: CloseReason) -> Close {
        self.counts.close(reason);
        Close::new(reason)
    }

    /// Ends a session, unless it has ended. Its carriers tell the client `close`.
    pub(crate) fn end(&self, client: &Arc<Client>, close: &Close) {
        let now = self.clock.now();
        let removed = self.sessions().remove(now, client.id, close);
        if removed.is_some() {
            self.finish(client, close);
        }
    }

    /// The rest of the end of a session that has been taken out of the registry.
    pub(crate) fn finish(&self, client: &Arc<Client>, close: &Close) {
        client.chair().end = Some(close.clone());
        let unconfirmed = client.port.end();
        let reason = close.reason;
        self.counts.close(reason);
        if reason.is_violation() {
            tracing::warn!(session = %client.id, ?reason, "a client broke the protocol; its session ends");
        } else {
            tracing::debug!(session = %client.id, ?reason, "a session ended");
        }
        self.rooms().leave_all(client.id);
        {
            let mut users = self.users();
            if !client.has_joined() {
                return;
            }
            let is_last = users.remove(client);
            let peer = client.peer.clone();
            self.announcer.tell(&Presence::Left { peer, reason });
            if let Some(user) = client.peer.user().filter(|_| is_last) {
                let user = user.into();
                self.announcer
                    .tell(&Presence::UserDisconnected { user, reason });
            }
        }
        let service = self.service.get().and_then(Weak::upgrade);
        if let Some(on_end) = service.and_then(|service| service.on_end.clone()) {
            let peer = client.peer.clone();
            let unconfirmed = sente::driver::unconfirmed(&client.port, unconfirmed);
            let end = SessionEnd {
                reason,
                unconfirmed,
            };
            self.around.aside(&self.handlers, move || on_end(peer, end));
        }
    }

    pub(crate) fn connected(&self) -> Vec<ConnectedClient> {
        self.users()
            .all()
            .map(|client| ConnectedClient {
                peer: client.peer.clone(),
                carrier: client.chair().seat.carrier(),
            })
            .collect()
    }
}

impl Service {
    /// What is checked before anything else is done for a request.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), Refusal> {
        self.guard.check(request).map_err(Refusal::of)?;
        if handshake::size(request) > handshake::MOST {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(Refusal::new(status, "the request's headers are too large"));
        }
        self.admit.as_ref().map_or(Ok(()), |admit| admit(request))
    }

    /// Sets the handlers to work of all that has come from a client.
    pub(crate) fn dispatch(&self, client: &Client, cx: &mut Context<'_>) {
        self.dispatcher.dispatch(&client.peer, &client.port, cx);
    }

    /// As [`dispatch`](Self::dispatch), for whoever does not poll by hand.
    pub(crate) async fn run_handlers(&self, client: &Client) {
        poll_fn(|cx| {
            self.dispatch(client, cx);
            Poll::Ready(())
        })
        .await;
    }

    /// The handshake data of all namespaces that have some. What cannot be made is left out.
    pub(crate) fn handshake_data(&self, peer: &Peer, codec: Codec) -> Vec<(String, Bytes)> {
        let contract = self.dispatcher.contract();
        let made = self.handshakes.iter().filter_map(|(namespace, data)| {
            if !contract.is_handshake_carried(namespace, codec) {
                return None;
            }
            match catch_unwind(AssertUnwindSafe(|| data(peer, codec))) {
                Ok(Ok(bytes)) => Some(((*namespace).to_owned(), bytes)),
                Ok(Err(error)) => {
                    tracing::error!(
                        namespace,
                        "handshake data cannot be encoded and is left out"
                    );
                    // It may quote what could not be encoded.
                    tracing::trace!(namespace, %error);
                    None
                }
                Err(_) => {
                    tracing::error!(
                        namespace,
                        "the handshake data's function panicked; it is left out"
                    );
                    None
                }
            }
        });
        made.collect()
    }

    /// Whether to break a connection now, for tests.
    pub(crate) fn breaks(&self) -> bool {
        self.bad_connection > 0.0
            && (self.hub.around.random() as u32)
                < (self.bad_connection * f64::from(u32::MAX)) as u32
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
