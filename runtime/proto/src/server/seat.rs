//! Who serves a session now, and whether the client is still there.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Mappings;
use crate::contract::{Mapping, Offered};
use crate::frame::{Acknowledge, Authenticate, Data, Frame, Hello, Request, SPARE};
use crate::session::Session;
use crate::{Carrier, Close, CloseReason, Limits, SessionId, Time};

/// What a frame, or the head of a request, said beside what the session took from it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Heard {
    /// Nothing that concerns the driver.
    Nothing,
    /// The client is done with the session, or cannot go on with it; it is to be ended.
    Ends(CloseReason),
    /// The client is done with this carrier, but not with the session.
    Leaves,
    /// The client shows anew who it is: [`Seat::take_shown`]. The application is to be asked, and the
    /// seat to be told by [`Seat::authenticated`] or [`Seat::expire_identity`].
    Authenticates,
}

/// What to do with a request of a poll carrier.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Turn {
    /// A send: take in its frames, and answer with an acknowledgement at once.
    Send,
    /// A poll: take in its frames, and hold it as [`Seat::place`] says, until something waits.
    Hold,
    /// A request that has come before, or that a newer one has overtaken: take in its frames, and
    /// answer with nothing at once.
    Late,
}

/// Where a poll stands that is being held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Place {
    /// What waits goes with its answer.
    First,
    /// What waits goes with the answer to an older one, which the client reads first.
    Behind,
    /// It is held no longer: to be answered at once, with nothing, or with
    /// [`replaced`](Seat::replaced) if its carrier no longer serves the session.
    Over,
}

/// How a carrier stands to the session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Standing {
    /// It serves it.
    Serves,
    /// It is to serve it as soon as its client says something, which may take until then. What served
    /// the session goes on meanwhile: nobody knows whether the welcome arrives.
    Welcomed {
        /// After that it is to be closed.
        until: Time,
    },
    /// It does not, or no longer.
    Over,
}

/// What the time has come for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Due {
    /// The session is to be ended: no client has confirmed it, or none has come back.
    Expired,
    /// Nothing was received for too long: the carrier is dead and no longer serves the session.
    Silent,
    /// Something is to be sent, so that the client answers. The session has been told to ping.
    Ping,
    /// The client is to be told that its identity will expire. The session has been told so.
    Warning,
    /// The client's identity has expired, and its carrier no longer serves the session.
    IdentityExpired,
}

/// The place of the carrier that serves a session. There is one; a newer carrier takes it over, at
/// once where there is none, otherwise with its client's first frame after the welcome.
///
/// Every method that may fail gives the [`Close`] to tell the client. If its reason [is a
/// violation](CloseReason::is_violation) the session is to be ended for it; otherwise only the
/// carrier is.
#[derive(Debug)]
pub struct Seat {
    session: SessionId,
    /// Of the carrier that serves the session, or did so last, or was to when nobody might any more.
    /// Clients count from 1.
    epoch: u64,
    carrier: Option<Carrier>,
    /// A newer one, which has been welcomed.
    newcomer: Option<Newcomer>,
    confirmed: bool,
    began: Time,
    /// Bytes from the client, on whatever carrier. Only they are signs of life.
    last_received: Time,
    pinged: bool,
    /// What the client offers, while its tables are missing.
    offers: Option<Box<[Offered]>>,
    /// The client was asked for its tables.
    wants_tables: bool,
    /// Until when the client's identity is good.
    identity: Option<Lease>,
    /// What the client has shown since, and the application has not been asked about.
    shown: Option<Authenticate>,
    /// Why the last carrier had to leave.
    vacated: CloseReason,
    /// The highest epoch of a hello that was taken.
    greeted: u64,
    /// The numbers of the newest poll and the newest send.
    poll: u64,
    send: u64,
    /// The newest poll is to be answered at once.
    brief: bool,
    /// The number of the oldest poll that the client still awaits.
    awaited: u64,
    /// The polls that are held, oldest first.
    held: VecDeque<u64>,
}

/// A carrier whose hello has been taken.
#[derive(Debug)]
struct Newcomer {
    epoch: u64,
    carrier: Carrier,
    /// What its hello acknowledges.
    acknowledge: Acknowledge,
    since: Time,
}

