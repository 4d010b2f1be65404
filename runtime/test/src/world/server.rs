//! The server: its registry, its sessions with their seats and programs, and the driver that ties
//! them together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sente_proto::frame::Frame;
use sente_proto::server::{Due, Heard, Mappings, Seat, Sessions};
use sente_proto::session::Session;
use sente_proto::{Carrier, Close, CloseReason, FreshReason, ResumeSecret, SessionId, Time, wire};

use super::World;
use super::checks::nothing_left;
use super::clock::Clock;
use super::program::{Program, Scene};
use super::queue::{Asked, ForServer};
use super::wire::End;
use crate::contract::Version;
use crate::plan::Plan;
use crate::promise::{Promise, Verdict};
use crate::rng::Rng;

pub(super) struct Server {
    pub(super) clock: Clock,
    /// `None` while the program is down.
    pub(super) sessions: Option<Sessions<usize>>,
    /// By the half of the session in the model; `None` once it has ended.
    pub(super) seats: Vec<Option<Box<Seated>>>,
    pub(super) version: Version,
    pub(super) mappings: Mappings,
    pub(super) contract: Arc<sente_proto::contract::Contract>,
    pub(super) run: u64,
    pub(super) rng: Rng,
}

/// A session with all that belongs to it.
pub(super) struct Seated {
    pub(super) id: SessionId,
    pub(super) began: Time,
    /// When the last bytes came from its client.
    pub(super) heard: Time,
    /// The attempt that opened the session, and its user.
    pub(super) asked: Option<(u128, Option<Arc<str>>)>,
    /// When its client's identity expires, by the server's clock.
    pub(super) expires: Option<Time>,
    pub(super) seat: Seat,
    pub(super) session: Session,
    pub(super) program: Program,
    pub(super) carrier: At,
    /// Of that carrier, or the last one.
    pub(super) epoch: u64,
    /// The application knows of it.
    pub(super) is_told: bool,
    pub(super) timer: Option<Time>,
}

/// What serves a session, as the driver knows it.
#[derive(Clone, Debug)]
pub(super) enum At {
    Nothing,
    Socket(usize),
    Poll(Vec<Held>),
}

/// A poll that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) of: Asked,
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) since: Time,
}

impl Seated {
    /// The polls that wait for an answer, oldest first.
    pub(super) fn held(&self) -> &[Held] {
        match &self.carrier {
            At::Poll(held) => held,
            At::Nothing | At::Socket(_) => &[],
        }
    }

    /// That poll is answered, or nobody waits for its answer any more.
    pub(super) fn forget(&mut self, of: Asked) {
        if let At::Poll(held) = &mut self.carrier
            && let Some(place) = held.iter().position(|held| held.of == of)
        {
            let Held { epoch, number, .. } = held.remove(place);
            self.seat.answered(epoch, number);
        }
    }
}

impl Server {
    pub(super) fn new(plan: &Plan, mut rng: Rng) -> Self {
        let (version, _) = Version::of(plan.skew);
        let contract = version.contract();
        Self {
            clock: Clock::default(),
            sessions: Some(Sessions::new(plan.caps, plan.limits.window)),
            seats: Vec::new(),
            version,
            mappings: Mappings::new(Arc::clone(&contract)),
            contract,
            run: rng.bits(),
            rng,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.sessions.is_some()
    }

    pub(super) fn half_of(&self, id: SessionId) -> Option<usize> {
        self.sessions.as_ref()?.get(id).copied()
    }

    pub(super) fn seat(&mut self, half: usize) -> Option<&mut Seated> {
        self.seats.get_mut(half)?.as_deref_mut()
    }

    pub(super) fn alive(&self) -> impl Iterator<Item = (usize, &Seated)> {
        self.seats
            .iter()
            .enumerate()
            .filter_map(|(half, seated)| Some((half, seated.as_deref()?)))
    }
}

impl World {
    /// Something happens to the server.
    pub(super) fn for_server_now(&mut self, what: ForServer) -> Verdict {
        if let ForServer::Message { socket, .. } | ForServer::Closed { socket, .. } = what
            && let Some(until) = self.is_stalled(socket, true)
        {
            self.for_server(until, what);
            return Ok(());
        }
        self.server_hears(what)
    }

