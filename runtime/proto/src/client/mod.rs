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
mod ending;
mod handshake;
mod polling;
mod state;
mod transmit;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use config::{CarrierChoice, Config, Credentials, Timing};
pub use state::{ConnectionEnd, Event, LastClose, SessionState, SocketClosed, State, StateChange};
pub use transmit::{ExchangeId, Response, SocketId, Transmit};

use crate::backoff::Backoff;
use crate::frame::{Authenticate, Frame};
use crate::session::Session;
use crate::wire;
use crate::{Carrier, FreshReason, Limits, ResumeSecret, SessionId, Time};
use dial::{Socket, SocketPhase};
use polling::Polling;

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
    /// Nobody looks at the program.
    background: bool,
    /// What serves the session now.
    active: Option<Carrier>,
    backoff: Backoff,
    /// When bytes prove that the carrier that serves the session is a good one; `None` once they
    /// have, and while none serves.
    proved_at: Option<Time>,
    /// How far the session had got when that carrier began to serve it.
    served_from: u64,
    /// A carrier was lost, or given up for a better one, and none has proved itself since.
    losses: Option<Backoff>,
    upgrade: Upgrade,
    probe: Option<Probe>,
    last_received: Time,
    /// When the time was last looked at.
    watched: Time,
    /// Namespaces whose tables the server wants before any data.
    wanted_tables: Vec<String>,
    /// Credentials are asked for in the middle of a session.
    renews: bool,
    /// They are there, and the server is to be shown them.
    shows: bool,
    next_id: u64,
    state: State,
    events: VecDeque<Event>,
    transmits: VecDeque<Transmit>,
}

/// The carrier may have died while nobody looked: it has been asked for a sign of life.
///
/// Bytes that have waited for this program to wake are none. They only give the answer more time, since
/// it may be behind them.
struct Probe {
    /// The number of the ping; polling needs none, since each answer is one to a request.
    ping: Option<u64>,
    since: Time,
    /// The carrier is dead if nothing comes before.
    until: Time,
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
    /// Dials again at that time and not earlier: the server has said so.
    Told(Time),
}

impl Phase {
    fn waits_until(self) -> Option<Time> {
        match self {
            Self::Waiting(until) | Self::Told(until) => Some(until),
            Self::Idle | Self::Authenticating | Self::Active => None,
        }
    }
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
            background: false,
            active: None,
            proved_at: None,
            served_from: 0,
            losses: None,
            probe: None,
            last_received: Time::default(),
            watched: Time::default(),
            wanted_tables: Vec::new(),
            renews: false,
            shows: false,
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

    /// A copy of the state. `clone` would be compiled once more, in the driver's crate.
    #[must_use]
    pub fn copy_state(&self) -> State {
        self.state.clone()
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
        self.losses = None;
        self.begin(now, session);
    }

    /// Shows fresh credentials to the server, and goes on as before: no carrier changes, and no call
    /// notices. The session ends if the user is another one.
    ///
    /// While nothing serves the session, the next hello shows them anyway.
    pub fn reauthenticate(&mut self) {
        self.config.asks_credentials = true;
        match self.phase {
            Phase::Active => self.renews = true,
            // What it waits for is out of date.
            Phase::Authenticating => {}
            Phase::Idle | Phase::Waiting(_) | Phase::Told(_) => return,
        }
        self.transmits.push_back(Transmit::Authenticate);
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
        if std::mem::replace(&mut self.config.carrier, choice) == choice {
            return;
        }
        if choice != CarrierChoice::Auto {
            self.upgrade.at = None;
        }
        if self.phase != Phase::Active {
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
        } else if choice == CarrierChoice::Poll {
            // One that is tried while polling serves must not come to serve.
            self.drop_socket(true);
        }
    }