/// An identity that does not last for ever.
#[derive(Clone, Copy, Debug)]
struct Lease {
    expires: Time,
    /// When to warn of that, until no more is to be gained by it.
    warns: Option<Time>,
}

/// A client is warned so long before its identity expires, or when half of the time is left.
const WARNING: Duration = Duration::from_secs(60);
/// It is not warned again when less is left.
const LAST_WARNING: Duration = Duration::from_secs(1);

impl Lease {
    /// The client is warned now. Nobody knows whether that arrives, and what it shows may find nobody
    /// who can judge it: it is warned again when half of what is left has passed.
    fn warn(&mut self, now: Time) {
        let half = (self.expires - now) / 2;
        self.warns = (half >= LAST_WARNING).then(|| now + half);
    }
}

impl Seat {
    /// An empty one, for that session, which begins now.
    #[must_use]
    pub fn new(session: SessionId, now: Time) -> Self {
        Self {
            session,
            epoch: 0,
            greeted: 0,
            carrier: None,
            newcomer: None,
            confirmed: false,
            began: now,
            last_received: now,
            pinged: false,
            offers: None,
            wants_tables: false,
            identity: None,
            shown: None,
            vacated: CloseReason::Silent,
            poll: 0,
            brief: false,
            send: 0,
            awaited: 0,
            held: VecDeque::new(),
        }
    }

    /// The carrier that serves the session now; `None` while there is none.
    #[must_use]
    pub fn carrier(&self) -> Option<Carrier> {
        self.carrier
    }

    /// The epoch of the carrier that serves the session, or did so last.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The epoch of the newest carrier.
    fn newest(&self) -> u64 {
        self.newcomer.as_ref().map_or(self.epoch, |it| it.epoch)
    }

    /// Whether the client has shown that it knows the session.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// Whether the carrier of that epoch serves the session.
    #[must_use]
    pub fn is_current(&self, epoch: u64) -> bool {
        self.carrier.is_some() && self.epoch == epoch
    }

    /// What to tell the carrier of that epoch, which does not serve the session.
    #[must_use]
    pub fn farewell(&self, epoch: u64) -> Close {
        if self.carrier.is_none() && self.newest() == epoch {
            Close::new(self.vacated)
        } else {
            self.replaced()
        }
    }

    /// How the carrier of that epoch stands to the session.
    pub fn standing(&self, epoch: u64, limits: &Limits) -> Standing {
        match &self.newcomer {
            _ if self.is_current(epoch) => Standing::Serves,
            Some(newcomer) if newcomer.epoch == epoch => Standing::Welcomed {
                until: newcomer.since + limits.handshake,
            },
            _ => Standing::Over,
        }
    }

    /// What to tell a carrier that does not serve the session, or no longer.
    #[must_use]
    pub fn replaced(&self) -> Close {
        Close {
            epoch: self.newest(),
            ..Close::new(CloseReason::Replaced)
        }
    }

    /// The carrier of `hello` is to serve the session in place of any with a lower epoch:
    /// [`standing`](Self::standing) says whether it does already.
    ///
    /// # Errors
    /// If its epoch is not higher than that of the newest, or it acknowledges what was never sent.
    pub fn attach(
        &mut self,
        now: Time,
        session: &mut Session,
        hello: &Hello,
        carrier: Carrier,
        mappings: &Mappings,
    ) -> Result<(), Close> {
        if session.is_ended() {
            return Err(Close::new(CloseReason::UnknownSession));
        }
        if hello.epoch <= self.newest() && !mutated!("ignore-epoch") {
            return Err(self.replaced());
        }
        // A client that wants an older session back, which is no more, speaks of that one's numbers.
        let acknowledge = hello
            .resume
            .as_ref()
            .filter(|resume| resume.session == self.session)
            .map_or_else(Acknowledge::default, |resume| resume.acknowledge);
        self.greeted = self.greeted.max(hello.epoch);
        session.set_confirmed(self.confirmed);
        let newcomer = Newcomer {
            epoch: hello.epoch,
            carrier,
            acknowledge,
            since: now,
        };
        if self.carrier.is_some() && !mutated!("move-at-once") {
            self.newcomer = Some(newcomer);
        } else {
            self.newcomer = None;
            self.seat(now, session, &newcomer)?;
        }
        let offered = mappings.offered(&hello.namespaces);
        self.wants_tables = offered.iter().any(|offer| offer.differs);
        if session.mapping().is_none() {
            match mappings.of(&hello.namespaces, session.codec()) {
                Some(mapping) => map(session, mapping),
                // Until they have come nothing is sent: the client could not read it.
                None => self.offers = Some(offered),
            }
        }
        Ok(())
    }

