//! The session: numbers, acknowledgements, replay, credit and calls, the same on both sides.
//!
//! A [`Session`] knows neither sockets nor clocks. Its methods are of four kinds:
//!
//! * what a program does: [`send`](Session::send), [`call`](Session::call),
//!   [`cancel`](Session::cancel), [`reply`](Session::reply), [`finished`](Session::finished);
//! * what a carrier does: [`attach`](Session::attach), [`detach`](Session::detach),
//!   [`rewind`](Session::rewind), [`handle_data`](Session::handle_data);
//! * what time does: [`handle_timeout`](Session::handle_timeout);
//! * what comes of it: [`poll_event`](Session::poll_event) until it returns `None`, then
//!   [`poll_data`](Session::poll_data) while a carrier is ready, then
//!   [`poll_timeout`](Session::poll_timeout). In this order after every one of the above.

mod backlog;
mod calls;
mod in_order;
mod inbox;
mod outbox;
mod receiving;
mod sending;
mod unconfirmed;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

pub use calls::{CallFailure, CallId, CallResult};
pub use inbox::IncomingCall;
pub use outbox::Refusal;
pub use unconfirmed::{Unconfirmed, UnconfirmedEvent};

use crate::codec::Codec;
use crate::contract::{Contract, Fit, Mapping};
use crate::frame::{Acknowledge, Frame};
use crate::wire::{self, DataWriter};
use crate::{CloseReason, Limits, Time};
use backlog::Backlog;
use calls::Calls;
use inbox::Inbox;
use outbox::Outbox;

/// An idle session keeps room for so many of a kind, whatever a busy moment needed.
const IDLE_CAPACITY: usize = 64;

/// A frame is cut before it has so many bytes: the head of its last item may be longer than it was
/// taken for, in text above all.
const LARGEST_FRAME: usize = wire::MAX_FRAME - 64;

/// How an event travels (its delivery class).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Delivery {
    /// In order, exactly once; kept until acknowledged.
    #[default]
    Reliable,
    /// Goes if a carrier is up and not backed up; else it is dropped and counted.
    Volatile,
    /// Of those not yet sent, only the newest for each key is kept.
    Latest,
}

/// An event to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its number on this side.
    pub event: u32,
    /// Its fields, encoded.
    pub payload: Bytes,
    /// Its delivery class.
    pub delivery: Delivery,
    /// With [`Delivery::Latest`]: the key fields, encoded; otherwise empty.
    pub key: Bytes,
}

/// What a session has to tell its driver.
#[derive(Debug)]
pub enum Event {
    /// An event came in. Say [`Session::finished`] when its handler has.
    Event(Arrival),
    /// A call came in. Say [`Session::reply`] when its handler has finished.
    Call {
        /// The call.
        call: IncomingCall,
        /// After that nobody waits for its reply any more.
        deadline: Time,
        /// What came.
        arrival: Arrival,
    },
    /// A call that came in is no longer wanted: the caller gave up, or its deadline has passed.
    Cancelled {
        /// The call.
        call: IncomingCall,
    },
    /// A call that this side made has ended; [`Session::take_result`] has the result.
    Completed(CallId),
    /// An event or call came in that this side does not take. It is counted, and the call answered.
    Refused {
        /// What the other side calls it, if that is known.
        name: Option<Arc<str>>,
        /// Whether this side knows it, in another form; otherwise it does not know it.
        is_known: bool,
        /// Whether it is a call.
        is_call: bool,
        /// The size of its fields, encoded, in bytes.
        size: usize,
    },
}

/// An event or call that came in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its number on this side.
    pub event: u32,
    /// Its fields, encoded.
    pub payload: Bytes,
    /// Whether both sides have the same form of it.
    pub exact: bool,
}

/// What a session has counted since it began, or since the first of those began that follow each other
/// in its place.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Volatile events that were not sent.
    pub dropped_volatile: u64,
    /// Events and calls from the other side that this side does not know, or knows in another form.
    pub skewed_in: u64,
    /// Events and calls that were not sent since the other side does not know them, or in another
    /// form, or since the codec cannot carry them.
    pub skewed_out: u64,
    /// Events and calls that were accepted before the other side said how large they may be, and
    /// that were not sent since they are larger.
    pub too_large: u64,
    /// Events that were refused since the outbox was full. A server ends the session then.
    pub refused_full: u64,
    /// Replies that were not sent since they were larger than a message may be, or since more waited
    /// than may. Their calls have failed.
    pub refused_replies: u64,
}

