//! What goes out: events that wait for a number, and numbered items that wait for
//! acknowledgement.

use std::collections::{HashMap, VecDeque};
use std::mem;

use bytes::Bytes;

use super::{CallId, Delivery, Outgoing, UnconfirmedEvent};
use crate::contract::Fit;
use crate::frame::{Acknowledge, Outcome};
use crate::wire::DataWriter;
use crate::{Limits, Time};

/// Why the session does not accept an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The outbox is full.
    Full,
    /// The payload is larger than a message may be.
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The other side does not know the event.
    Unsupported,
    /// The other side knows the event in another form.
    Incompatible,
    /// The session has ended.
    Ended,
}

#[derive(Default)]
pub(super) struct Outbox {
    /// Events and calls, which need credit, and do not yet have numbers. In the order of stamps.
    starts: VecDeque<Waiting>,
    /// Replies and cancels, which need no credit, so that two sides without credit cannot wait for
    /// each other for ever.
    controls: VecDeque<Waiting>,
    /// How many of `starts` have been removed and are still in the queue.
    removed: usize,
    waiting_bytes: usize,
    waiting_since: Option<Time>,
    stamp: u64,
    /// Numbered items from `first` on, kept until they are acknowledged.
    sent: VecDeque<Sent>,
    /// The number before that of the first of `sent`.
    acknowledged: u64,
    /// How many of `sent` the present carrier has been given.
    cursor: usize,
    sent_bytes: usize,
    /// Events and calls that got a number, and how many may, since the session began.
    started: u64,
    allowed: u64,
    latest: HashMap<(u32, Bytes), Newest>,
}

struct Waiting {
    stamp: u64,
    what: What,
}

enum What {
    Event(Outgoing),
    Call {
        event: u32,
        payload: Bytes,
        call: CallId,
    },
    Reply {
        call: u64,
        outcome: Outcome,
    },
    Cancel {
        call: u64,
    },
    Removed,
}

enum Sent {
    /// Goes again when a carrier was lost.
    Kept(What),
    /// Does not: the number is skipped then.
    Gone,
}

/// Where the newest event of a `latest` key is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Newest {
    Waiting(u64),
    Sent(u64),
}

impl What {
    fn bytes(&self) -> usize {
        match self {
            Self::Event(event) => event.payload.len(),
            Self::Call { payload, .. } => payload.len(),
            Self::Reply {
                outcome: Outcome::Reply(payload) | Outcome::Rejected(payload),
                ..
            } => payload.len(),
            Self::Reply { .. } | Self::Cancel { .. } | Self::Removed => 0,
        }
    }
}