    fn server_hears(&mut self, what: ForServer) -> Verdict {
        match what {
            ForServer::Message { socket, message } => {
                let came = self.arrived(socket, true, self.now, message.len());
                if came && self.sockets[socket].server_open && self.server.is_up() {
                    self.server_reads(socket, &message)?;
                }
                // Its sender may go on.
                let client = self.sockets[socket].client;
                let host = &self.clients[client];
                if host.asleep.is_none() && !host.is_dead && self.sockets[socket].id.is_some() {
                    self.pump_client(client)?;
                }
                Ok(())
            }
            ForServer::Closed { socket } => {
                self.sockets[socket].server_open = false;
                let Some((half, epoch)) = self.sockets[socket].serves else {
                    return Ok(());
                };
                if let Some(seated) = self.server.seat(half)
                    && seated.seat.detach(&mut seated.session, epoch)
                {
                    seated.carrier = At::Nothing;
                    self.coverage.meet("server: WebSocket to none");
                    self.pump_seat(half)?;
                }
                Ok(())
            }
            ForServer::HelloIsDue { socket } => {
                let socket_of = &self.sockets[socket];
                if socket_of.serves.is_none() && socket_of.server_open && self.server.is_up() {
                    self.coverage.meet("carrier: no hello in time");
                    let close = Close::new(CloseReason::HandshakeTimeout);
                    let frame = Frame::Close(Box::new(close));
                    self.send_frame(socket, End::Stranger, &frame)?;
                    self.server_closes(socket);
                }
                Ok(())
            }
            ForServer::Request { of, body } => self.server_answers(of, &body),
            ForServer::Aborted { of } => {
                let alive = self.server.alive();
                let of_it = alive
                    .filter(|(_, seated)| seated.held().iter().any(|held| held.of == of))
                    .map(|(half, _)| half);
                for half in of_it.collect::<Vec<_>>() {
                    if let Some(seated) = self.server.seat(half) {
                        seated.forget(of);
                    }
                    self.pump_seat(half)?;
                }
                Ok(())
            }
            ForServer::Authenticates { half, token } => self.authenticates(half, token),
            ForServer::Tick { half } => self.server_tick(half),
            ForServer::Work { half, work } => {
                if let Some((seated, mut scene)) = self.at_seat(half) {
                    seated.program.work(&mut seated.session, &mut scene, work)?;
                    self.pump_seat(half)?;
                }
                Ok(())
            }
            ForServer::Drain { half } => {
                let retry_after = Some(self.rng.around(Duration::from_secs(1)));
                self.meet_in_flight(half, "call: in flight at a shutdown");
                let close = Close {
                    retry_after,
                    ..Close::new(CloseReason::Shutdown)
                };
                self.end_session(half, &close, FreshReason::Shutdown)
            }
        }
    }

    // ---- WebSockets ----

    fn server_reads(&mut self, socket: usize, message: &Bytes) -> Verdict {
        match self.sockets[socket].serves {
            Some((half, epoch)) => {
                self.reads(End::Server(half), message, false);
                let limits = self.plan.limits.wire();
                let frame = wire::decode(self.plan.codec, message, &limits).map_err(|error| {
                    Promise::Protocol.broken(format!("a client's frame is none: {error}"))
                })?;
                let close = self.frame_came(half, epoch, frame)?;
                self.socket_serves(socket, half, epoch)?;
                if close.is_some() {
                    // Whatever it is, the close has been sent or nobody is there to read it.
                    self.drop_socket(socket, half)?;
                }
                self.pump_seat(half)
            }
            None => self.socket_greets(socket, message),
        }
    }

    fn socket_greets(&mut self, socket: usize, message: &Bytes) -> Verdict {
        let hello = wire::decode_hello(message, &self.plan.limits.wire()).map_err(|error| {
            Promise::Protocol.broken(format!("a client's hello is none: {error}"))
        })?;
        let epoch = hello.epoch;
        match self.seat_client(&hello, Carrier::WebSocket)? {
            Ok((half, welcome)) => {
                self.sockets[socket].serves = Some((half, epoch));
                self.send_frame(socket, End::Server(half), &welcome)?;
                self.socket_serves(socket, half, epoch)?;
                self.pump_seat(half)
            }
            Err(answer) => {
                self.send_frame(socket, End::Stranger, &answer)?;
                self.server_closes(socket);
                Ok(())
            }
        }
    }

    fn socket_serves(&mut self, socket: usize, half: usize, epoch: u64) -> Verdict {
        let of = &self.sockets[socket];
        let client = of.id.is_some().then_some(of.client);
        self.carrier_serves(half, epoch, At::Socket(socket), client)
    }

    pub(super) fn send_frame(&mut self, socket: usize, end: End, frame: &Frame) -> Verdict {
        let mut message = Vec::new();
        wire::encode(self.plan.codec, frame, &mut message);
        let message = Bytes::from(message);
        self.sends_frame(end, &message)?;
        self.send_down(socket, message);
        Ok(())
    }