    fn seat(&mut self, now: Time, session: &mut Session, newcomer: &Newcomer) -> Result<(), Close> {
        session.attach(newcomer.acknowledge).map_err(Close::new)?;
        self.epoch = newcomer.epoch;
        self.carrier = Some(newcomer.carrier);
        self.poll = 0;
        self.send = 0;
        self.awaited = 0;
        self.held.clear();
        self.heard(now);
        Ok(())
    }

    /// The client has spoken on the carrier of that epoch. If it was only welcomed, the client has
    /// got that, and it serves the session from now on.
    fn spoken(&mut self, now: Time, session: &mut Session, epoch: u64) -> Result<(), Close> {
        if let Some(newcomer) = self.newcomer.take_if(|it| it.epoch == epoch) {
            if self
                .identity
                .is_some_and(|identity| identity.expires <= now)
            {
                return Err(Close::new(CloseReason::IdentityExpired));
            }
            self.seat(now, session, &newcomer)?;
        }
        Ok(())
    }

    /// The carrier of that epoch is gone: it does not serve the session any more. Returns whether it
    /// did.
    pub fn detach(&mut self, session: &mut Session, epoch: u64) -> bool {
        self.newcomer.take_if(|it| it.epoch == epoch);
        let is_current = self.is_current(epoch);
        if is_current {
            self.carrier = None;
            session.detach();
        }
        is_current
    }

    /// Bytes came that are no frame: a ping of the WebSocket itself, say.
    pub fn handle_bytes(&mut self, now: Time, epoch: u64) {
        if self.is_current(epoch) {
            self.heard(now);
        }
    }

    /// Takes in a frame from the carrier of that epoch.
    ///
    /// # Errors
    /// If the carrier no longer serves the session, or the frame breaks the protocol.
    pub fn handle_frame(
        &mut self,
        now: Time,
        session: &mut Session,
        mappings: &Mappings,
        epoch: u64,
        frame: Frame,
    ) -> Result<Heard, Close> {
        if session.is_ended() {
            return Err(Close::new(CloseReason::UnknownSession));
        }
        self.spoken(now, session, epoch)?;
        if !self.is_current(epoch) {
            return Err(self.farewell(epoch));
        }
        self.heard(now);
        match frame {
            Frame::Data(data) => {
                self.handle_data(now, session, data)?;
                Ok(Heard::Nothing)
            }
            Frame::Ping(number) => {
                session.handle_ping(number);
                Ok(Heard::Nothing)
            }
            // It has come, and that is all that it is for.
            Frame::Pong(_) => Ok(Heard::Nothing),
            Frame::Tables(tables) if self.wants_tables => {
                if let Some(offers) = &self.offers {
                    let mapping = mappings
                        .with_tables(offers, &tables, session.codec())
                        .ok_or_else(|| Close::new(CloseReason::Malformed))?;
                    map(session, mapping);
                    self.offers = None;
                }
                Ok(Heard::Nothing)
            }
            Frame::Close(close) => Ok(match close.reason {
                reason if reason == CloseReason::Goodbye || reason.is_violation() => {
                    Heard::Ends(reason)
                }
                _ => Heard::Leaves,
            }),
            Frame::Hello(_)
            | Frame::Welcome(_)
            | Frame::Refused(_)
            | Frame::Tables(_)
            | Frame::Request(_)
            | Frame::Expires(_) => Err(Close::new(CloseReason::Unexpected)),
            Frame::Authenticate(shown) => {
                self.shown = Some(shown);
                Ok(Heard::Authenticates)
            }
        }
    }

