//! What a run tells: what it has done, and what went wrong.

use std::collections::VecDeque;
use std::fmt;

use sente_proto::Time;

use crate::{Coverage, Promise};

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
    /// Which promise it is.
    pub promise: Promise,
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
            "seed {} at {:.6} s, {} is not kept: {}",
            self.seed,
            self.at.since_unix().as_secs_f64(),
            self.promise,
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

    /// Whether anybody wants to know.
    pub(crate) fn is_kept(&self) -> bool {
        self.keep > 0
    }

    /// Notes a line; `line` is called only if somebody wants it.
    pub(crate) fn note(&mut self, at: Time, line: impl FnOnce() -> String) {
        if self.keep == 0 {
            return;
        }
        if self.lines.len() == self.keep {
            self.lines.pop_front();
        }
        let at = at.since_unix().as_secs_f64();
        self.lines.push_back(format!("{at:>10.6}  {}", line()));
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines).into()
    }
}
