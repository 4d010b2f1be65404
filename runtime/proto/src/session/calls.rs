//! Calls that this side has made: where each is, when it must end, and how it ended.

use bytes::Bytes;
use slab::Slab;

use super::IDLE_CAPACITY;
use super::in_order::InOrder;
use crate::Time;
use crate::frame::{Failure, Outcome};

/// A call that this side has made. Valid until its result is taken or it is cancelled.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallId(pub usize);

impl CallId {
    fn number(self) -> u64 {
        self.0 as u64
    }

    pub(super) fn of(number: u64) -> Self {
        Self(number as usize)
    }
}

/// How a call ended: the reply or the error, encoded, or what prevented both.
pub type CallResult = Result<Bytes, CallFailure>;

/// Why a call brought no reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CallFailure {
    /// The handler said no; its error, encoded.
    Rejected(Bytes),
    /// The other side could not run it, or not to its end.
    Failed(Failure),
    /// No answer by the deadline.
    TimedOut {
        /// Whether it had been cut into a frame.
        maybe_executed: bool,
    },
    /// The session ended.
    Disconnected {
        /// Whether it had been cut into a frame.
        maybe_executed: bool,
    },
    /// No room in the outbox by the deadline.
    Full,
    /// It was accepted before the other side said how large a message may be, and is larger. It was
    /// not sent.
    TooLarge,
}

pub(super) fn result_of(outcome: Outcome) -> CallResult {
    match outcome {
        Outcome::Reply(payload) => Ok(payload),
        Outcome::Rejected(payload) => Err(CallFailure::Rejected(payload)),
        Outcome::Failed(failure) => Err(CallFailure::Failed(failure)),
    }
}

/// Where a call is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// It has ended.
    Nowhere,
    /// It waits for room in the outbox, and this is its turn.
    Room(u64),
    /// In the outbox, not yet cut, under this stamp.
    Waiting(u64),
    /// Cut into a frame under this number.
    Sent(u64),
}

#[derive(Default)]
pub(super) struct Calls {
    slots: Slab<Slot>,
    /// Calls that were cut, by their numbers.
    numbers: InOrder,
    /// Calls that have not ended, by their deadlines.
    deadlines: InOrder,
}

struct Slot {
    deadline: Time,
    place: Place,
    result: Option<CallResult>,
}

impl Calls {
    /// How many have not ended.
    pub(super) fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// Whether none is left, not even one whose result is to be taken.
    pub(super) fn is_empty(&self) -> bool {
        let is_empty = self.slots.is_empty();
        debug_assert!(
            !is_empty || (self.numbers.len() == 0 && self.deadlines.len() == 0),
            "a call is gone and its number or deadline not"
        );
        is_empty
    }

    pub(super) fn insert(&mut self, deadline: Time, place: Place) -> CallId {
        let call = CallId(self.slots.insert(Slot {
            deadline,
            place,
            result: None,
        }));
        self.deadlines.insert(deadline.nanoseconds(), call.number());
        call
    }

    /// The call is in the outbox now.
    pub(super) fn enters(&mut self, call: CallId, stamp: u64) {
        if let Some(slot) = self.slots.get_mut(call.0) {
            slot.place = Place::Waiting(stamp);
        }
    }

    /// The call is to be cut under `number`, if its deadline, which is returned, has not passed.
    pub(super) fn sent(&mut self, now: Time, call: CallId, number: u64) -> Time {
        let Some(slot) = self.slots.get_mut(call.0) else {
            return Time::default();
        };
        if slot.deadline > now && slot.place != Place::Sent(number) {
            slot.place = Place::Sent(number);
            self.numbers.insert(number, call.number());
        }
        slot.deadline
    }

    pub(super) fn of_number(&self, number: u64) -> Option<CallId> {
        self.numbers.get(number).map(CallId::of)
    }

    /// Ends a call. Returns whether it had not ended before.
    pub(super) fn complete(&mut self, call: CallId, result: CallResult) -> bool {
        let Some(slot) = self
            .slots
            .get_mut(call.0)
            .filter(|slot| slot.result.is_none())
        else {
            return false;
        };
        slot.result = Some(result);
        self.deadlines
            .remove(slot.deadline.nanoseconds(), call.number());
        if let Place::Sent(number) = std::mem::replace(&mut slot.place, Place::Nowhere) {
            self.numbers.remove(number, call.number());
        }
        true
    }

    pub(super) fn take_result(&mut self, call: CallId) -> Option<CallResult> {
        self.slots.get(call.0)?.result.as_ref()?;
        self.remove(call)?.result
    }

    fn remove(&mut self, call: CallId) -> Option<Slot> {
        let slot = self.slots.try_remove(call.0);
        if self.slots.is_empty() && self.slots.capacity() > IDLE_CAPACITY {
            self.slots = Slab::new();
        }
        slot
    }

    /// Whether the deadline of a call has passed.
    pub(super) fn is_due(&self, now: Time, call: CallId) -> bool {
        let slot = self.slots.get(call.0);
        slot.is_some_and(|slot| slot.deadline <= now)
    }

    /// Removes a call, and says where it was.
    pub(super) fn forget(&mut self, call: CallId) -> Place {
        let Some(slot) = self.remove(call) else {
            return Place::Nowhere;
        };
        self.deadlines
            .remove(slot.deadline.nanoseconds(), call.number());
        if let Place::Sent(number) = slot.place {
            self.numbers.remove(number, call.number());
        }
        slot.place
    }

    /// The deadlines of the calls that have not ended, and which calls they are.
    pub(super) fn in_flight(&self) -> Vec<(u64, u64)> {
        self.deadlines.pairs()
    }

    pub(super) fn place(&self, call: CallId) -> Place {
        let slot = self.slots.get(call.0);
        slot.map_or(Place::Nowhere, |slot| slot.place)
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        let (deadline, _) = self.deadlines.first()?;
        Some(Time::from_nanoseconds(deadline))
    }

    /// A call whose deadline has passed, if any. The caller completes it.
    pub(super) fn expired(&self, now: Time) -> Option<(CallId, Place)> {
        let (deadline, call) = self.deadlines.first()?;
        let call = CallId::of(call);
        (deadline <= now.nanoseconds()).then(|| (call, self.place(call)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_calls_at_a_time_leave_little_behind() {
        let mut calls = Calls::default();
        let all: Vec<_> = (0..1_000)
            .map(|stamp| calls.insert(Time::default(), Place::Waiting(stamp)))
            .collect();
        for call in all {
            calls.complete(call, Err(CallFailure::Full));
            assert!(calls.take_result(call).is_some());
        }
        assert!(calls.is_empty());
        assert!(calls.slots.capacity() <= IDLE_CAPACITY);
    }
}
