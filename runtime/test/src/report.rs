//! What a run tells: what was met, and what went wrong.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use sente_proto::Time;

/// How often each thing was met.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Coverage(BTreeMap<&'static str, u64>);

impl Coverage {
    pub(crate) fn meet(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// How often `what` was met.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Adds what another run has met.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.0 {
            writeln!(f, "{count:>12}  {what}")?;
        }
        Ok(())
    }
}

/// What a run has done that kept all promises.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Events and calls that were given to their handlers.
    pub delivered: u64,
    /// Calls that brought a reply.
    pub replied: u64,
    /// Steps that the world took.
    pub steps: u64,
    /// What was met.
    pub coverage: Coverage,
}

/// A promise that was not kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The seed of the network.
    pub seed: u64,
    /// When it happened, in virtual time.
    pub at: Time,
    /// What is wrong.
    pub wrong: String,
    /// The last things that happened before; see [`World::traced`](crate::World::traced).
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "seed {} at {:.6} s: {}",
            self.seed,
            self.at.since_unix().as_secs_f64(),
            self.wrong
        )
    }
}

impl std::error::Error for Failure {}

/// The last things that happened, if anybody wants to know.
#[derive(Default)]
pub(crate) struct Trace {
    keep: usize,
    lines: VecDeque<String>,
}

impl Trace {
    pub(crate) fn keep(&mut self, lines: usize) {
        self.keep = lines;
    }

    /// Notes a line; `line` is called only if somebody wants it.
    pub(crate) fn note(&mut self, now: Time, line: impl FnOnce() -> String) {
        if self.keep == 0 {
            return;
        }
        if self.lines.len() == self.keep {
            self.lines.pop_front();
        }
        let at = now.since_unix().as_secs_f64();
        self.lines.push_back(format!("{at:>10.6}  {}", line()));
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines).into()
    }
}
