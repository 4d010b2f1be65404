//! What a program does with a session: events and calls go in, and handlers come to their end.

use super::{CallId, CallResult, Delivery, Outgoing, Refusal, Session, Started, calls};
use crate::Time;
use crate::contract::Fit;
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

    /// Notes a call that waits for room until `deadline`; [`Event::Room`](super::Event::Room) tells when to try again.
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
                if !self.ended && !mutated!("forget-cancel") {
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

    fn admit(&mut self, event: &Outgoing) -> Result<(), Refusal> {
        if self.ended {
            return Err(Refusal::Ended);
        }
        if self.unconfirmed {
            return Err(Refusal::Unconfirmed);
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
        let is_full = self.outbox.is_full(&self.limits) && !mutated!("overfill-outbox");
        if event.delivery != Delivery::Volatile && is_full {
            return Err(Refusal::Full);
        }
        Ok(())
    }
}