impl Counts {
    /// Something was not sent since the other side does not take it.
    fn note(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::TooLarge { .. } => self.too_large += 1,
            _ => self.skewed_out += 1,
        }
    }
}

/// One side of a session.
pub struct Session {
    limits: Arc<Limits>,
    contract: Arc<Contract>,
    mapping: Option<Arc<Mapping>>,
    codec: Codec,
    attached: bool,
    ended: bool,
    /// The other side has not shown yet that it knows the session.
    unconfirmed: bool,
    /// How often this side has asked for a sign of life, and whether it is to ask once more.
    pings: u64,
    ping: bool,
    /// The number of the other side's newest ping, until it is answered.
    pong: Option<u64>,
    /// When the client's identity expires, if it is to be told of that.
    warns: Option<Time>,
    backlog: Backlog,
    outbox: Outbox,
    inbox: Inbox,
    calls: Calls,
    events: VecDeque<Event>,
    counts: Counts,
}

impl Session {
    /// A session of which nothing has been sent yet.
    #[must_use]
    pub fn new(limits: Arc<Limits>, contract: Arc<Contract>, codec: Codec) -> Self {
        Self {
            inbox: Inbox::new(&limits),
            limits,
            contract,
            mapping: None,
            codec,
            attached: false,
            ended: false,
            unconfirmed: false,
            pings: 0,
            ping: false,
            pong: None,
            warns: None,
            backlog: Backlog::default(),
            outbox: Outbox::default(),
            calls: Calls::default(),
            events: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// The limits that this side keeps to.
    #[must_use]
    pub fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// The namespaces that this side speaks.
    #[must_use]
    pub fn contract(&self) -> &Arc<Contract> {
        &self.contract
    }

    /// The codec of all payloads.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether a carrier serves the session now.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.attached
    }

    /// Whether the session has ended for good.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Bytes of payload that wait to be sent or acknowledged.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.outbox.bytes()
    }

    /// About how much memory takes what waits to be sent or acknowledged, in bytes: more than its
    /// payloads, and the most where these are small.
    #[must_use]
    pub fn queued_memory(&self) -> usize {
        self.outbox.memory() + self.backlog.memory()
    }

