//! The client's machine: it dials, falls back, comes back, resumes, and never gives up.
//!
//! A [`Client`] knows no sockets and no clock. Its [`Session`] stands beside it, since programs
//! share that and not the carriers; every method is given both. The methods are of three kinds:
//!
//! * what a program does: [`connect`](Client::connect), [`disconnect`](Client::disconnect),
//!   [`reconnect`](Client::reconnect), [`break_connection`](Client::break_connection),
//!   [`choose_carrier`](Client::choose_carrier), [`wake`](Client::wake);
//! * what the carriers and time do: `handle_*`;
//! * what comes of it, in this order after each of the above: [`poll_event`](Client::poll_event)
//!   until it returns `None`, [`poll_transmit`](Client::poll_transmit) until it returns `None` (or
//!   the carrier cannot take more), [`poll_timeout`](Client::poll_timeout).

mod config;
mod dial;
mod handshake;
mod polling;
mod state;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use config::{CarrierChoice, Config, Credentials, Timing};
pub use state::{ConnectionEnd, Event, LastClose, SessionState, SocketClosed, State, StateChange};

use crate::backoff::Backoff;
use crate::frame::Frame;
use crate::session::Session;
use crate::wire;
use crate::{Carrier, Close, CloseReason, FreshReason, Limits, ResumeSecret, SessionId, Time};
use dial::{Socket, SocketPhase};
use polling::Polling;

/// A WebSocket of this client.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SocketId(u64);

/// A request of this client and its response.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ExchangeId(u64);

/// What a driver has to do.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must know them all")]
pub enum Transmit {
    /// Get credentials and give them to [`Client::handle_credentials`].
    Authenticate,
    /// Dial a WebSocket; [`Client::handle_opened`] or [`Client::handle_closed`] follows.
    Open(SocketId),
    /// Send a message, as text if the codec is text.
    Message {
        /// The socket, which is open.
        socket: SocketId,
        /// The frame.
        message: Vec<u8>,
    },
    /// Close a WebSocket. Nothing more is heard of it.
    Close {
        /// The socket.
        socket: SocketId,
        /// With a close frame; else just drop it.
        clean: bool,
    },
    /// Send a request; [`Client::handle_response`] follows.
    Post {
        /// The request.
        exchange: ExchangeId,
        /// Its body.
        body: Vec<u8>,
        /// After so long without a response, the request has failed.
        timeout: Duration,
    },
    /// Drop a request. Nothing more is heard of it.
    Abort(ExchangeId),
}

/// The response to a [`Transmit::Post`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by drivers")]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// The client's machine. See the [module](self).
pub struct Client {
    config: Config,
    random: Box<dyn FnMut() -> u128 + Send>,
    credentials: Credentials,
    phase: Phase,
    /// The highest epoch given to a carrier so far.
    epoch: u64,
    /// Names the fresh session that the next hello asks for, if there is nothing to resume.
    attempt: u128,
    known: Option<Known>,
    /// Why the next session will be fresh, where only this side knows it.
    fresh: Option<FreshReason>,
    socket: Option<Socket>,
    polling: Option<Polling>,
    /// What serves the session now.
    active: Option<Carrier>,
    backoff: Backoff,
    upgrade: Upgrade,
    /// Bytes are asked for, and must come by then.
    probe: Option<Time>,
    last_received: Time,
    /// Namespaces whose tables the server wants before any data.
    wanted_tables: Vec<String>,
    next_id: u64,
    state: State,
    events: VecDeque<Event>,
    transmits: VecDeque<Transmit>,
}

/// A session that can be resumed.
struct Known {
    id: SessionId,
    secret: ResumeSecret,
    /// Which run of the server program made it.
    server: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Not to be connected: before the start, after a refusal or a disconnect.
    Idle,
    /// Waits for credentials before it dials.
    Authenticating,
    /// Dials, or is connected.
    Active,
    /// Dials again at that time.
    Waiting(Time),
}

/// When a polling client tries WebSocket again.
#[derive(Clone, Copy, Debug)]
struct Upgrade {
    at: Option<Time>,
    delay: Duration,
}

