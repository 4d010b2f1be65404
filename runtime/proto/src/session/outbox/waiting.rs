//! What has no number yet: it comes in, and may be taken back.

use std::mem;

use bytes::Bytes;

use super::{CallId, Delivery, Newest, Outbox, Outgoing, Sent, Waiting, What};
use crate::Time;
use crate::contract::Fit;
use crate::frame::Outcome;

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

    fn remove_at(&mut self, place: usize) -> What {
        let what = mem::replace(&mut self.starts[place].what, What::Removed);
        self.waiting_bytes -= what.bytes();
        self.removed += 1;
        what
    }

    /// A `latest` that is overwritten again and again must not let the queue grow.
    fn sweep_removed(&mut self) {
        if self.removed > 32 && self.removed > self.starts.len() / 2 {
            self.starts
                .retain(|waiting| !matches!(waiting.what, What::Removed));
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
            if matches!(&self.starts[place].what, What::Event(event) if event.delivery == Delivery::Volatile)
            {
                self.remove_at(place);
                dropped += 1;
            }
        }
        self.sweep_removed();
        dropped
    }

    /// Drops what does not fit the other side; for calls, says which and how they do not fit.
    pub(in crate::session) fn sweep(
        &mut self,
        fit: impl Fn(u32) -> Fit,
    ) -> Vec<Option<(CallId, Fit)>> {
        self.sweep_starts(|event, _| {
            let fit = fit(event);
            matches!(fit, Fit::Unsupported | Fit::Incompatible).then_some(fit)
        })
        .into_iter()
        .map(|(call, fit)| call.map(|call| (call, fit)))
        .collect()
    }

    /// Drops what is larger than a message may be; for calls, says which.
    pub(in crate::session) fn sweep_larger(&mut self, max_message: usize) -> Vec<Option<CallId>> {
        self.sweep_starts(|_, size| (size > max_message).then_some(()))
            .into_iter()
            .map(|(call, ())| call)
            .collect()
    }

    /// Drops those that wait for which `why` has a reason, by their event and size.
    fn sweep_starts<R>(
        &mut self,
        why: impl Fn(u32, usize) -> Option<R>,
    ) -> Vec<(Option<CallId>, R)> {
        let mut dropped = Vec::new();
        for place in 0..self.starts.len() {
            let what = &self.starts[place].what;
            let (event, call) = match what {
                What::Event(event) => (event.event, None),
                What::Call { event, call, .. } => (*event, Some(*call)),
                What::Reply { .. } | What::Cancel { .. } | What::Removed => continue,
            };
            let Some(reason) = why(event, what.bytes()) else {
                continue;
            };
            if let What::Event(Outgoing {
                delivery: Delivery::Latest,
                event,
                key,
                ..
            }) = self.remove_at(place)
            {
                self.latest.remove(&(event, key));
            }
            dropped.push((call, reason));
        }
        self.sweep_removed();
        dropped
    }
}