    fn confirm(&mut self, session: &mut Session) {
        self.confirmed = true;
        session.set_confirmed(true);
    }

    // ---- who the client is ----

    /// Whether the client has shown who it is, and the application has not been asked about that.
    #[must_use]
    pub fn has_shown(&self) -> bool {
        self.shown.is_some()
    }

    /// What the client has shown last of who it is, if the application has not been asked about that.
    pub fn take_shown(&mut self) -> Option<Authenticate> {
        self.shown.take()
    }

    /// The application has found out who the client is. `expires` says until when that is good;
    /// `None`: for as long as the session lasts. The client is warned a minute ahead, or when half of
    /// the time is left if that is less; and again whenever half of what is left has passed, but for
    /// the last second.
    pub fn authenticated(&mut self, now: Time, session: &mut Session, expires: Option<Time>) {
        // A warning that waits speaks of the one before.
        session.warn_of_expiry(None);
        self.identity = expires.map(|expires| Lease {
            expires,
            warns: Some(expires - WARNING.min((expires - now) / 2)),
        });
    }

    /// Whether the client's identity expires some day.
    #[must_use]
    pub fn has_lease(&self) -> bool {
        self.identity.is_some()
    }

    /// The client's identity is no longer good: no carrier serves the session until the client has
    /// said hello again. Returns whether one did.
    pub fn expire_identity(&mut self, session: &mut Session) -> bool {
        self.identity = None;
        self.vacated = CloseReason::IdentityExpired;
        let was_served = self.detach(session, self.epoch);
        // One that was welcomed meanwhile leaves as well, and is told the reason.
        self.epoch = self.newest();
        self.newcomer = None;
        was_served
    }

    fn handle_data(&mut self, now: Time, session: &mut Session, data: Data) -> Result<(), Close> {
        // Tables go ahead of all events: without them nobody knows what these are.
        if self.offers.is_some() && !data.items.is_empty() {
            return Err(Close::new(CloseReason::Unexpected));
        }
        self.confirm(session);
        session.handle_data(now, data).map_err(Close::new)
    }

    // ---- polls ----

    /// Takes in the head of a request. Its frames follow by [`handle_frame`](Self::handle_frame).
    ///
    /// # Errors
    /// If the poll carrier no longer serves the session, or never did.
    pub fn handle_request(
        &mut self,
        now: Time,
        session: &mut Session,
        request: &Request,
    ) -> Result<Turn, Close> {
        if session.is_ended() {
            return Err(Close::new(CloseReason::UnknownSession));
        }
        if request.epoch > self.greeted {
            return Err(Close::new(CloseReason::Unexpected));
        }
        self.spoken(now, session, request.epoch)?;
        if request.epoch != self.epoch {
            return Err(self.replaced());
        }
        match self.carrier {
            Some(Carrier::Poll) => {}
            // Its client has to say hello again.
            None => return Err(Close::new(self.vacated)),
            Some(Carrier::WebSocket) => return Err(Close::new(CloseReason::Unexpected)),
        }
        self.heard(now);
        // Only a client that has read its welcome knows the secret.
        self.confirm(session);
        if !request.hold {
            return Ok(self.handle_send(session, request.number));
        }
        Ok(self.handle_poll(session, request))
    }

    fn handle_poll(&mut self, session: &mut Session, request: &Request) -> Turn {
        let number = request.number;
        if number <= self.poll {
            if number >= self.awaited {
                // Of two answers to a poll that came twice the client takes one, and nobody knows
                // which. What the other brought is brought again, and this one brings nothing.
                self.answered(request.epoch, number);
                session.rewind();
                session.acknowledge_anew();
            }
            return Turn::Late;
        }
        self.poll = number;
        self.brief = request.brief;
        self.awaited = number.saturating_sub(request.beside.into()).max(1);
        if request.beside == 0 && !mutated!("trust-responses") {
            // The client awaits nothing else and says in this poll what it has: whatever it has not
            // was lost on the way.
            session.rewind();
        }
        let awaited = self.awaited;
        self.held.retain(|held| *held >= awaited);
        self.held.push_back(number);
        Turn::Hold
    }