impl Client {
    /// A client that does nothing yet. `random` gives 128 bits that nobody can foresee.
    #[must_use]
    pub fn new(config: Config, mut random: Box<dyn FnMut() -> u128 + Send>) -> Self {
        let timing = &config.timing;
        Self {
            backoff: Backoff::new(timing.backoff, timing.backoff_cap),
            upgrade: Upgrade {
                at: None,
                delay: timing.upgrade,
            },
            attempt: random(),
            config,
            random,
            credentials: Credentials::default(),
            phase: Phase::Idle,
            epoch: 0,
            known: None,
            fresh: None,
            socket: None,
            polling: None,
            active: None,
            probe: None,
            last_received: Time::default(),
            wanted_tables: Vec::new(),
            next_id: 0,
            state: State::default(),
            events: VecDeque::new(),
            transmits: VecDeque::new(),
        }
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether it is not to be connected and holds nothing: no carrier, no session to go on with,
    /// nothing to do or to tell.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.phase == Phase::Idle
            && self.socket.is_none()
            && self.polling.is_none()
            && self.known.is_none()
            && self.timer().is_none()
            && self.transmits.is_empty()
            && self.events.is_empty()
    }

    // ---- what a program does ----

    /// Connects, and stays connected from now on. Without effect if it is.
    pub fn connect(&mut self, now: Time, session: &mut Session) {
        if self.phase == Phase::Idle {
            self.begin(now, session);
        }
    }

    /// Ends the session and stays away until [`connect`](Self::connect) or
    /// [`reconnect`](Self::reconnect).
    pub fn disconnect(&mut self, now: Time, session: &mut Session) {
        self.say_goodbye(session);
        self.drop_carriers(session, true);
        self.phase = Phase::Idle;
        self.restart(session, FreshReason::Requested);
        self.closed(now, ConnectionEnd::Disconnect);
    }

    /// Connects anew, with fresh credentials. The session goes on if the user is the same.
    pub fn reconnect(&mut self, now: Time, session: &mut Session) {
        let was_open = self.active.is_some();
        self.drop_carriers(session, true);
        if was_open {
            self.closed(now, ConnectionEnd::Reconnect);
        }
        self.backoff.reset();
        self.begin(now, session);
    }

    /// Drops the connection without a word, as a lost network does. The client comes back at once.
    pub fn break_connection(&mut self, now: Time, session: &mut Session) {
        if self.phase == Phase::Active {
            self.drop_carriers(session, false);
            self.closed(now, ConnectionEnd::Broken);
            self.begin(now, session);
        }
    }

    /// Uses other carriers from now on.
    pub fn choose_carrier(&mut self, now: Time, session: &mut Session, choice: CarrierChoice) {
        if std::mem::replace(&mut self.config.carrier, choice) == choice
            || self.phase != Phase::Active
        {
            return;
        }
        let serves = match choice {
            CarrierChoice::Auto => true,
            CarrierChoice::WebSocket => self.active == Some(Carrier::WebSocket),
            CarrierChoice::Poll => self.active == Some(Carrier::Poll),
        };
        if !serves {
            self.reconnect(now, session);
        } else if self.active == Some(Carrier::Poll) && choice == CarrierChoice::Auto {
            self.upgrade.at = Some(now);
        } else {
            self.upgrade.at = None;
            if choice == CarrierChoice::Poll {
                // One that is tried while polling serves must not come to serve.
                self.drop_socket(true);
            }
        }
    }

    /// The network is back, the page is shown, the program woke: the connection is probed at once,
    /// or dialled.
    pub fn wake(&mut self, now: Time, session: &mut Session) {
        match self.phase {
            Phase::Waiting(_) => self.begin(now, session),
            Phase::Active if self.active.is_some() => {
                session.ping();
                self.probe.get_or_insert(now + self.config.timing.probe);
                if self.upgrade.at.is_some() {
                    self.upgrade.at = Some(now);
                }
            }
            Phase::Active | Phase::Authenticating | Phase::Idle => {}
        }
    }

    // ---- what the carriers and time do ----

