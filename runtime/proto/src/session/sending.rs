//! What a program does with a session: events and calls go in, and handlers come to their end.

use std::sync::Arc;

use super::backlog::Waits;
use super::calls::Place;
use super::outbox::Swept;
use super::{
    CallFailure, CallId, CallResult, Delivery, IncomingCall, Outgoing, Refusal, Session,
    UnconfirmedEvent,
};
use crate::Time;
use crate::contract::{Fit, Mapping};
use crate::frame::{Failure, Outcome};

impl Session {
    /// Whether the other side knows the session. Nothing is accepted for it while it does not.
    pub(crate) fn set_confirmed(&mut self, confirmed: bool) {
        self.unconfirmed = !confirmed;
    }

    /// Accepts an event for sending.
    ///
    /// # Errors
    /// If there is no room, or the event does not fit the other side or the limits.
    pub fn send(&mut self, now: Time, event: Outgoing) -> Result<(), Refusal> {
        if let Err(refusal) = self.admit(&event) {
            self.counts.refused_full += u64::from(refusal == Refusal::Full);
            return Err(refusal);
        }
        let backed_up = !self.is_open()
            || self.outbox.is_behind()
            || self.outbox.waiting_bytes() >= self.limits.frame_size
            || self.outbox.is_out_of_credit()
            || self.backlog.len() > 0;
        if event.delivery == Delivery::Volatile && backed_up {
            self.counts.dropped_volatile += 1;
            return Ok(());
        }
        self.outbox.push_event(now, event);
        Ok(())
    }

    /// Counts an event or call that does not fit and so was not even encoded.
    pub fn refuse_skewed(&mut self) {
        self.counts.skewed_out += 1;
    }

    /// Accepts a call, to be answered by `deadline`. If there is no room for it, it waits for some, and
    /// what comes after it waits behind it.
    ///
    /// # Errors
    /// If the call does not fit the other side or the limits, or if as many calls wait already as may.
    pub fn call(&mut self, now: Time, event: Outgoing, deadline: Time) -> Result<CallId, Refusal> {
        match self.admit(&event) {
            Ok(()) => {
                let stamp = self.outbox.next_stamp();
                let call = self.calls.insert(deadline, Place::Waiting(stamp));
                self.outbox.push_call(now, event.event, event.payload, call);
                Ok(call)
            }
            Err(Refusal::Full) if !self.backlog.is_full(&self.limits) => {
                let place = Place::Room(self.backlog.next_turn());
                let call = self.calls.insert(deadline, place);
                self.backlog.push(Waits {
                    call,
                    since: now,
                    event,
                });
                Ok(call)
            }
            Err(refusal) => {
                self.counts.refused_full += u64::from(refusal == Refusal::Full);
                Err(refusal)
            }
        }
    }

    /// Room may come of anything: an acknowledgement, a call that was cancelled or has expired.
    pub(super) fn use_room(&mut self) {
        while let Some(turn) = self.backlog.first()
            && !self.outbox.is_full(&self.limits)
            && !mutated!("forget-room")
            && let Some(Waits { call, since, event }) = self.backlog.remove(turn)
        {
            self.calls.enters(call, self.outbox.next_stamp());
            self.outbox
                .push_call(since, event.event, event.payload, call);
        }
    }

    /// Drops what has been accepted and is not to be sent, as `why` says by its event and size. Calls
    /// fail, and events come back.
    pub(super) fn sweep(
        &mut self,
        why: &dyn Fn(u32, usize) -> Option<Refusal>,
    ) -> Vec<UnconfirmedEvent> {
        let mut swept = Swept::default();
        self.outbox.sweep(why, &mut swept);
        for (turn, _) in self.backlog.turns() {
            let waits = self.backlog.get(turn);
            let refusal = waits.and_then(|it| why(it.event.event, it.event.payload.len()));
            if let Some(refusal) = refusal
                && let Some(Waits { call, .. }) = self.backlog.remove(turn)
            {
                swept.calls.push((call, refusal));
            }
        }
        for (call, refusal) in swept.calls {
            self.counts.note(refusal);
            let failure = match refusal {
                Refusal::TooLarge { .. } => CallFailure::TooLarge,
                Refusal::Incompatible => CallFailure::Failed(Failure::Incompatible),
                _ => CallFailure::Failed(Failure::Unsupported),
            };
            self.complete(call, Err(failure));
        }
        let mut come_back = Vec::new();
        for (event, refusal) in swept.events {
            self.counts.note(refusal);
            come_back.extend(UnconfirmedEvent::refused(event, refusal));
        }
        come_back
    }