    /// Of two answers to a request that came twice the client takes one, and nobody knows which. What
    /// the other acknowledged would be lost: it is told again by a poll.
    fn handle_send(&mut self, session: &mut Session, number: u64) -> Turn {
        if number <= self.send {
            session.acknowledge_anew();
            return Turn::Late;
        }
        self.send = number;
        Turn::Send
    }

    /// Where a poll of the carrier of that epoch stands now.
    pub fn place(&self, epoch: u64, number: u64) -> Place {
        match self.held.iter().position(|held| *held == number) {
            Some(0) if self.is_current(epoch) => Place::First,
            Some(_) if self.is_current(epoch) => Place::Behind,
            _ => Place::Over,
        }
    }

    /// How long that poll is held at most, counted from when it came.
    #[must_use]
    pub fn hold(&self, number: u64, limits: &Limits) -> Duration {
        if number != self.poll {
            limits.poll_hold.min(SPARE)
        } else if self.brief {
            Duration::ZERO
        } else {
            limits.poll_hold
        }
    }

    /// That poll has been answered, or nobody waits for its answer any more. Returns whether another
    /// one is [first](Place::First) now.
    pub fn answered(&mut self, epoch: u64, number: u64) -> bool {
        let was_first = self.place(epoch, number) == Place::First;
        if epoch == self.epoch {
            self.held.retain(|held| *held != number);
        }
        was_first && !self.held.is_empty()
    }

    // ---- time ----

    fn heard(&mut self, now: Time) {
        self.last_received = now;
        self.pinged = false;
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do next.
    #[must_use]
    pub fn poll_timeout(&self, session: &Session) -> Time {
        let own = self.due(session.limits()).0;
        session
            .poll_deadline()
            .map_or(own, |deadline| deadline.min(own))
    }

    /// Lets pass what the time has come for, in the session too. Again until it returns `None`.
    pub fn handle_timeout(&mut self, now: Time, session: &mut Session) -> Option<Due> {
        session.handle_timeout(now);
        let (at, due) = self.due(session.limits());
        if at > now {
            return None;
        }
        match due {
            Due::Expired => {}
            Due::Silent => {
                self.vacated = CloseReason::Silent;
                let _ = self.detach(session, self.epoch);
            }
            Due::Warning => {
                if let Some(identity) = &mut self.identity {
                    identity.warn(now);
                    session.warn_of_expiry(Some(identity.expires));
                }
            }
            Due::IdentityExpired => {
                let _ = self.expire_identity(session);
            }
            Due::Ping => {
                self.pinged = true;
                session.ping();
            }
        }
        Some(due)
    }

    fn due(&self, limits: &Limits) -> (Time, Due) {
        let of_carrier = self.carrier_due(limits);
        let identity = self.identity.filter(|_| self.carrier.is_some());
        let of_identity = identity.map(|identity| match identity.warns {
            Some(at) => (at, Due::Warning),
            None => (identity.expires, Due::IdentityExpired),
        });
        of_identity
            .filter(|(at, _)| *at < of_carrier.0 && !mutated!("outlive-identity"))
            .unwrap_or(of_carrier)
    }

    fn carrier_due(&self, limits: &Limits) -> (Time, Due) {
        let since = self.last_received;
        match self.carrier {
            // An unconfirmed session is not worth a longer wait than its handshake was.
            _ if !self.confirmed => (self.began + limits.handshake, Due::Expired),
            None if mutated!("never-expire") => (since + limits.window * 100, Due::Expired),
            None => (since + limits.window, Due::Expired),
            Some(Carrier::WebSocket)
                if !self.pinged
                    && limits.ping_after < limits.silence
                    && !mutated!("never-ping") =>
            {
                (since + limits.ping_after, Due::Ping)
            }
            Some(_) => (since + limits.silence, Due::Silent),
        }
    }
}

/// From now on the session knows what its client takes.
fn map(session: &mut Session, mapping: Arc<Mapping>) {
    let not_taken = session.map(mapping).len();
    if not_taken > 0 {
        tracing::debug!(
            events = not_taken,
            "events are not sent: the client does not know them, or in another form"
        );
    }
}
