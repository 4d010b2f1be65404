//! What comes in: numbers, acknowledgements, credit, and the calls that run for the other side.

use std::time::Duration;

use super::in_order::InOrder;
use crate::frame::{Acknowledge, Item};
use crate::{CloseReason, Limits, Time};

/// After so many items, or so many bytes, an acknowledgement no longer waits: the other side's
/// outbox must not stall while this side reads.
const ACKNOWLEDGE_ITEMS: u64 = 128;
const ACKNOWLEDGE_BYTES: usize = 64 * 1024;

/// A call that came in, for as long as its handler runs. No two are equal, those of sessions that
/// follow each other in one place included.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IncomingCall {
    /// How many sessions there were in its place before its own.
    session: u32,
    number: u64,
}

impl IncomingCall {
    /// Its number in its session.
    pub(super) const fn number(self) -> u64 {
        self.number
    }
}

pub(super) struct Inbox {
    /// How many sessions there were in this place before.
    session: u32,
    /// The highest number received; all before it have been received too.
    received: u64,
    /// The highest number acknowledged to the other side.
    told: u64,
    /// Received and not acknowledged, in payload bytes.
    untold_bytes: usize,
    due: Option<Time>,
    now: bool,
    acknowledge_delay: Duration,
    credit: Credit,
    /// Calls that run, with their deadlines.
    calls: InOrder,
    deadlines: InOrder,
}

/// How many events and calls the other side may send, counted since the session began.
struct Credit {
    /// How many handlers may run at once.
    handlers: u64,
    /// Handlers of events of the sessions before this one, that still run.
    inherited: u64,
    arrived: u64,
    finished: u64,
    /// The promise given to the other side. It never shrinks.
    announced: u64,
    /// Withheld because of the rate until then.
    due: Option<Time>,
    rate: u64,
    tokens: u64,
    refilled: Option<Time>,
}

impl Inbox {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            session: 0,
            received: 0,
            told: 0,
            untold_bytes: 0,
            due: None,
            now: false,
            acknowledge_delay: limits.acknowledge_delay,
            credit: Credit {
                handlers: u64::from(limits.handlers),
                inherited: 0,
                arrived: 0,
                finished: 0,
                announced: 0,
                due: None,
                rate: u64::from(limits.rate.max(1)),
                tokens: u64::from(limits.rate.max(limits.handlers)),
                refilled: None,
            },
            calls: InOrder::default(),
            deadlines: InOrder::default(),
        }
    }

    /// That of a fresh session in place of the one of `old`, all of whose calls have been cancelled.
    /// The handlers of its events run on, and nobody says which of those that finish are among them.
    pub(super) fn following(old: &Self, limits: &Limits) -> Self {
        let mut inbox = Self::new(limits);
        inbox.session = old.session.wrapping_add(1);
        inbox.credit.inherited = old.running() as u64;
        inbox
    }

    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn running(&self) -> usize {
        (self.credit.inherited + self.credit.arrived - self.credit.finished) as usize
    }

    // ---- numbers ----

    /// Takes `new` numbers for `item`.
    pub(super) fn advance(&mut self, new: u64, item: &Item) -> Result<(), CloseReason> {
        match item {
            Item::Event { payload, .. } | Item::Call { payload, .. } => {
                self.untold_bytes += payload.len();
                self.credit.arrive(new)?;
            }
            Item::Skip { .. } => self.credit.arrive(new)?,
            Item::Reply { .. } | Item::Cancel { .. } => {}
        }
        self.received += new;
        Ok(())
    }

    /// A frame with items has been taken in.
    pub(super) fn arrived(&mut self, now: Time) {
        let is_due = self.received > self.told && !mutated!("skip-acknowledgement");
        if self.due.is_none() && is_due {
            self.due = Some(now + self.acknowledge_delay);
        }
        // A repeated frame is acknowledged at once: its sender has missed the acknowledgement.
        if self.received == self.told
            || self.received - self.told >= ACKNOWLEDGE_ITEMS
            || self.untold_bytes >= ACKNOWLEDGE_BYTES
        {
            self.now = true;
        }
    }

    // ---- acknowledgements ----

    pub(super) fn acknowledge_now(&mut self) {
        self.now = true;
    }

    pub(super) fn must_acknowledge(&self, now: Time) -> bool {
        self.now || self.due().is_some_and(|due| due <= now)
    }

    /// Whether an acknowledgement would tell the other side something.
    pub(super) fn wants_acknowledge(&self) -> bool {
        self.now || self.received > self.told || self.credit.due.is_some() || self.credit.is_low()
    }

    pub(super) fn due(&self) -> Option<Time> {
        if self.now {
            return Some(Time::default());
        }
        [self.due, self.credit.due].into_iter().flatten().min()
    }

    /// What to tell the other side; it counts as told.
    pub(super) fn acknowledge(&mut self, now: Time, withhold: bool) -> Acknowledge {
        self.told = self.received;
        self.untold_bytes = 0;
        self.due = None;
        self.now = false;
        Acknowledge {
            received: self.received,
            credit: self.credit.announce(now, withhold),
        }
    }

    pub(super) fn credit_is_low(&self) -> bool {
        self.credit.is_low()
    }

    // ---- handlers ----

    pub(super) fn finish_event(&mut self) {
        match &mut self.credit.inherited {
            0 => self.credit.finish(1),
            inherited => *inherited -= 1,
        }
    }

    /// Numbers that started no handler.
    pub(super) fn skipped(&mut self, count: u64) {
        self.credit.finish(count);
    }

    /// The call of that number in the present session.
    pub(super) const fn call(&self, number: u64) -> IncomingCall {
        IncomingCall {
            session: self.session,
            number,
        }
    }

    pub(super) fn start_call(&mut self, number: u64, deadline: Time) -> IncomingCall {
        self.calls.insert(number, deadline.nanoseconds());
        self.deadlines.insert(deadline.nanoseconds(), number);
        self.call(number)
    }

    pub(super) fn runs_no_call(&self) -> bool {
        self.calls.len() == 0 && self.deadlines.len() == 0
    }

    pub(super) fn is_running(&self, call: IncomingCall) -> bool {
        call.session == self.session && self.calls.get(call.number).is_some()
    }

    /// Returns whether the call was still running.
    pub(super) fn finish_call(&mut self, call: IncomingCall) -> bool {
        if call.session != self.session && !mutated!("answer-another") {
            return false;
        }
        let Some(deadline) = self.calls.get(call.number) else {
            return false;
        };
        self.calls.remove(call.number, deadline);
        self.deadlines.remove(deadline, call.number);
        self.credit.finish(1);
        true
    }

    /// The numbers of the calls that run, with their deadlines. They no longer do then.
    pub(super) fn take_running(&mut self) -> Vec<(u64, u64)> {
        self.deadlines = InOrder::default();
        self.credit.finish(self.calls.len() as u64);
        std::mem::take(&mut self.calls).pairs()
    }

    /// A call whose deadline has passed, no longer running.
    pub(super) fn expired(&mut self, now: Time) -> Option<IncomingCall> {
        let (_, number) = self.deadlines.first().filter(|(deadline, _)| {
            *deadline <= now.nanoseconds() && !mutated!("outlive-deadline")
        })?;
        let call = self.call(number);
        self.finish_call(call);
        Some(call)
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        let (deadline, _) = self.deadlines.first()?;
        Some(Time::from_nanoseconds(deadline))
    }
}