    /// The result of a call that has ended. The call is forgotten then.
    pub fn take_result(&mut self, call: CallId) -> Option<CallResult> {
        self.calls.take_result(call)
    }

    /// Forgets a call: if it has not been cut into a frame it is never sent, otherwise the other
    /// side is told to stop.
    pub fn cancel(&mut self, now: Time, call: CallId) {
        match self.calls.forget(call) {
            Place::Nowhere => {}
            Place::Room(turn) => drop(self.backlog.remove(turn)),
            Place::Waiting(stamp) => self.outbox.remove_waiting(stamp),
            Place::Sent(number) => {
                self.outbox.give_up(number);
                if !self.ended && !mutated!("forget-cancel") {
                    self.outbox.push_cancel(now, number);
                }
            }
        }
    }

    /// Forgets a call and lets it go on: it becomes an event, and nobody hears of its reply. Once it
    /// has been cut into a frame the other side knows its deadline and keeps to that. Without effect
    /// on one whose time is over.
    ///
    /// # Errors
    /// If it still waits for room. It is not sent then.
    pub fn release(&mut self, now: Time, call: CallId) -> Result<(), Refusal> {
        if self.calls.is_due(now, call) {
            self.cancel(now, call);
            return Ok(());
        }
        match self.calls.forget(call) {
            Place::Nowhere => {}
            Place::Room(turn) => {
                self.backlog.remove(turn);
                return Err(Refusal::Full);
            }
            Place::Waiting(stamp) => self.outbox.release_waiting(stamp),
            Place::Sent(number) => self.outbox.release_sent(number),
        }
        Ok(())
    }

    /// Answers a call that came in. Without effect if the call is no longer wanted.
    ///
    /// A reply that is larger than a message may be fails the call, and so does one that finds twice
    /// as many bytes waiting as [`Limits::outbox_bytes`](crate::Limits::outbox_bytes).
    pub fn reply(&mut self, now: Time, call: IncomingCall, outcome: Outcome) {
        if !self.inbox.finish_call(call) || self.ended {
            return;
        }
        let outcome = match outcome {
            Outcome::Reply(payload) | Outcome::Rejected(payload)
                if !self.may_reply(payload.len()) =>
            {
                self.counts.refused_replies += 1;
                Outcome::Failed(Failure::TooLarge)
            }
            outcome => outcome,
        };
        self.outbox.push_reply(now, call.number(), outcome);
    }

    /// Replies are not sent and forgotten as events are: somebody waits for each. So they have as
    /// much room again as all else, and the call fails for whose reply there is none.
    fn may_reply(&self, size: usize) -> bool {
        let room = self.limits.outbox_bytes.saturating_mul(2);
        let has_room = self.outbox.bytes() < room || mutated!("overfill-replies");
        size <= self.limits.max_message && (size == 0 || has_room)
    }

    /// Says that the handler of an event has finished.
    pub fn finished(&mut self) {
        self.inbox.finish_event();
    }

    /// Asks the other side for a sign of life, ahead of what waits. Returns the number that its
    /// [`Pong`](crate::frame::Frame::Pong) will have.
    pub fn ping(&mut self) -> u64 {
        self.pings += 1;
        self.ping = true;
        self.pings
    }

    fn admit(&mut self, event: &Outgoing) -> Result<(), Refusal> {
        if self.ended {
            return Err(Refusal::Ended);
        }
        if self.unconfirmed {
            return Err(Refusal::Unconfirmed);
        }
        let fit = |mapping: &Arc<Mapping>| mapping.outbound(event.event);
        match self.mapping.as_ref().map(fit) {
            None | Some(Fit::Exact | Fit::Padded) => {}
            Some(Fit::Unsupported) => {
                self.refuse_skewed();
                return Err(Refusal::Unsupported);
            }
            Some(Fit::Incompatible) => {
                self.refuse_skewed();
                return Err(Refusal::Incompatible);
            }
        }
        if event.payload.len() > self.limits.max_message {
            return Err(Refusal::TooLarge {
                size: event.payload.len(),
                limit: self.limits.max_message,
            });
        }
        let is_full = self.outbox.is_full(&self.limits) && !mutated!("overfill-outbox");
        let has_room = !is_full && self.backlog.len() == 0;
        if event.delivery != Delivery::Volatile && !has_room {
            return Err(Refusal::Full);
        }
        Ok(())
    }
}