    /// The network is back, the page is shown, the program woke: the connection is probed at once,
    /// or dialled, unless the server has said when to come back.
    pub fn wake(&mut self, now: Time, session: &mut Session) {
        match self.phase {
            Phase::Waiting(_) => self.begin(now, session),
            Phase::Active if self.active.is_some() => {
                if self.probe.is_none() {
                    let ping = (!self.poll_anew(now, session)).then(|| session.ping());
                    self.probe = Some(Probe {
                        ping,
                        since: now,
                        until: now + self.config.timing.probe,
                    });
                }
                if self.upgrade.at.is_some() {
                    self.upgrade.at = Some(now);
                }
            }
            Phase::Active | Phase::Authenticating | Phase::Told(_) | Phase::Idle => {}
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
        } else if self.phase == Phase::Active && std::mem::take(&mut self.renews) {
            self.shows = true;
            let has_csrf_token = self.credentials.csrf.is_some();
            self.change(|state| {
                state.has_csrf_token = has_csrf_token;
                state.identity_expires_at = None;
            });
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
        match wire::decode_from_server(session.codec(), message, &session.limits().wire()) {
            Ok(frame) => self.handle_frame(now, session, Carrier::WebSocket, epoch, frame),
            Err(error) => self.spoiled(now, session, Carrier::WebSocket, error.reason()),
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
        if self.socket.take_if(|known| known.id == socket).is_none() {
            return;
        }
        self.change(|state| {
            if closed.error.is_some() {
                state.last_ws_error.clone_from(&closed.error);
            }
            state.last_ws_close = Some(closed);
        });
        self.carrier_failed(now, session, Carrier::WebSocket, ConnectionEnd::Lost);
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
        self.watched = now;
        session.handle_timeout(now);
        if self.phase.waits_until().is_some_and(|until| until <= now) {
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
        if mutated!("take-writing-for-life") && session.has_data(now) {
            self.received(now);
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
                let message = match self.ahead(session) {
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
        [
            self.phase.waits_until(),
            self.silent_at(),
            self.active.map(|_| self.watched + self.config.timing.watch),
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
        self.active.filter(|_| !mutated!("miss-silence"))?;
        let silent_at = self.last_received + self.config.limits.silence;
        Some(self.probe.as_ref().map_or(silent_at, |probe| probe.until))
    }

    fn received(&mut self, now: Time) {
        self.last_received = now;
        if mutated!("take-old-bytes-for-life") {
            self.probe = None;
        } else if let Some(probe) = &mut self.probe {
            probe.until = now + self.config.timing.probe;
        }
        if self.proved_at.is_some_and(|at| at <= now) {
            self.proved();
        }
    }

    /// The carrier that serves the session is a good one: waits begin anew.
    fn proved(&mut self) {
        self.proved_at = None;
        self.losses = None;
        if self.active == Some(Carrier::WebSocket) {
            self.upgrade.delay = self.config.timing.upgrade;
        }
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
        self.tell_change(old);
    }

    /// By itself, so that it is not compiled anew for each kind of change.
    fn tell_change(&mut self, old: State) {
        if self.state != old {
            let new = self.state.clone();
            self.events
                .push_back(Event::Changed(Box::new(StateChange { old, new })));
        }
    }

    /// What goes ahead of all data: the tables that the server wants, and credentials, each once.
    fn ahead(&mut self, session: &Session) -> Option<Frame> {
        if !self.wanted_tables.is_empty() {
            let names = std::mem::take(&mut self.wanted_tables);
            let tables = session.contract().tables(names.iter().map(String::as_str));
            return Some(Frame::Tables(tables));
        }
        std::mem::take(&mut self.shows).then(|| {
            Frame::Authenticate(Authenticate {
                token: self.credentials.token.clone(),
                csrf: self.credentials.csrf.clone(),
            })
        })
    }

    /// The server says that the identity which this client has shown is good for so long only.
    fn warned_of_expiry(&mut self, now: Time, after: Duration) {
        self.change(|state| state.identity_expires_at = Some(now + after));
        // It warns again and again, and an answer may take its time.
        if self.config.asks_credentials && !self.renews && !mutated!("ignore-warning") {
            self.reauthenticate();
        }
    }

    fn limits_with(&mut self, terms: &crate::frame::Terms) -> Arc<Limits> {
        self.config.limits.adopt(terms);
        Arc::new(self.config.limits.clone())
    }
}

fn encode(session: &Session, frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::encode_no_answer(session.codec(), frame, &mut bytes);
    bytes
}

fn append_to_body(session: &Session, frame: &Frame, body: &mut Vec<u8>) {
    wire::append_encoded_to_body(session.codec(), &encode(session, frame), body);
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