    /// A frame came on the carrier of that epoch. Returns what to answer if the carrier is done for.
    pub(super) fn frame_came(
        &mut self,
        half: usize,
        epoch: u64,
        frame: Frame,
    ) -> Verdict<Option<Close>> {
        let (at, now) = (self.now, self.server_clock());
        let Self { server, .. } = self;
        let Some(seated) = server.seats[half].as_deref_mut() else {
            return Ok(Some(Close::new(CloseReason::UnknownSession)));
        };
        if seated.seat.is_current(epoch) {
            seated.heard = at;
        }
        let heard =
            seated
                .seat
                .handle_frame(now, &mut seated.session, &server.mappings, epoch, frame);
        match heard {
            Ok(Heard::Nothing) => Ok(None),
            Ok(Heard::Authenticates) => {
                if let Some(shown) = seated.seat.take_shown() {
                    self.is_shown(half, &shown);
                }
                Ok(None)
            }
            Ok(Heard::Ends(reason)) => {
                violated(&Close::new(reason))?;
                let close = Close::new(CloseReason::Goodbye);
                self.coverage.meet("session: ended by its client");
                self.end_session(half, &close, FreshReason::Requested)?;
                Ok(Some(close))
            }
            Ok(Heard::Leaves) => {
                if seated.seat.detach(&mut seated.session, epoch) {
                    seated.carrier = At::Nothing;
                }
                Ok(Some(Close::new(CloseReason::Replaced)))
            }
            Err(close) => {
                violated(&close)?;
                Ok(Some(close))
            }
        }
    }

    fn drop_socket(&mut self, socket: usize, half: usize) -> Verdict {
        if !self.sockets[socket].server_open {
            return Ok(());
        }
        if let Some(seated) = self.server.seat(half) {
            let replaced = Frame::Close(Box::new(seated.seat.replaced()));
            self.send_frame(socket, End::Server(half), &replaced)?;
        }
        self.server_closes(socket);
        Ok(())
    }

    // ---- time and programs ----

    /// A seat's timer has come.
    pub(super) fn seat_timer(&mut self, half: usize) -> Verdict {
        let now = self.server_clock();
        while let Some(seated) = self.server.seat(half) {
            let Some(due) = seated.seat.handle_timeout(now, &mut seated.session) else {
                break;
            };
            match due {
                Due::Ping => self.coverage.meet("carrier: pinged"),
                Due::Warning => self.coverage.meet("identity: warned of its end"),
                Due::IdentityExpired => self.identity_is_over(half)?,
                Due::Silent => {
                    let carrier = std::mem::replace(&mut seated.carrier, At::Nothing);
                    self.trace
                        .note(self.now, || format!("server {half}: its carrier is silent"));
                    self.coverage.meet("carrier: silent, says the server");
                    self.coverage.meet(match &carrier {
                        At::Poll(_) => "server: Poll to none",
                        At::Socket(_) | At::Nothing => "server: WebSocket to none",
                    });
                    let why = Frame::Close(Box::new(Close::new(CloseReason::Silent)));
                    self.leave(half, carrier, &why)?;
                }
                Due::Expired => {
                    let close = Close::new(CloseReason::UnknownSession);
                    self.end_session(half, &close, FreshReason::Expired)?;
                }
            }
        }
        self.pump_seat(half)
    }

    fn server_tick(&mut self, half: usize) -> Verdict {
        if self.now >= self.talk_until || self.server.seat(half).is_none() {
            return Ok(());
        }
        let pause = self.rng.around(self.plan.pause);
        self.for_server(self.now + pause, ForServer::Tick { half });
        for _ in 0..=self.rng.below(self.plan.burst) {
            let Some((seated, mut scene)) = self.at_seat(half) else {
                break;
            };
            if seated.program.act(&mut seated.session, &mut scene)? {
                let close = Close::new(CloseReason::Overflow);
                return self.end_session(half, &close, FreshReason::Overflow);
            }
        }
        self.pump_seat(half)
    }

    fn at_seat(&mut self, half: usize) -> Option<(&mut Seated, Scene<'_>)> {
        let clock = self.server.clock;
        let seated = self.server.seats.get_mut(half)?.as_deref_mut()?;
        let scene = Scene {
            at: self.now,
            now: clock.reads(self.now),
            ahead: clock.ahead,
            plan: &self.plan,
            rng: &mut self.rng,
            model: &mut self.model,
            coverage: &mut self.coverage,
            trace: &mut self.trace,
        };
        Some((seated, scene))
    }

    // ---- what comes of it ----