    /// Items that wait to be sent or acknowledged.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.outbox.len() + self.backlog.len()
    }

    /// How many items have come and how many of this side's have been acknowledged: it grows where
    /// a carrier is of use.
    #[must_use]
    pub fn progress(&self) -> u64 {
        self.inbox.received() + self.outbox.confirmed()
    }

    /// Calls that this side has made and that have not ended.
    #[must_use]
    pub fn calls_in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Those of them that wait for room in the outbox.
    #[must_use]
    pub fn calls_waiting(&self) -> usize {
        self.backlog.len()
    }

    /// Whether it holds nothing: nothing to be sent or confirmed, no call, no news. Handlers of
    /// events may run on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outbox.is_empty()
            && self.calls.is_empty()
            && self.inbox.runs_no_call()
            && self.events.is_empty()
    }

    /// Whether a call that came in is still wanted.
    #[must_use]
    pub fn is_running(&self, call: IncomingCall) -> bool {
        self.inbox.is_running(call)
    }

    /// Handlers that run for the other side.
    #[must_use]
    pub fn handlers_running(&self) -> usize {
        self.inbox.running()
    }

    // ---- what a carrier does ----

    /// A carrier serves the session from now on. `acknowledge` is what the other side says it has
    /// received; all after it is sent again.
    ///
    /// # Errors
    /// If items are acknowledged that were never sent.
    pub fn attach(&mut self, acknowledge: Acknowledge) -> Result<(), CloseReason> {
        self.acknowledged(acknowledge)?;
        // What was meant for the carrier before, and waited for its next poll, say, is out of date.
        self.counts.dropped_volatile += self.outbox.drop_volatile();
        self.attached = true;
        if !mutated!("no-rewind-at-attach") {
            self.rewind();
        }
        self.inbox.acknowledge_now();
        Ok(())
    }

    /// No carrier serves the session any more.
    pub fn detach(&mut self) {
        self.attached = false;
        self.ping = false;
        self.pong = None;
        self.warns = None;
        self.counts.dropped_volatile += self.outbox.drop_volatile();
    }

    /// What was sent and not acknowledged is sent again.
    pub fn rewind(&mut self) {
        self.outbox.rewind();
    }

    /// A server's client is told with the next frame that its identity is good until `expires` only;
    /// `None`: it is told nothing any more.
    pub fn warn_of_expiry(&mut self, expires: Option<Time>) {
        self.warns = expires;
    }

    /// Tells the other side again what was received and how far it may go: it may have missed it.
    pub fn acknowledge_anew(&mut self) {
        self.inbox.acknowledge_now();
    }

    /// Knows now how the other side's numbers map to the own ones. What has been accepted and does not
    /// fit is not sent: calls fail, and events come back.
    #[must_use]
    pub fn map(&mut self, mapping: Arc<Mapping>) -> Vec<UnconfirmedEvent> {
        let come_back = self.sweep(&|event, _| match mapping.outbound(event) {
            Fit::Exact | Fit::Padded => None,
            Fit::Unsupported => Some(Refusal::Unsupported),
            Fit::Incompatible => Some(Refusal::Incompatible),
        });
        self.mapping = Some(mapping);
        come_back
    }

    /// How the other side's numbers map; `None` before the handshake.
    #[must_use]
    pub fn mapping(&self) -> Option<&Arc<Mapping>> {
        self.mapping.as_ref()
    }

    /// What this side has received, and how far the other may go.
    #[must_use]
    pub fn acknowledge(&mut self, now: Time) -> Acknowledge {
        self.inbox
            .acknowledge(now, self.outbox.withholds_credit(&self.limits))
    }

    /// The session ends: calls that this side made fail at once, calls that run for the other side
    /// are cancelled, and what was not confirmed comes back.
    pub fn end(&mut self) -> Unconfirmed {
        self.ended = true;
        self.detach();
        self.close()
    }

    /// The session ends and a fresh one begins in its place; what was not confirmed comes back.
    pub fn restart(&mut self) -> Unconfirmed {
        self.detach();
        let unconfirmed = self.close();
        self.inbox = Inbox::following(&self.inbox, &self.limits);
        self.outbox = Outbox::continuing(&self.outbox);
        self.mapping = None;
        self.ended = false;
        unconfirmed
    }

    /// Takes over other limits, for a client that learns the server's terms. What has been accepted
    /// and is larger than these allow is not sent, since the other side would end the session for it:
    /// calls fail, and events come back.
    #[must_use]
    pub fn set_limits(&mut self, limits: Arc<Limits>) -> Vec<UnconfirmedEvent> {
        let limit = limits.max_message;
        let come_back =
            self.sweep(&|_, size| (size > limit).then_some(Refusal::TooLarge { size, limit }));
        self.limits = limits;
        come_back
    }

    fn close(&mut self) -> Unconfirmed {
        for (number, _) in self.inbox.take_running() {
            let call = self.inbox.call(number);
            self.events.push_back(Event::Cancelled { call });
        }
        self.backlog.clear();
        for (_, call) in self.calls.in_flight() {
            let call = CallId::of(call);
            let was_sent = matches!(self.calls.place(call), calls::Place::Sent(_));
            let maybe_executed = was_sent && !mutated!("deny-execution");
            self.complete(call, Err(CallFailure::Disconnected { maybe_executed }));
        }
        let mut events = self.outbox.unconfirmed();
        if mutated!("lose-unconfirmed") {
            events.clear();
        }
        Unconfirmed { events }
    }

    // ---- what time does ----

    /// Lets pass what the time has come for.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((call, place)) = self.calls.expired(now) {
            let failure = match place {
                calls::Place::Room(turn) => {
                    self.backlog.remove(turn);
                    CallFailure::Full
                }
                calls::Place::Waiting(stamp) => {
                    self.outbox.remove_waiting(stamp);
                    CallFailure::TimedOut {
                        maybe_executed: false,
                    }
                }
                calls::Place::Nowhere => CallFailure::TimedOut {
                    maybe_executed: false,
                },
                calls::Place::Sent(number) => {
                    self.outbox.give_up(number);
                    CallFailure::TimedOut {
                        maybe_executed: true,
                    }
                }
            };
            self.complete(call, Err(failure));
        }
        while let Some(call) = self.inbox.expired(now) {
            self.events.push_back(Event::Cancelled { call });
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) or [`poll_data`](Self::poll_data) has something
    /// to do next.
    ///
    /// While the carrier takes no more, [`poll_deadline`](Self::poll_deadline) counts instead.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let data = if !self.is_open() {
            None
        } else if self.has_ahead() || self.gives_credit() {
            Some(Time::default())
        } else {
            [self.inbox.due(), self.outbox.due(&self.limits)]
                .into_iter()
                .flatten()
                .min()
        };
        [data, self.poll_deadline()].into_iter().flatten().min()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do next: the first deadline of
    /// a call, made or running.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Time> {
        [self.calls.next_deadline(), self.inbox.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    // ---- what comes of it ----

    /// What has happened, in order.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        if self.backlog.len() > 0 {
            self.use_room();
        }
        if self.events.is_empty() {
            self.spare_events();
        }
        self.events.pop_front()
    }

    /// Gives back what a busy moment needed.
    fn spare_events(&mut self) {
        if self.events.capacity() > IDLE_CAPACITY {
            self.events = VecDeque::new();
        }
    }

    /// Whether [`poll_data`](Self::poll_data) has something to say at `now`.
    #[must_use]
    pub fn has_data(&self, now: Time) -> bool {
        self.is_open()
            && (self.has_ahead()
                || self.gives_credit()
                || self.inbox.must_acknowledge(now)
                || self.outbox.is_ready(now, &self.limits))
    }

    /// The next frame for the carrier, encoded; `None` if nothing waits, or what waits may still wait.
    ///
    /// All but pings, pongs and warnings is data, with which acknowledgements ride along.
    pub fn poll_data(&mut self, now: Time) -> Option<Vec<u8>> {
        if !self.has_data(now) {
            return None;
        }
        if self.has_ahead()
            && let Some(frame) = self.ahead(now)
        {
            let mut encoded = Vec::new();
            wire::encode_no_answer(self.codec, &frame, &mut encoded);
            return Some(encoded);
        }
        let wants_acknowledge = self.inbox.wants_acknowledge();
        let acknowledge = wants_acknowledge.then(|| self.acknowledge(now));
        let frame_size = self.limits.frame_size.min(LARGEST_FRAME);
        let mut writer = DataWriter::new(
            self.codec,
            acknowledge,
            self.outbox.cursor_number(),
            Vec::with_capacity(self.outbox.next_frame(frame_size)),
        );
        let calls = &mut self.calls;
        self.outbox
            .cut(now, frame_size, &mut writer, |call, number| {
                calls.sent(now, call, number)
            });
        Some(writer.finish())
    }

    /// Whether frames may be cut: a carrier is there, and both sides know each other's numbers.
    fn is_open(&self) -> bool {
        self.attached && self.mapping.is_some()
    }

    /// Whether there is what goes ahead of all data.
    fn has_ahead(&self) -> bool {
        self.ping || self.pong.is_some() || self.warns.is_some()
    }

    fn ahead(&mut self, now: Time) -> Option<Frame> {
        if let Some(number) = self.pong.take() {
            return Some(Frame::Pong(number));
        }
        if std::mem::take(&mut self.ping) {
            return Some(Frame::Ping(self.pings));
        }
        let expires = self.warns.take()?;
        Some(Frame::Expires(expires - now))
    }

    fn acknowledged(&mut self, acknowledge: Acknowledge) -> Result<(), CloseReason> {
        if acknowledge.received > self.outbox.last_number() {
            return Err(CloseReason::AcknowledgedUnsent);
        }
        self.outbox.acknowledged(acknowledge);
        Ok(())
    }

    /// Whether the other side is short of credit and can have more. This too may come of anything:
    /// a handler that has finished, was cancelled or has expired, or replies that have gone.
    fn gives_credit(&self) -> bool {
        self.inbox.credit_is_low() && !self.outbox.withholds_credit(&self.limits)
    }

    fn complete(&mut self, call: CallId, result: CallResult) {
        if self.calls.complete(call, result) {
            self.events.push_back(Event::Completed(call));
        }
    }
}

/// Keeps in a queue what is wanted. By steps that are taken elsewhere too: less code than `retain`.
fn keep<T>(queue: &mut VecDeque<T>, is_wanted: impl Fn(&T) -> bool) {
    for _ in 0..queue.len() {
        if let Some(item) = queue.pop_front()
            && is_wanted(&item)
        {
            queue.push_back(item);
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("attached", &self.attached)
            .field("ended", &self.ended)
            .field("received", &self.inbox.received())
            .field("queued", &self.outbox.len())
            .field("calls", &self.calls.len())
            .finish_non_exhaustive()
    }
}
