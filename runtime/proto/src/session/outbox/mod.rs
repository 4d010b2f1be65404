//! What goes out: events that wait for a number, and numbered items that wait for
//! acknowledgement.

mod cut;
mod waiting;

pub(super) use waiting::Swept;

use std::collections::VecDeque;
use std::mem;

use bytes::Bytes;

use super::{CallId, Delivery, IDLE_CAPACITY, Outgoing, UnconfirmedEvent};
use crate::frame::{Acknowledge, Outcome};
use crate::sorted::Sorted;
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
    /// The client has not shown yet that it knows the session.
    Unconfirmed,
}

/// What an item takes beside its payload, and once more if it is the latest of its key: measured.
const PLACE: usize = 128;

#[derive(Default)]
pub(super) struct Outbox {
    /// Events and calls, which need credit, and do not yet have numbers. In the order of stamps.
    starts: VecDeque<Waiting>,
    /// Replies and cancels, which need no credit, so that two sides without credit cannot wait for
    /// each other for ever.
    controls: VecDeque<Waiting>,
    /// How many of `starts` have been removed and are still in the queue.
    removed: usize,
    start_bytes: usize,
    /// Of both.
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
    latest: Sorted<(u32, Bytes), Newest>,
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

impl What {
    /// A call that nobody waits for any more is an event.
    fn release(&mut self) {
        if let Self::Call { event, payload, .. } = self {
            *self = Self::Event(Outgoing {
                event: *event,
                payload: mem::take(payload),
                delivery: Delivery::Reliable,
                key: Bytes::new(),
            });
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

    pub(super) fn is_empty(&self) -> bool {
        let is_empty = self.starts.len() == self.removed
            && self.controls.is_empty()
            && self.sent.is_empty()
            && self.latest.is_empty();
        debug_assert!(!is_empty || self.bytes() == 0, "bytes of nothing");
        is_empty
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - self.removed + self.controls.len() + self.sent.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.waiting_bytes + self.sent_bytes
    }

    /// About how much memory all of it takes, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.bytes() + (self.len() + self.latest.len()) * PLACE
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.bytes() >= limits.outbox_bytes || self.len() >= limits.outbox_events
    }

    /// Whether no credit is to be given, since every call would add a reply to what there is too much
    /// of already. What waits for credit itself does not count: two sides that are full of that would
    /// wait for each other for ever.
    pub(super) fn withholds_credit(&self, limits: &Limits) -> bool {
        if mutated!("starve-each-other") {
            return self.is_full(limits);
        }
        self.bytes() - self.start_bytes >= limits.outbox_bytes
            || self.controls.len() + self.sent.len() >= limits.outbox_events
    }

    /// Whether the carrier has not yet been given all that had a number.
    pub(super) fn is_behind(&self) -> bool {
        self.cursor < self.sent.len()
    }

    pub(super) fn is_out_of_credit(&self) -> bool {
        self.started + (self.starts.len() - self.removed) as u64 >= self.allowed
    }

    /// The highest number that the other side has acknowledged.
    pub(super) fn confirmed(&self) -> u64 {
        self.acknowledged
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

    /// The numbered call goes, if it has to go again, as an event.
    pub(super) fn release_sent(&mut self, number: u64) {
        let place = number.checked_sub(self.acknowledged + 1);
        if let Some(Sent::Kept(what)) = place.and_then(|place| self.sent.get_mut(place as usize)) {
            what.release();
        }
    }

    pub(super) fn rewind(&mut self) {
        self.cursor = 0;
    }

    pub(super) fn acknowledged(&mut self, acknowledge: Acknowledge) {
        self.allowed = self.allowed.max(acknowledge.credit);
        while self.acknowledged < acknowledge.received {
            let Some(sent) = self.sent.pop_front() else {
                break;
            };
            self.acknowledged += 1;
            self.cursor = self.cursor.saturating_sub(1);
            if mutated!("replay-twice") {
                self.sent.push_back(sent);
                continue;
            }
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
        if self.sent.is_empty() && self.sent.capacity() > IDLE_CAPACITY {
            self.sent = VecDeque::new();
        }
        if self.starts.is_empty() && self.starts.capacity() > IDLE_CAPACITY {
            self.starts = VecDeque::new();
        }
        if self.controls.is_empty() && self.controls.capacity() > IDLE_CAPACITY {
            self.controls = VecDeque::new();
        }
        if self.latest.is_empty() && self.latest.capacity() > IDLE_CAPACITY {
            self.latest = Sorted::default();
        }
    }

    // ---- the end ----

    /// Takes out the events that were not confirmed, oldest first.
    pub(super) fn unconfirmed(&mut self) -> Vec<UnconfirmedEvent> {
        let mut events = Vec::new();
        let mut keep = |what, maybe_received| {
            if let What::Event(event) = what {
                events.extend(UnconfirmedEvent::new(event, maybe_received));
            }
        };
        while let Some(sent) = self.sent.pop_front() {
            if let Sent::Kept(what) = sent {
                keep(what, true);
            }
        }
        while let Some(waiting) = self.starts.pop_front() {
            keep(waiting.what, false);
        }
        *self = Self::continuing(self);
        events
    }
}
