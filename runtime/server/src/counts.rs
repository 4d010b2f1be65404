//! What a server counts: why it has closed and refused.

use std::array;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sente_proto::{CloseReason, RefusedReason};

const CLOSES: usize = CloseReason::ALL.len();
const REFUSALS: usize = RefusedReason::ALL.len();

/// What a server has counted since it was made: see [`Server::counts`](crate::Server::counts).
///
/// ```
/// use sente_server::{CloseReason, RefusedReason, Server};
///
/// let sente = Server::builder().build();
/// let counts = sente.counts();
/// assert_eq!(counts.closed(CloseReason::CreditExceeded), 0);
/// assert_eq!(counts.refused(RefusedReason::Origin), 0);
/// for (reason, count) in counts.violations() {
///     println!("{} clients broke the protocol: {}", count, reason.describe());
/// }
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Counts {
    closed: [u64; CLOSES],
    refused: [u64; REFUSALS],
}

impl Counts {
    /// How many sessions have ended for this reason, and connections that had none.
    #[must_use]
    pub fn closed(&self, reason: CloseReason) -> u64 {
        place(CloseReason::ALL, reason).map_or(0, |place| self.closed[place])
    }

    /// How many handshakes were refused for this reason.
    #[must_use]
    pub fn refused(&self, reason: RefusedReason) -> u64 {
        place(RefusedReason::ALL, reason).map_or(0, |place| self.refused[place])
    }

    /// How often clients have broken the protocol, by the way in which they have.
    pub fn violations(&self) -> impl Iterator<Item = (CloseReason, u64)> + '_ {
        self.closes().filter(|(reason, _)| reason.is_violation())
    }

    /// All ends that there were, by reason.
    pub fn closes(&self) -> impl Iterator<Item = (CloseReason, u64)> + '_ {
        there_were(CloseReason::ALL, &self.closed)
    }

    /// All refusals that there were, by reason.
    pub fn refusals(&self) -> impl Iterator<Item = (RefusedReason, u64)> + '_ {
        there_were(RefusedReason::ALL, &self.refused)
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closes = self.closes().map(|(reason, count)| (reason.name(), count));
        let refusals = self.refusals();
        let refusals = refusals.map(|(reason, count)| (reason.name(), count));
        f.debug_struct("Counts")
            .field("closed", &closes.collect::<Vec<_>>())
            .field("refused", &refusals.collect::<Vec<_>>())
            .finish()
    }
}

fn place<T: PartialEq>(all: &[T], one: T) -> Option<usize> {
    all.iter().position(|other| *other == one)
}

fn there_were<'a, T: Copy>(
    all: &'a [T],
    counts: &'a [u64],
) -> impl Iterator<Item = (T, u64)> + use<'a, T> {
    let counted = all.iter().copied().zip(counts.iter().copied());
    counted.filter(|(_, count)| *count > 0)
}

/// Counts.
pub(crate) struct Counter {
    closed: [AtomicU64; CLOSES],
    refused: [AtomicU64; REFUSALS],
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            closed: array::from_fn(|_| AtomicU64::new(0)),
            refused: array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Counter {
    pub(crate) fn close(&self, reason: CloseReason) {
        if let Some(place) = place(CloseReason::ALL, reason) {
            self.closed[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn refuse(&self, reason: RefusedReason) {
        if let Some(place) = place(RefusedReason::ALL, reason) {
            self.refused[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Counts {
        Counts {
            closed: array::from_fn(|place| self.closed[place].load(Ordering::Relaxed)),
            refused: array::from_fn(|place| self.refused[place].load(Ordering::Relaxed)),
        }
    }
}
