//! What has no number yet: it comes in, and may be taken back.

use std::mem;

use bytes::Bytes;

use super::{CallId, Delivery, Newest, Outbox, Outgoing, Refusal, Sent, Waiting, What};
use crate::Time;
use crate::frame::Outcome;
use crate::session::keep;

impl Outbox {
    pub(in crate::session) fn push_event(&mut self, now: Time, event: Outgoing) {
        if event.delivery == Delivery::Latest {
            let key = (event.event, event.key.clone());
            match self.latest.insert(key, Newest::Waiting(self.next_stamp())) {
                Some(Newest::Waiting(stamp)) => self.remove_waiting(stamp),
                Some(Newest::Sent(number)) => self.give_up(number),
                None => {}
            }
        }
        self.push_start(now, What::Event(event));
    }

    pub(in crate::session) fn push_call(
        &mut self,
        now: Time,
        event: u32,
        payload: Bytes,
        call: CallId,
    ) {
        self.push_start(
            now,
            What::Call {
                event,
                payload,
                call,
            },
        );
    }

    pub(in crate::session) fn push_reply(&mut self, now: Time, call: u64, outcome: Outcome) {
        self.push_control(now, What::Reply { call, outcome });
    }

    pub(in crate::session) fn push_cancel(&mut self, now: Time, call: u64) {
        self.push_control(now, What::Cancel { call });
    }

    fn push_start(&mut self, now: Time, what: What) {
        if mutated!("number-at-enqueue") {
            self.sent_bytes += what.bytes();
            return self.sent.push_back(Sent::Kept(what));
        }
        self.start_bytes += what.bytes();
        let waiting = self.stamped(now, what);
        if mutated!("send-newest-first") {
            return self.starts.push_front(waiting);
        }
        self.starts.push_back(waiting);
    }

    fn push_control(&mut self, now: Time, what: What) {
        let waiting = self.stamped(now, what);
        self.controls.push_back(waiting);
    }

    fn stamped(&mut self, now: Time, what: What) -> Waiting {
        self.stamp += 1;
        self.waiting_bytes += what.bytes();
        self.waiting_since.get_or_insert(now);
        Waiting {
            stamp: self.stamp,
            what,
        }
    }

    // ---- away before it had a number ----

    pub(in crate::session) fn remove_waiting(&mut self, stamp: u64) {
        if let Ok(place) = self
            .starts
            .binary_search_by_key(&stamp, |waiting| waiting.stamp)
        {
            self.remove_at(place);
            self.sweep_removed();
        }
    }

    /// The call under that stamp goes as an event.
    pub(in crate::session) fn release_waiting(&mut self, stamp: u64) {
        if let Ok(place) = self
            .starts
            .binary_search_by_key(&stamp, |waiting| waiting.stamp)
            && let Some(waiting) = self.starts.get_mut(place)
        {
            waiting.what.release();
        }
    }

    fn remove_at(&mut self, place: usize) -> What {
        let Some(waiting) = self.starts.get_mut(place) else {
            return What::Removed;
        };
        let what = mem::replace(&mut waiting.what, What::Removed);
        self.waiting_bytes -= what.bytes();
        self.start_bytes -= what.bytes();
        self.removed += 1;
        what
    }

    /// A `latest` that is overwritten again and again must not let the queue grow.
    fn sweep_removed(&mut self) {
        if self.removed > 32 && self.removed > self.starts.len() / 2 {
            keep(&mut self.starts, |waiting| {
                !matches!(waiting.what, What::Removed)
            });
            self.removed = 0;
        }
        if self.starts.is_empty() && self.controls.is_empty() {
            self.waiting_since = None;
        }
    }

    /// Drops volatile events that wait, and says how many.
    pub(in crate::session) fn drop_volatile(&mut self) -> u64 {
        let mut dropped = 0;
        if mutated!("keep-volatile") {
            return dropped;
        }
        for place in 0..self.starts.len() {
            let waiting = self.starts.get(place);
            let is_volatile = |waiting: &Waiting| matches!(&waiting.what, What::Event(event) if event.delivery == Delivery::Volatile);
            if waiting.is_some_and(is_volatile) {
                self.remove_at(place);
                dropped += 1;
            }
        }
        self.sweep_removed();
        dropped
    }

    /// Drops those that wait for which `why` has a reason, by their event and size.
    pub(in crate::session) fn sweep(
        &mut self,
        why: &dyn Fn(u32, usize) -> Option<Refusal>,
        swept: &mut Swept,
    ) {
        for place in 0..self.starts.len() {
            let what = self.starts.get(place).map(|waiting| &waiting.what);
            let Some(what @ (What::Event(Outgoing { event, .. }) | What::Call { event, .. })) =
                what
            else {
                continue;
            };
            let Some(refusal) = why(*event, what.bytes()) else {
                continue;
            };
            match self.remove_at(place) {
                What::Event(event) => {
                    if event.delivery == Delivery::Latest {
                        self.latest.remove(&(event.event, event.key.clone()));
                    }
                    swept.events.push((event, refusal));
                }
                What::Call { call, .. } => swept.calls.push((call, refusal)),
                What::Reply { .. } | What::Cancel { .. } | What::Removed => {}
            }
        }
        self.sweep_removed();
    }
}

/// What was accepted and is not to be sent.
#[derive(Default)]
pub(in crate::session) struct Swept {
    pub(in crate::session) events: Vec<(Outgoing, Refusal)>,
    pub(in crate::session) calls: Vec<(CallId, Refusal)>,
}
