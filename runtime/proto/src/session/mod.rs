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

mod calls;
mod in_order;
mod inbox;
mod outbox;
mod unconfirmed;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

pub use calls::{CallFailure, CallId, CallResult};
pub use outbox::Refusal;
pub use unconfirmed::{Unconfirmed, UnconfirmedEvent};

use crate::codec::Codec;
use crate::contract::{Contract, Fit, Inbound, Mapping};
use crate::frame::{Acknowledge, Data, Failure, Item, Outcome};
use crate::wire::DataWriter;
use crate::{CloseReason, Limits, Time};
use calls::Calls;
use inbox::Inbox;
use outbox::Outbox;

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
        /// The call's number.
        call: u64,
        /// What came.
        arrival: Arrival,
    },
    /// A call that came in is no longer wanted: the caller gave up, or its deadline has passed.
    Cancelled {
        /// The call's number.
        call: u64,
    },
    /// A call that this side made has ended; [`Session::take_result`] has the result.
    Completed(CallId),
    /// There is room in the outbox again, after a send was refused for want of it.
    Room,
}

/// What has become of a call: see [`Session::call_or_wait`].
#[derive(Debug)]
pub enum Started {
    /// It is on its way.
    Sent(CallId),
    /// It waits for room; [`Event::Room`] tells when to [try again](Session::call_with_room).
    Waits(CallId, Outgoing),
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

/// What a session has counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Volatile events that were not sent.
    pub dropped_volatile: u64,
    /// Events from the other side that this side does not know, or knows in another form.
    pub skewed_in: u64,
    /// Events that were not sent since the other side does not know them, or in another form.
    pub skewed_out: u64,
    /// Events and calls that were accepted before the other side said how large they may be, and
    /// that were not sent since they are larger.
    pub too_large: u64,
    /// Events that were refused since the outbox was full. A server ends the session then.
    pub refused_full: u64,
}

/// One side of a session.
pub struct Session {
    limits: Arc<Limits>,
    contract: Arc<Contract>,
    mapping: Option<Arc<Mapping>>,
    codec: Codec,
    attached: bool,
    ended: bool,
    ping: bool,
    /// Someone was refused for want of room and waits for [`Event::Room`].
    wants_room: bool,
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
            ping: false,
            wants_room: false,
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