    /// Takes out all that a session has to say, and notes when it wants to be asked again.
    pub(super) fn pump_seat(&mut self, half: usize) -> Verdict {
        loop {
            while let Some((seated, mut scene)) = self.at_seat(half)
                && let Some(event) = seated.session.poll_event()
            {
                seated
                    .program
                    .hear(&mut seated.session, &mut scene, event)?;
            }
            if !self.serve(half)? {
                break;
            }
        }
        let Some(seated) = self
            .server
            .seats
            .get_mut(half)
            .and_then(Option::as_deref_mut)
        else {
            return Ok(());
        };
        let takes_more = match &seated.carrier {
            At::Nothing => false,
            At::Poll(held) => !held.is_empty(),
            At::Socket(socket) => self.sockets[*socket].down.is_writable(),
        };
        let limits = seated.session.limits();
        let until = |held: &Held| held.since + seated.seat.hold(held.number, limits);
        let held = seated.held().iter().map(until).min();
        let own = Some(seated.seat.poll_timeout(&seated.session));
        let data = seated.session.poll_timeout().filter(|_| takes_more);
        seated.timer = [own, data, held].into_iter().flatten().min();
        let becomes_known = seated.seat.is_confirmed() && !seated.is_told;
        seated.is_told |= becomes_known;
        let (id, later) = (seated.id, seated.program.take_later());
        for (after, work) in later {
            self.for_server(self.now + after, ForServer::Work { half, work });
        }
        if becomes_known {
            if let Some(sessions) = &mut self.server.sessions {
                sessions.confirm(id);
            }
            let pause = self.rng.around(self.plan.pause);
            self.for_server(self.now + pause, ForServer::Tick { half });
        }
        self.check_session(half, false)
    }

    /// Gives the carrier a frame, or answers a poll. Returns whether there may be more.
    fn serve(&mut self, half: usize) -> Verdict<bool> {
        let now = self.server_clock();
        let Some(seated) = self
            .server
            .seats
            .get_mut(half)
            .and_then(Option::as_deref_mut)
        else {
            return Ok(false);
        };
        match &seated.carrier {
            At::Nothing => Ok(false),
            At::Socket(socket) => {
                let socket = *socket;
                if !self.sockets[socket].down.is_writable() {
                    self.coverage.meet("carrier: backed up");
                    return Ok(false);
                }
                let Some(message) = seated.session.poll_data(now) else {
                    return Ok(false);
                };
                let message = Bytes::from(message);
                self.sends_frame(End::Server(half), &message)?;
                self.send_down(socket, message);
                Ok(true)
            }
            At::Poll(_) => self.serve_polls(half),
        }
    }

    // ---- ends ----

    /// Ends a session and tells its carrier.
    pub(super) fn end_session(
        &mut self,
        half: usize,
        close: &Close,
        reason: FreshReason,
    ) -> Verdict {
        let (at, now) = (self.now, self.server_clock());
        violated(close)?;
        let Some(mut seated) = self.server.seats.get_mut(half).and_then(Option::take) else {
            return Ok(());
        };
        self.trace
            .note(at, || format!("server {half}: session ends, {reason:?}"));
        if let Some(sessions) = &mut self.server.sessions {
            sessions.remove(now, seated.id, close);
        }
        self.coverage.meet(if seated.is_told {
            "session: ended by the server"
        } else {
            "session: ended unconfirmed"
        });
        let carrier = std::mem::replace(&mut seated.carrier, At::Nothing);
        self.leave(half, carrier, &Frame::Close(Box::new(close.clone())))?;
        let unconfirmed = seated.session.end();
        self.meet_unconfirmed(&unconfirmed);
        self.model.ends(half, reason, &unconfirmed, at)?;
        while let Some(event) = seated.session.poll_event() {
            let mut scene = Scene {
                at,
                now,
                ahead: self.server.clock.ahead,
                plan: &self.plan,
                rng: &mut self.rng,
                model: &mut self.model,
                coverage: &mut self.coverage,
                trace: &mut self.trace,
            };
            seated
                .program
                .hear(&mut seated.session, &mut scene, event)?;
        }
        self.model.check_calls_ended(half)?;
        nothing_left(&format!("server {half}"), &seated.session)
    }

    pub(super) fn meet_in_flight(&mut self, half: usize, what: &'static str) {
        let calls = |seated: &mut Seated| {
            seated.session.calls_in_flight() > 0 || seated.session.handlers_running() > 0
        };
        if self.server.seat(half).is_some_and(calls) {
            self.coverage.meet(what);
        }
    }

    pub(super) fn find_session(&self, id: SessionId, secret: &ResumeSecret) -> Option<usize> {
        self.server.sessions.as_ref()?.find(id, secret)
    }
}

/// Honest machines do not break the protocol.
pub(super) fn violated(close: &Close) -> Verdict {
    if close.reason.is_violation() {
        let how = format!("the server closes with {:?}", close.reason);
        return Err(Promise::Protocol.broken(how));
    }
    Ok(())
}