    /// Takes the credentials that [`Transmit::Authenticate`] asked for.
    pub fn handle_credentials(
        &mut self,
        now: Time,
        session: &mut Session,
        credentials: Credentials,
    ) {
        self.credentials = credentials;
        if self.phase == Phase::Authenticating {
            self.dial(now, session);
        }
    }

    /// A WebSocket is open.
    pub fn handle_opened(&mut self, now: Time, session: &mut Session, socket: SocketId) {
        self.socket_opened(now, session, socket);
    }

    /// A message came on a WebSocket.
    pub fn handle_message(
        &mut self,
        now: Time,
        session: &mut Session,
        socket: SocketId,
        message: &Bytes,
    ) {
        let Some(carrier) = self.socket.as_ref().filter(|carrier| carrier.id == socket) else {
            return;
        };
        let epoch = carrier.epoch;
        if self.active == Some(Carrier::WebSocket) {
            self.received(now);
        }
        match wire::decode(session.codec(), message, &session.limits().wire()) {
            Ok(frame) => self.handle_frame(now, session, Carrier::WebSocket, epoch, frame),
            Err(_) => self.server_broke_the_protocol(
                now,
                session,
                Carrier::WebSocket,
                CloseReason::Malformed,
            ),
        }
    }

    /// A WebSocket could not be opened, or has ended.
    pub fn handle_closed(
        &mut self,
        now: Time,
        session: &mut Session,
        socket: SocketId,
        closed: SocketClosed,
    ) {
        if self
            .socket
            .as_ref()
            .is_none_or(|carrier| carrier.id != socket)
        {
            return;
        }
        self.change(|state| {
            if closed.error.is_some() {
                state.last_ws_error.clone_from(&closed.error);
            }
            state.last_ws_close = Some(closed);
        });
        self.socket_failed(now, session, ConnectionEnd::Lost);
    }

    /// A request has been answered, or has failed.
    pub fn handle_response(
        &mut self,
        now: Time,
        session: &mut Session,
        exchange: ExchangeId,
        response: Result<Response, String>,
    ) {
        self.response(now, session, exchange, response);
    }

    /// Lets pass what the time has come for.
    pub fn handle_timeout(&mut self, now: Time, session: &mut Session) {
        if self
            .timer()
            .is_some_and(|due| now - due > self.config.timing.slept)
        {
            self.wake(now, session);
        }
        session.handle_timeout(now);
        if let Phase::Waiting(until) = self.phase
            && until <= now
        {
            self.begin(now, session);
        }
        self.dial_timeout(now, session);
        self.polling_timeout(now, session);
        if self.silent_at().is_some_and(|at| at <= now) {
            self.lost(now, session, ConnectionEnd::Silent);
        }
    }

    // ---- what comes of it ----

    /// What has happened, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What the driver has to do next.
    pub fn poll_transmit(&mut self, now: Time, session: &mut Session) -> Option<Transmit> {
        if let Some(transmit) = self.transmits.pop_front() {
            return Some(transmit);
        }
        match self.active? {
            Carrier::WebSocket => {
                let Some(Socket {
                    id,
                    phase: SocketPhase::Live,
                    ..
                }) = self.socket
                else {
                    return None;
                };
                let message = match self.tables(session) {
                    Some(frame) => encode(session, &frame),
                    None => session.poll_data(now)?,
                };
                Some(Transmit::Message {
                    socket: id,
                    message,
                })
            }
            Carrier::Poll => self.poll_exchange(now, session),
        }
    }

