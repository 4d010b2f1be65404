//! What is remembered of sessions that have ended: why.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::{FreshReason, ResumeSecret, SessionId, Time};

/// The reasons of ended sessions, each kept for a while, and not too many.
pub(super) struct Tombs {
    keep: Duration,
    max: usize,
    ended: VecDeque<(Time, SessionId)>,
    reasons: HashMap<SessionId, (ResumeSecret, FreshReason)>,
}

impl Tombs {
    pub(super) fn new(keep: Duration, max: usize) -> Self {
        Self {
            keep,
            max,
            ended: VecDeque::new(),
            reasons: HashMap::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        now: Time,
        id: SessionId,
        secret: ResumeSecret,
        reason: FreshReason,
    ) {
        self.sweep(now);
        if self.max == 0 {
            return;
        }
        if self.ended.len() == self.max
            && let Some((_, oldest)) = self.ended.pop_front()
        {
            self.reasons.remove(&oldest);
        }
        self.ended.push_back((now, id));
        self.reasons.insert(id, (secret, reason));
    }

    /// Why that session has ended, for whoever has its secret.
    pub(super) fn reason(
        &mut self,
        now: Time,
        id: SessionId,
        secret: &ResumeSecret,
    ) -> Option<FreshReason> {
        self.sweep(now);
        self.reasons
            .get(&id)
            .filter(|(own, _)| own.matches(secret))
            .map(|(_, reason)| *reason)
    }

    pub(super) fn knows(&self, id: SessionId) -> bool {
        self.reasons.contains_key(&id)
    }

    fn sweep(&mut self, now: Time) {
        while let Some((ended, id)) = self.ended.front().copied() {
            if now - ended < self.keep {
                break;
            }
            self.ended.pop_front();
            self.reasons.remove(&id);
        }
    }
}