    /// Items that wait to be sent or acknowledged.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.outbox.len()
    }

    /// Calls that this side has made and that have not ended.
    #[must_use]
    pub fn calls_in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Whether a call that came in is still wanted.
    #[must_use]
    pub fn is_running(&self, call: u64) -> bool {
        self.inbox.is_running(call)
    }

    /// Handlers that run for the other side.
    #[must_use]
    pub fn handlers_running(&self) -> usize {
        self.inbox.running()
    }

    // ---- what a program does ----

    /// Accepts an event for sending.
    ///
    /// # Errors
    /// If there is no room, or the event does not fit the other side or the limits.
    pub fn send(&mut self, now: Time, event: Outgoing) -> Result<(), Refusal> {
        match self.admit(&event) {
            Ok(()) => {}
            Err(refusal @ (Refusal::Unsupported | Refusal::Incompatible)) => {
                self.counts.skewed_out += 1;
                return Err(refusal);
            }
            Err(refusal) => {
                self.counts.refused_full += u64::from(refusal == Refusal::Full);
                return Err(refusal);
            }
        }
        let backed_up = !self.is_open()
            || self.outbox.is_behind()
            || self.outbox.waiting_bytes() >= self.limits.frame_size
            || self.outbox.is_out_of_credit();
        if event.delivery == Delivery::Volatile && backed_up {
            self.counts.dropped_volatile += 1;
            return Ok(());
        }
        self.outbox.push_event(now, event);
        Ok(())
    }

    /// Accepts a call, to be answered by `deadline`.
    ///
    /// # Errors
    /// If there is no room, or the call does not fit the other side or the limits.
    pub fn call(&mut self, now: Time, event: Outgoing, deadline: Time) -> Result<CallId, Refusal> {
        self.admit(&event)?;
        let stamp = self.outbox.next_stamp();
        let call = self.calls.insert(deadline, stamp);
        self.outbox.push_call(now, event.event, event.payload, call);
        Ok(call)
    }

    /// As [`call`](Self::call), but a call for which there is no room waits for it.
    ///
    /// # Errors
    /// If the call does not fit the other side or the limits.
    pub fn call_or_wait(
        &mut self,
        now: Time,
        event: Outgoing,
        deadline: Time,
    ) -> Result<Started, Refusal> {
        match self.admit(&event) {
            Ok(()) => {}
            Err(Refusal::Full) => {
                return Ok(Started::Waits(self.wait_for_room(deadline), event));
            }
            Err(refusal) => return Err(refusal),
        }
        let stamp = self.outbox.next_stamp();
        let call = self.calls.insert(deadline, stamp);
        self.outbox.push_call(now, event.event, event.payload, call);
        Ok(Started::Sent(call))
    }

    /// Notes a call that waits for room until `deadline`; [`Event::Room`] tells when to try again.
    pub fn wait_for_room(&mut self, deadline: Time) -> CallId {
        self.wants_room = true;
        self.calls.insert_without_entry(deadline)
    }

    /// Puts a call that waited for room into the outbox.
    ///
    /// # Errors
    /// As [`call`](Self::call); the call goes on waiting.
    pub fn call_with_room(
        &mut self,
        now: Time,
        event: Outgoing,
        call: CallId,
    ) -> Result<(), Refusal> {
        if let Err(refusal) = self.admit(&event) {
            self.wants_room |= refusal == Refusal::Full;
            return Err(refusal);
        }
        self.calls.give_entry(call, self.outbox.next_stamp());
        self.outbox.push_call(now, event.event, event.payload, call);
        Ok(())
    }

    /// The result of a call that has ended. The call is forgotten then.
    pub fn take_result(&mut self, call: CallId) -> Option<CallResult> {
        self.calls.take_result(call)
    }

    /// Forgets a call: if it has not been cut into a frame it is never sent, otherwise the other
    /// side is told to stop.
    pub fn cancel(&mut self, now: Time, call: CallId) {
        match self.calls.forget(call) {
            calls::Place::Nowhere => {}
            calls::Place::Waiting(stamp) => self.outbox.remove_waiting(stamp),
            calls::Place::Sent(number) => {
                self.outbox.give_up(number);
                if !self.ended {
                    self.outbox.push_cancel(now, number);
                }
            }
        }
    }

    /// Answers a call that came in. Without effect if the call is no longer wanted.
    pub fn reply(&mut self, now: Time, call: u64, outcome: Outcome) {
        if !self.inbox.finish_call(call) || self.ended {
            return;
        }
        let outcome = match outcome {
            Outcome::Reply(payload) | Outcome::Rejected(payload)
                if payload.len() > self.limits.max_message =>
            {
                Outcome::Failed(Failure::TooLarge)
            }
            outcome => outcome,
        };
        self.outbox.push_reply(now, call, outcome);
    }

    /// Says that the handler of an event has finished.
    pub fn finished(&mut self) {
        self.inbox.finish_event();
    }

    /// Asks the other side for a sign of life with the next frame.
    pub fn ping(&mut self) {
        self.ping = true;
    }

    // ---- what a carrier does ----

    /// A carrier serves the session from now on. `acknowledge` is what the other side says it has
    /// received; all after it is sent again.
    ///
    /// # Errors
    /// If items are acknowledged that were never sent.
    pub fn attach(&mut self, now: Time, acknowledge: Acknowledge) -> Result<(), CloseReason> {
        self.acknowledged(now, acknowledge)?;
        // What was meant for the carrier before, and waited for its next poll, say, is out of date.
        self.counts.dropped_volatile += self.outbox.drop_volatile();
        self.attached = true;
        self.rewind();
        self.inbox.acknowledge_now();
        Ok(())
    }

    /// No carrier serves the session any more.
    pub fn detach(&mut self) {
        self.attached = false;
        self.ping = false;
        self.counts.dropped_volatile += self.outbox.drop_volatile();
    }

    /// What was sent and not acknowledged is sent again.
    pub fn rewind(&mut self) {
        self.outbox.rewind();
    }

    /// Tells the other side again what was received and how far it may go: it may have missed it.
    pub fn acknowledge_anew(&mut self) {
        self.inbox.acknowledge_now();
    }

    /// Knows now how the other side's numbers map to the own ones.
    pub fn map(&mut self, mapping: Arc<Mapping>) {
        for refused in self.outbox.sweep(|event| mapping.outbound(event)) {
            self.counts.skewed_out += 1;
            if let Some((call, fit)) = refused {
                let failure = if fit == Fit::Incompatible {
                    Failure::Incompatible
                } else {
                    Failure::Unsupported
                };
                self.complete(call, Err(CallFailure::Failed(failure)));
            }
        }
        self.mapping = Some(mapping);
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
            .acknowledge(now, self.outbox.is_full(&self.limits))
    }

    /// Takes in a data frame.
    ///
    /// # Errors
    /// If the frame breaks the protocol; the session must then be [ended](Self::end).
    pub fn handle_data(&mut self, now: Time, data: Data) -> Result<(), CloseReason> {
        if let Some(acknowledge) = data.acknowledge {
            self.acknowledged(now, acknowledge)?;
        }
        if data.ping {
            self.inbox.acknowledge_now();
        }
        if data.items.is_empty() {
            return Ok(());
        }
        let mut number = data.first;
        if number == 0 || number > self.inbox.received() + 1 {
            return Err(CloseReason::Gap);
        }
        for item in data.items {
            let count = if let Item::Skip { count } = item {
                count
            } else {
                1
            };
            let next = number.checked_add(count).ok_or(CloseReason::Malformed)?;
            let new = next.saturating_sub(self.inbox.received() + 1).min(count);
            if new > 0 {
                self.receive(now, number, new, item)?;
            }
            number = next;
        }
        self.inbox.arrived(now);
        Ok(())
    }

    fn receive(&mut self, now: Time, number: u64, new: u64, item: Item) -> Result<(), CloseReason> {
        self.inbox.advance(new, &item)?;
        match item {
            Item::Skip { .. } => self.inbox.skipped(new),
            Item::Event { event, payload } => match self.inbound(event) {
                Inbound::Event {
                    number: event,
                    exact,
                } => {
                    self.events.push_back(Event::Event(Arrival {
                        event,
                        payload,
                        exact,
                    }));
                }
                Inbound::Unsupported | Inbound::Incompatible => {
                    self.counts.skewed_in += 1;
                    self.inbox.skipped(1);
                }
            },
            Item::Call {
                event,
                remaining,
                payload,
            } => {
                let failure = match self.inbound(event) {
                    Inbound::Event {
                        number: event,
                        exact,
                    } => {
                        self.inbox.start_call(number, now + remaining);
                        let arrival = Arrival {
                            event,
                            payload,
                            exact,
                        };
                        self.events.push_back(Event::Call {
                            call: number,
                            arrival,
                        });
                        return Ok(());
                    }
                    Inbound::Unsupported => Failure::Unsupported,
                    Inbound::Incompatible => Failure::Incompatible,
                };
                self.counts.skewed_in += 1;
                self.inbox.skipped(1);
                self.outbox
                    .push_reply(now, number, Outcome::Failed(failure));
            }
            Item::Reply { call, outcome } => match self.calls.of_number(call) {
                Some(id) => {
                    self.outbox.give_up(call);
                    self.complete(id, calls::result_of(outcome));
                }
                // A late reply to a call that was given up is no fault; one to a call that was
                // never made is.
                None if call == 0 || call > self.outbox.last_number() => {
                    return Err(CloseReason::UnknownCall);
                }
                None => {}
            },
            Item::Cancel { call } => {
                if self.inbox.finish_call(call) {
                    self.events.push_back(Event::Cancelled { call });
                }
            }
        }
        Ok(())
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
    /// and is larger than these allow is not sent: the other side would end the session for it.
    pub fn set_limits(&mut self, limits: Arc<Limits>) {
        for call in self.outbox.sweep_larger(limits.max_message) {
            self.counts.too_large += 1;
            if let Some(call) = call {
                self.complete(call, Err(CallFailure::TooLarge));
            }
        }
        self.limits = limits;
    }

    fn close(&mut self) -> Unconfirmed {
        for call in self.inbox.running_calls() {
            self.events.push_back(Event::Cancelled { call });
        }
        self.wants_room = false;
        for (call, place) in self.calls.in_flight() {
            let maybe_executed = matches!(place, calls::Place::Sent(_));
            self.complete(call, Err(CallFailure::Disconnected { maybe_executed }));
        }
        Unconfirmed {
            events: self.outbox.unconfirmed(),
        }
    }

    // ---- what time does ----

    /// Lets pass what the time has come for.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((call, place)) = self.calls.expired(now) {
            let failure = match place {
                calls::Place::Nowhere => CallFailure::Full,
                calls::Place::Waiting(stamp) => {
                    self.outbox.remove_waiting(stamp);
                    CallFailure::TimedOut {
                        maybe_executed: false,
                    }
                }
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
        } else if self.ping || self.gives_credit() {
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
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front().or_else(|| self.room())
    }

    /// Room may come of anything: an acknowledgement, a call that was cancelled or has expired.
    fn room(&mut self) -> Option<Event> {
        let comes = self.wants_room && !self.outbox.is_full(&self.limits);
        self.wants_room &= !comes;
        comes.then_some(Event::Room)
    }

    /// Whether [`poll_data`](Self::poll_data) has something to say at `now`.
    #[must_use]
    pub fn has_data(&self, now: Time) -> bool {
        self.is_open()
            && (self.ping
                || self.gives_credit()
                || self.inbox.must_acknowledge(now)
                || self.outbox.is_ready(now, &self.limits))
    }

    /// The next data frame for the carrier, encoded; `None` if nothing waits, or what waits may
    /// still wait.
    ///
    /// Acknowledgements ride along.
    pub fn poll_data(&mut self, now: Time) -> Option<Vec<u8>> {
        if !self.has_data(now) {
            return None;
        }
        let full = self.outbox.is_full(&self.limits);
        let acknowledge = self
            .inbox
            .wants_acknowledge()
            .then(|| self.inbox.acknowledge(now, full));
        let mut writer = DataWriter::new(
            self.codec,
            std::mem::take(&mut self.ping),
            acknowledge,
            self.outbox.cursor_number(),
            Vec::with_capacity(self.outbox.next_frame(self.limits.frame_size)),
        );
        let calls = &mut self.calls;
        self.outbox
            .cut(now, self.limits.frame_size, &mut writer, |call, number| {
                calls.sent(call, number)
            });
        Some(writer.finish())
    }

    /// Whether frames may be cut: a carrier is there, and both sides know each other's numbers.
    fn is_open(&self) -> bool {
        self.attached && self.mapping.is_some()
    }

    fn acknowledged(&mut self, now: Time, acknowledge: Acknowledge) -> Result<(), CloseReason> {
        if acknowledge.received > self.outbox.last_number() {
            return Err(CloseReason::AcknowledgedUnsent);
        }
        self.outbox.acknowledged(now, acknowledge);
        Ok(())
    }

    /// Whether the other side is short of credit and can have more. This too may come of anything:
    /// a handler that has finished, was cancelled or has expired, or room in the outbox.
    fn gives_credit(&self) -> bool {
        self.inbox.credit_is_low() && !self.outbox.is_full(&self.limits)
    }

    fn admit(&mut self, event: &Outgoing) -> Result<(), Refusal> {
        if self.ended {
            return Err(Refusal::Ended);
        }
        if let Some(mapping) = &self.mapping {
            match mapping.outbound(event.event) {
                Fit::Exact | Fit::Padded => {}
                Fit::Unsupported => return Err(Refusal::Unsupported),
                Fit::Incompatible => return Err(Refusal::Incompatible),
            }
        }
        if event.payload.len() > self.limits.max_message {
            return Err(Refusal::TooLarge {
                size: event.payload.len(),
                limit: self.limits.max_message,
            });
        }
        if event.delivery != Delivery::Volatile && self.outbox.is_full(&self.limits) {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    fn inbound(&self, event: u32) -> Inbound {
        self.mapping
            .as_ref()
            .map_or(Inbound::Unsupported, |mapping| mapping.inbound(event))
    }

    fn complete(&mut self, call: CallId, result: CallResult) {
        if self.calls.complete(call, result) {
            self.events.push_back(Event::Completed(call));
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