    /// What the driver has to do next even while the carrier takes no more: all but the session's
    /// data.
    pub fn poll_control(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) or [`poll_transmit`](Self::poll_transmit) has
    /// something to do next.
    ///
    /// While the carrier takes no more, [`poll_deadline`](Self::poll_deadline) counts instead.
    #[must_use]
    pub fn poll_timeout(&self, session: &Session) -> Option<Time> {
        let may_send = match self.active {
            Some(Carrier::WebSocket) => true,
            Some(Carrier::Poll) => self.polling.as_ref().is_some_and(Polling::may_send),
            None => false,
        };
        let session = if may_send {
            session.poll_timeout()
        } else {
            session.poll_deadline()
        };
        [self.timer(), session].into_iter().flatten().min()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do next, whether or not the
    /// carrier takes more.
    #[must_use]
    pub fn poll_deadline(&self, session: &Session) -> Option<Time> {
        [self.timer(), session.poll_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    // ---- shared by the parts of the machine ----

    /// The earliest of the client's own timers.
    fn timer(&self) -> Option<Time> {
        let waiting = match self.phase {
            Phase::Waiting(until) => Some(until),
            _ => None,
        };
        [
            waiting,
            self.silent_at(),
            self.upgrade.at,
            self.dial_timer(),
            self.polling_timer(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When the carrier that serves the session is dead, if no bytes come before.
    ///
    /// After a sleep bytes may wait in the socket, however long ago the last ones came: then the
    /// probe alone decides.
    fn silent_at(&self) -> Option<Time> {
        self.active?;
        Some(
            self.probe
                .unwrap_or(self.last_received + self.config.limits.silence),
        )
    }

    fn received(&mut self, now: Time) {
        self.last_received = now;
        self.probe = None;
    }

    fn known_session(&self) -> Option<SessionId> {
        self.known.as_ref().map(|known| known.id)
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn change(&mut self, f: impl FnOnce(&mut State)) {
        let old = self.state.clone();
        f(&mut self.state);
        if self.state != old {
            let new = self.state.clone();
            self.events
                .push_back(Event::Changed(Box::new(StateChange { old, new })));
        }
    }

    /// The tables that the server wants, once.
    fn tables(&mut self, session: &Session) -> Option<Frame> {
        if self.wanted_tables.is_empty() {
            return None;
        }
        let names = std::mem::take(&mut self.wanted_tables);
        Some(Frame::Tables(
            session.contract().tables(names.iter().map(String::as_str)),
        ))
    }

    /// The session's carriers are gone and the session is to go on: dial at once.
    fn lost(&mut self, now: Time, session: &mut Session, end: ConnectionEnd) {
        self.drop_carriers(session, false);
        self.closed(now, end);
        self.begin(now, session);
    }

    /// Ends the present session, if there is one, in favour of a fresh one.
    fn end_session(&mut self, session: &mut Session, reason: FreshReason) {
        if self.known.is_some() {
            self.restart(session, reason);
        }
    }

    fn restart(&mut self, session: &mut Session, reason: FreshReason) {
        self.known = None;
        self.attempt = (self.random)();
        self.fresh = Some(reason);
        let unconfirmed = session.restart();
        self.events.push_back(Event::SessionEnded {
            reason,
            unconfirmed,
        });
    }

    fn drop_carriers(&mut self, session: &mut Session, clean: bool) {
        self.drop_socket(clean);
        self.drop_polling();
        self.deactivate(session);
        self.upgrade.at = None;
    }

    fn deactivate(&mut self, session: &mut Session) {
        self.active = None;
        self.probe = None;
        session.detach();
    }

    fn closed(&mut self, now: Time, reason: ConnectionEnd) {
        self.change(|state| {
            state.open = false;
            state.first_open = false;
            state.carrier = None;
            state.last_close = Some(LastClose { reason, at: now });
        });
    }

    fn say_goodbye(&mut self, session: &mut Session) {
        let goodbye = Frame::Close(Box::new(Close::new(CloseReason::Goodbye)));
        match (self.active, &self.socket) {
            (Some(Carrier::WebSocket), Some(socket)) => {
                let message = encode(session, &goodbye);
                self.transmits.push_back(Transmit::Message {
                    socket: socket.id,
                    message,
                });
            }
            (Some(Carrier::Poll), _) => self.post_goodbye(session, &goodbye),
            _ => {}
        }
    }

    fn limits_with(&mut self, terms: &crate::frame::Terms) -> Arc<Limits> {
        self.config.limits.adopt(terms);
        Arc::new(self.config.limits.clone())
    }
}

fn encode(session: &Session, frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::encode(session.codec(), frame, &mut bytes);
    bytes
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("phase", &self.phase)
            .field("active", &self.active)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