impl Credit {
    fn arrive(&mut self, count: u64) -> Result<(), CloseReason> {
        let arrived = self
            .arrived
            .checked_add(count)
            .ok_or(CloseReason::CreditExceeded)?;
        if arrived > self.announced {
            return Err(CloseReason::CreditExceeded);
        }
        self.arrived = arrived;
        self.tokens = self.tokens.saturating_sub(count);
        Ok(())
    }

    fn finish(&mut self, count: u64) {
        self.finished = (self.finished + count).min(self.arrived);
    }

    /// Half of it or less is left, and more could be given.
    fn is_low(&self) -> bool {
        self.due.is_none()
            && !mutated!("grant-no-credit")
            && self.announced - self.arrived <= self.handlers / 2
            && self.by_handlers() > self.announced
    }

    /// How many may have been sent for no more handlers to run than may.
    fn by_handlers(&self) -> u64 {
        let more = if mutated!("run-too-many") { 100 } else { 0 };
        self.finished + self.handlers.saturating_sub(self.inherited) + more
    }

    fn announce(&mut self, now: Time, withhold: bool) -> u64 {
        self.due = None;
        let since = now - self.refilled.unwrap_or(now);
        let more = (since.as_micros() as u64).saturating_mul(self.rate) / 1_000_000;
        if more > 0 || self.refilled.is_none() {
            self.refilled = Some(now);
            self.tokens = (self.tokens + more).min(self.rate.max(self.handlers));
        }
        if withhold || (mutated!("grant-no-credit") && self.announced > 0) {
            return self.announced;
        }
        let by_handlers = self.by_handlers();
        let by_rate = self.arrived + self.tokens;
        if by_rate < by_handlers && by_rate - self.arrived <= self.handlers / 2 {
            let wait = self.handlers.saturating_mul(500_000) / self.rate.max(1);
            self.due = Some(now + Duration::from_micros(wait.max(1_000)));
        }
        self.announced = self.announced.max(by_handlers.min(by_rate));
        self.announced
    }
}
