//! Calls: each runs at most once and ends exactly once, and its end tells the truth.

use std::time::Duration;

use sente_proto::Time;
use sente_proto::frame::Failure;
use sente_proto::session::{CallFailure, CallResult};

use super::{Half, Verdict};
use crate::contract::Kind;
use crate::tag::Tag;

/// Remaining times travel in whole milliseconds.
const ROUNDING: Duration = Duration::from_millis(1);

pub(super) struct Call {
    deadline: Time,
    ran: bool,
    answered: bool,
    cancelled: Option<Time>,
    /// For room in the outbox: it has no place among what was sent.
    waits: bool,
    ended: bool,
    /// Its end said that it certainly had not run.
    never_ran: bool,
}

impl Call {
    pub(super) fn is_over(&self) -> bool {
        self.ended || self.cancelled.is_some()
    }

    /// Whether what was sent after it may come without it.
    pub(super) fn is_absent(&self) -> bool {
        self.is_over() || self.waits
    }
}

impl Half {
    pub(super) fn call_begins(&mut self, place: usize, deadline: Time) {
        self.calls.insert(
            place,
            Call {
                deadline,
                ran: false,
                answered: false,
                cancelled: None,
                waits: false,
                ended: false,
                never_ran: false,
            },
        );
        self.deadlines.insert((deadline, place));
    }

    pub(super) fn call_waits(&mut self, place: usize) {
        self.call(place).waits = true;
    }

    /// It goes on under another place.
    pub(super) fn call_leaves(&mut self, place: usize, now: Time) -> (Kind, Time) {
        self.call_cancelled(place, now);
        (self.sent[place].kind, self.call(place).deadline)
    }

    pub(super) fn call_runs(&mut self, place: usize) -> Verdict {
        let call = self.call(place);
        if std::mem::replace(&mut call.ran, true) {
            return Err("it ran twice".to_owned());
        }
        if call.never_ran {
            return Err("it ran although its end had said that it never would".to_owned());
        }
        Ok(())
    }

    pub(super) fn call_answered(&mut self, place: usize) {
        self.call(place).answered = true;
    }

    pub(super) fn call_cancelled(&mut self, place: usize, now: Time) {
        let call = self.call(place);
        call.cancelled = Some(now);
        let deadline = call.deadline;
        self.deadlines.remove(&(deadline, place));
    }

    /// Whether nobody waits for it any more, or will in a moment.
    pub(super) fn call_is_over(&self, place: usize, now: Time) -> bool {
        self.calls
            .get(&place)
            .is_none_or(|call| call.is_over() || now + ROUNDING >= call.deadline)
    }

    /// For how long its caller has not wanted it any more.
    pub(super) fn call_unwanted_for(&self, place: usize, now: Time) -> Option<Duration> {
        let cancelled = self.calls.get(&place)?.cancelled?;
        Some(now - cancelled)
    }

    /// Returns whether it brought a reply.
    pub(super) fn call_ends(&mut self, tag: Tag, result: &CallResult, now: Time) -> Verdict<bool> {
        let novel = self.sent[tag.place].kind == Kind::NovelCall;
        let session_ended = self.ended.is_some();
        let call = self.call(tag.place);
        if call.cancelled.is_some() {
            return Err("it had been cancelled".to_owned());
        }
        if std::mem::replace(&mut call.ended, true) {
            return Err("it had ended before".to_owned());
        }
        let mut replied = false;
        match result {
            Ok(payload) | Err(CallFailure::Rejected(payload)) => {
                if Tag::read(payload) != Some(tag) {
                    return Err("that is the reply to another call".to_owned());
                }
                if !call.ran || !call.answered {
                    return Err("nobody answered it".to_owned());
                }
                replied = true;
            }
            Err(CallFailure::Failed(Failure::Internal)) if call.answered => {}
            Err(CallFailure::Failed(Failure::Unsupported)) if novel && !call.ran => {}
            Err(CallFailure::TooLarge) if novel => call.never_ran = true,
            Err(CallFailure::TooLarge) => return Err("it is not".to_owned()),
            Err(CallFailure::Failed(_)) => return Err("it fits and has a handler".to_owned()),
            Err(CallFailure::TimedOut { maybe_executed }) => {
                if now < call.deadline {
                    return Err(format!("its deadline is {:?}", call.deadline));
                }
                call.never_ran = !maybe_executed;
            }
            Err(CallFailure::Full) => {
                if now < call.deadline {
                    return Err(format!("its deadline is {:?}", call.deadline));
                }
                call.never_ran = true;
            }
            Err(CallFailure::Disconnected { maybe_executed }) => {
                if !session_ended {
                    return Err("its session lives".to_owned());
                }
                call.never_ran = !maybe_executed;
            }
        }
        if call.never_ran && call.ran {
            return Err("it ran".to_owned());
        }
        let deadline = call.deadline;
        self.deadlines.remove(&(deadline, tag.place));
        Ok(replied)
    }

    pub(super) fn open_calls(&self) -> usize {
        self.deadlines.len()
    }

    pub(super) fn next_deadline(&self) -> Option<(Time, usize)> {
        self.deadlines.first().copied()
    }

    fn call(&mut self, place: usize) -> &mut Call {
        self.calls
            .get_mut(&place)
            .expect("only calls are asked for by their place")
    }
}
