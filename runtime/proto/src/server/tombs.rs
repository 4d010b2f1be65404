//! What is remembered of sessions that have ended: why.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::{Close, ResumeSecret, SessionId, Time};

/// How sessions ended, each kept for a while, and not too many.
pub(super) struct Tombs {
    keep: Duration,
    max: usize,
    ended: VecDeque<(Time, SessionId)>,
    closes: HashMap<SessionId, (ResumeSecret, Close)>,
}

impl Tombs {
    pub(super) fn new(keep: Duration, max: usize) -> Self {
        Self {
            keep,
            max,
            ended: VecDeque::new(),
            closes: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, now: Time, id: SessionId, secret: ResumeSecret, close: Close) {
        self.sweep(now);
        if self.max == 0 {
            return;
        }
        if self.ended.len() == self.max
            && let Some((_, oldest)) = self.ended.pop_front()
        {
            self.closes.remove(&oldest);
        }
        self.ended.push_back((now, id));
        self.closes.insert(id, (secret, close));
    }

    /// How that session has ended, for whoever has its secret.
    pub(super) fn of(&mut self, now: Time, id: SessionId, secret: &ResumeSecret) -> Option<&Close> {
        self.sweep(now);
        self.closes
            .get(&id)
            .filter(|(own, _)| own.matches(secret) && !mutated!("forget-reason"))
            .map(|(_, close)| close)
    }

    pub(super) fn knows(&self, id: SessionId) -> bool {
        self.closes.contains_key(&id)
    }

    fn sweep(&mut self, now: Time) {
        while let Some((ended, id)) = self.ended.front().copied() {
            if now - ended < self.keep {
                break;
            }
            self.ended.pop_front();
            self.closes.remove(&id);
        }
    }
}
