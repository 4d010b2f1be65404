//! Calls that wait for room in the outbox, in the order in which they were made.

use slab::Slab;

use super::in_order::InOrder;
use super::{CallId, IDLE_CAPACITY, Outgoing};
use crate::{Limits, Time};

/// A call that waits for room in the outbox.
pub(super) struct Waits {
    pub(super) call: CallId,
    pub(super) since: Time,
    pub(super) event: Outgoing,
}

/// About how many bytes one takes beside its payload.
const BESIDE: usize = size_of::<Waits>() + 4 * size_of::<u64>();

/// All that wait.
#[derive(Default)]
pub(super) struct Backlog {
    calls: Slab<Waits>,
    /// Their turns, and where they are.
    turns: InOrder,
    last_turn: u64,
    bytes: usize,
}

impl Backlog {
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// About how many bytes of memory they take.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.calls.len() * BESIDE
    }

    /// As many may wait as may be in the outbox.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.calls.len() >= limits.outbox_events || self.bytes >= limits.outbox_bytes
    }

    /// The turn of the next.
    pub(super) fn next_turn(&self) -> u64 {
        self.last_turn + 1
    }

    pub(super) fn push(&mut self, waits: Waits) {
        self.last_turn += 1;
        self.bytes += waits.event.payload.len();
        let place = self.calls.insert(waits);
        self.turns.insert(self.last_turn, place as u64);
    }

    /// The turn of the first.
    pub(super) fn first(&self) -> Option<u64> {
        self.turns.first().map(|(turn, _)| turn)
    }

    pub(super) fn get(&self, turn: u64) -> Option<&Waits> {
        self.calls.get(self.turns.get(turn)? as usize)
    }

    pub(super) fn remove(&mut self, turn: u64) -> Option<Waits> {
        let place = self.turns.get(turn)?;
        self.turns.remove(turn, place);
        let waits = self.calls.try_remove(place as usize)?;
        self.bytes -= waits.event.payload.len();
        if self.calls.is_empty() && self.calls.capacity() > IDLE_CAPACITY {
            self.calls = Slab::new();
        }
        Some(waits)
    }

    /// The turns of all, and where they are.
    pub(super) fn turns(&self) -> Vec<(u64, u64)> {
        self.turns.pairs()
    }

    /// Forgets them all. No turn comes again.
    pub(super) fn clear(&mut self) {
        *self = Self {
            last_turn: self.last_turn,
            ..Self::default()
        };
    }
}