impl Outbox {
    /// An empty one whose stamps go on from those of `old`.
    pub(super) fn continuing(old: &Self) -> Self {
        Self {
            stamp: old.stamp,
            ..Self::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - self.removed + self.controls.len() + self.sent.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.waiting_bytes + self.sent_bytes
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.bytes() >= limits.outbox_bytes || self.len() >= limits.outbox_events
    }

    /// Whether the carrier has not yet been given all that had a number.
    pub(super) fn is_behind(&self) -> bool {
        self.cursor < self.sent.len()
    }

    pub(super) fn is_out_of_credit(&self) -> bool {
        self.started + (self.starts.len() - self.removed) as u64 >= self.allowed
    }

    /// The highest number given.
    pub(super) fn last_number(&self) -> u64 {
        self.acknowledged + self.sent.len() as u64
    }

    /// The number of the next item that the carrier is given.
    pub(super) fn cursor_number(&self) -> u64 {
        self.acknowledged + 1 + self.cursor as u64
    }

    pub(super) fn next_stamp(&self) -> u64 {
        self.stamp + 1
    }

    // ---- in ----

    pub(super) fn push_event(&mut self, now: Time, event: Outgoing) {
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

    pub(super) fn push_call(&mut self, now: Time, event: u32, payload: Bytes, call: CallId) {
        self.push_start(
            now,
            What::Call {
                event,
                payload,
                call,
            },
        );
    }

    pub(super) fn push_reply(&mut self, now: Time, call: u64, outcome: Outcome) {
        self.push_control(now, What::Reply { call, outcome });
    }

    pub(super) fn push_cancel(&mut self, now: Time, call: u64) {
        self.push_control(now, What::Cancel { call });
    }

    fn push_start(&mut self, now: Time, what: What) {
        let waiting = self.stamped(now, what);
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

    pub(super) fn remove_waiting(&mut self, stamp: u64) {
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
    pub(super) fn drop_volatile(&mut self) -> u64 {
        let mut dropped = 0;
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
    pub(super) fn sweep(&mut self, fit: impl Fn(u32) -> Fit) -> Vec<Option<(CallId, Fit)>> {
        self.sweep_starts(|event, _| {
            let fit = fit(event);
            matches!(fit, Fit::Unsupported | Fit::Incompatible).then_some(fit)
        })
        .into_iter()
        .map(|(call, fit)| call.map(|call| (call, fit)))
        .collect()
    }

    /// Drops what is larger than a message may be; for calls, says which.
    pub(super) fn sweep_larger(&mut self, max_message: usize) -> Vec<Option<CallId>> {
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

    // ---- numbered ----

    /// The numbered item is not to go again.
    pub(super) fn give_up(&mut self, number: u64) {
        let Some(place) = number.checked_sub(self.acknowledged + 1) else {
            return;
        };
        if let Some(sent) = self.sent.get_mut(place as usize)
            && let Sent::Kept(what) = mem::replace(sent, Sent::Gone)
        {
            self.sent_bytes -= what.bytes();
        }
    }

    pub(super) fn rewind(&mut self) {
        self.cursor = 0;
    }

    pub(super) fn acknowledged(&mut self, _now: Time, acknowledge: Acknowledge) {
        self.allowed = self.allowed.max(acknowledge.credit);
        while self.acknowledged < acknowledge.received {
            let Some(sent) = self.sent.pop_front() else {
                break;
            };
            self.acknowledged += 1;
            self.cursor = self.cursor.saturating_sub(1);
            let Sent::Kept(what) = sent else { continue };
            self.sent_bytes -= what.bytes();
            if let What::Event(Outgoing {
                delivery: Delivery::Latest,
                event,
                key,
                ..
            }) = what
            {
                let key = (event, key);
                if self.latest.get(&key) == Some(&Newest::Sent(self.acknowledged)) {
                    self.latest.remove(&key);
                }
            }
        }
        // An idle session gives back what a busy moment needed.
        if self.sent.is_empty() && self.sent.capacity() > 64 {
            self.sent = VecDeque::new();
        }
        if self.starts.is_empty() && self.starts.capacity() > 64 {
            self.starts = VecDeque::new();
        }
        if self.controls.is_empty() && self.controls.capacity() > 64 {
            self.controls = VecDeque::new();
        }
    }

    // ---- out ----

    fn start_has_credit(&self) -> bool {
        self.started < self.allowed
    }

    fn has_waiting(&self) -> bool {
        !self.controls.is_empty() || (self.starts.len() > self.removed && self.start_has_credit())
    }

    pub(super) fn is_ready(&self, now: Time, limits: &Limits) -> bool {
        self.is_behind()
            || (self.has_waiting() && self.delayed_until(limits).is_none_or(|until| until <= now))
    }

    /// When what waits will be ready, if only time is missing.
    pub(super) fn due(&self, limits: &Limits) -> Option<Time> {
        if self.is_behind() {
            return Some(Time::default());
        }
        self.has_waiting()
            .then(|| self.delayed_until(limits).unwrap_or_default())
    }

    fn delayed_until(&self, limits: &Limits) -> Option<Time> {
        let delay = limits
            .max_delay
            .filter(|_| self.waiting_bytes < limits.frame_size)?;
        self.waiting_since.map(|since| since + delay)
    }

    /// About how many bytes the next frame will have.
    pub(super) fn next_frame(&self, frame_size: usize) -> usize {
        if self.is_behind() {
            return frame_size;
        }
        let items = self.starts.len() + self.controls.len();
        (FRAME_HEAD + self.waiting_bytes + items * USUAL_ITEM_HEAD).min(frame_size)
    }

    /// Writes items until the frame has `frame_size` bytes: first again what an older carrier may
    /// have lost, then what waits. `on_call` hears the number of each call and returns its deadline.
    pub(super) fn cut(
        &mut self,
        now: Time,
        frame_size: usize,
        writer: &mut DataWriter,
        mut on_call: impl FnMut(CallId, u64) -> Time,
    ) {
        let mut items = 0;
        let mut has_room = |writer: &DataWriter, bytes: usize| {
            items += 1;
            items == 1 || writer.len() + bytes + ITEM_HEAD <= frame_size
        };
        while self.cursor < self.sent.len() {
            let number = self.cursor_number();
            match &mut self.sent[self.cursor] {
                Sent::Kept(what) => {
                    if !has_room(writer, what.bytes()) {
                        return;
                    }
                    if !write(now, what, number, writer, &mut on_call) {
                        writer.skip(1);
                    }
                }
                Sent::Gone => {
                    if !has_room(writer, 0) {
                        return;
                    }
                    let gone = self
                        .sent
                        .iter()
                        .skip(self.cursor)
                        .take_while(|sent| matches!(sent, Sent::Gone));
                    let count = gone.count();
                    writer.skip(count as u64);
                    self.cursor += count - 1;
                }
            }
            self.cursor += 1;
        }
        while let Some(is_start) = self.next_waiting() {
            let queue = if is_start {
                &mut self.starts
            } else {
                &mut self.controls
            };
            let Some(bytes) = queue.front().map(|waiting| waiting.what.bytes()) else {
                break;
            };
            if !has_room(writer, bytes) {
                return;
            }
            let Some(Waiting { what, .. }) = queue.pop_front() else {
                break;
            };
            self.waiting_bytes -= bytes;
            let number = self.last_number() + 1;
            let written = write(now, &what, number, writer, &mut on_call);
            if !written {
                writer.skip(1);
            }
            self.started += u64::from(is_start);
            let sent = self.keep(what, number, written);
            self.sent.push_back(sent);
            self.cursor += 1;
        }
        self.waiting_since = None;
    }

    /// Whether the next waiting item is a start (`true`) or a control (`false`): the older one, if
    /// there is credit for it.
    fn next_waiting(&mut self) -> Option<bool> {
        while matches!(
            self.starts.front(),
            Some(Waiting {
                what: What::Removed,
                ..
            })
        ) {
            self.starts.pop_front();
            self.removed -= 1;
        }
        let start = self.starts.front().filter(|_| self.start_has_credit());
        match (start, self.controls.front()) {
            (None, None) => None,
            (Some(_), None) => Some(true),
            (None, Some(_)) => Some(false),
            (Some(start), Some(control)) => Some(start.stamp < control.stamp),
        }
    }

    fn keep(&mut self, what: What, number: u64, written: bool) -> Sent {
        match &what {
            What::Event(Outgoing {
                delivery: Delivery::Volatile,
                ..
            }) => return Sent::Gone,
            What::Event(Outgoing {
                delivery: Delivery::Latest,
                event,
                key,
                ..
            }) => {
                self.latest
                    .insert((*event, key.clone()), Newest::Sent(number));
            }
            _ if !written => return Sent::Gone,
            _ => {}
        }
        self.sent_bytes += what.bytes();
        Sent::Kept(what)
    }

    // ---- the end ----

    /// Takes out the events that were not confirmed, oldest first.
    pub(super) fn unconfirmed(&mut self) -> Vec<UnconfirmedEvent> {
        let sent = mem::take(&mut self.sent)
            .into_iter()
            .filter_map(|sent| match sent {
                Sent::Kept(what) => Some((what, true)),
                Sent::Gone => None,
            });
        let waiting = mem::take(&mut self.starts)
            .into_iter()
            .map(|waiting| (waiting.what, false));
        let events = sent
            .chain(waiting)
            .filter_map(|(what, maybe_received)| match what {
                What::Event(event) if event.delivery != Delivery::Volatile => {
                    Some(UnconfirmedEvent {
                        event: event.event,
                        payload: event.payload,
                        delivery: event.delivery,
                        key: event.key,
                        maybe_received,
                    })
                }
                _ => None,
            })
            .collect();
        *self = Self::continuing(self);
        events
    }
}

/// What the head of an item takes at most, for the decision whether it still fits.
const ITEM_HEAD: usize = 24;

/// What the heads of an item and of a frame usually take at most.
const USUAL_ITEM_HEAD: usize = 8;
const FRAME_HEAD: usize = 24;

/// Writes one item. Returns `false` if it is a call whose deadline has passed.
fn write(
    now: Time,
    what: &What,
    number: u64,
    writer: &mut DataWriter,
    on_call: &mut impl FnMut(CallId, u64) -> Time,
) -> bool {
    match what {
        What::Event(event) => writer.event(event.event, &event.payload),
        What::Call {
            event,
            payload,
            call,
        } => {
            let deadline = on_call(*call, number);
            if deadline <= now {
                return false;
            }
            writer.call(*event, deadline - now, payload);
        }
        What::Reply { call, outcome } => writer.reply(*call, outcome),
        What::Cancel { call } => writer.cancel(*call),
        What::Removed => return false,
    }
    true
}
