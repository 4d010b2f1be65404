//! Calls: each runs at most once and ends exactly once, and its end tells the truth.

use std::time::Duration;

use sente_proto::Time;
use sente_proto::frame::Failure;
use sente_proto::session::{CallFailure, CallResult};

use super::{Half, Verdict};
use crate::contract::Kind;
use crate::promise::Promise;
use crate::tag::Tag;

/// Remaining times travel in whole milliseconds.
pub(super) const ROUNDING: Duration = Duration::from_millis(1);

pub(super) struct Call {
    /// By the clock of its caller.
    pub(super) deadline: Time,
    ran: bool,
    answered: bool,
    cancelled: Option<Time>,
    /// It goes on without its caller, as an event.
    released: bool,
    /// There was no room for what its handler answered.
    reply_refused: bool,
    ended: bool,
    /// Its end said that it certainly had not run.
    never_ran: bool,
}

impl Call {
    pub(super) fn is_over(&self) -> bool {
        self.ended || self.cancelled.is_some()
    }

    /// Whether what was sent after it may come without it. Where timers are late nobody has been
    /// told yet that its time is over.
    pub(super) fn is_absent(&self, now: Time) -> bool {
        !self.released && (self.is_over() || self.deadline <= now)
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
                released: false,
                reply_refused: false,
                ended: false,
                never_ran: false,
            },
        );
        self.deadlines.insert((deadline, place));
    }

    /// It goes on as an event, which has to be received; but not one whose time was over, although
    /// nobody had noticed yet.
    pub(super) fn call_released(&mut self, place: usize, at: Time) {
        let now = self.by_its_clock(at);
        let call = self.call(place);
        call.ended = true;
        let deadline = call.deadline;
        call.released = deadline > now;
        self.deadlines.remove(&(deadline, place));
        if deadline <= now {
            return;
        }
        let sent = &self.sent[place];
        self.missing += usize::from(sent.kind == Kind::Call && !sent.received);
    }

    pub(super) fn is_released(&self, place: usize) -> bool {
        self.calls.get(&place).is_some_and(|call| call.released)
    }

    pub(super) fn call_runs(&mut self, place: usize) -> Verdict {
        let call = self.call(place);
        if std::mem::replace(&mut call.ran, true) {
            return Err(Promise::Calls.broken("it ran twice"));
        }
        if call.never_ran {
            return Err(
                Promise::Calls.broken("it ran although its end had said that it never would")
            );
        }
        Ok(())
    }

    pub(super) fn call_answered(&mut self, place: usize, is_refused: bool) {
        let call = self.call(place);
        call.answered = true;
        call.reply_refused = is_refused;
    }

    pub(super) fn call_cancelled(&mut self, place: usize, at: Time) {
        let call = self.call(place);
        call.cancelled = Some(at);
        let deadline = call.deadline;
        self.deadlines.remove(&(deadline, place));
    }

    /// Whether nobody waits for it any more, or will in a moment.
    pub(super) fn call_is_over(&self, place: usize, at: Time) -> bool {
        self.calls.get(&place).is_none_or(|call| {
            let is_over = call.is_over() && !call.released;
            is_over || self.by_its_clock(at) + ROUNDING >= call.deadline
        })
    }

    /// For how long its caller has not wanted it any more.
    pub(super) fn call_unwanted_for(&self, place: usize, at: Time) -> Option<Duration> {
        let cancelled = self.calls.get(&place)?.cancelled?;
        Some(at - cancelled)
    }

    /// Returns whether it brought a reply.
    pub(super) fn call_ends(&mut self, tag: Tag, result: &CallResult, at: Time) -> Verdict<bool> {
        let wrong = |how: &str| Err(Promise::Calls.broken(how));
        let novel = self.sent[tag.place].kind == Kind::NovelCall;
        let on_wire = self.sent[tag.place].on_wire;
        let session_ended = self.ended.is_some();
        let now = self.by_its_clock(at);
        let call = self.call(tag.place);
        if call.cancelled.is_some() {
            return wrong("it had been cancelled");
        }
        if std::mem::replace(&mut call.ended, true) {
            return wrong("it had ended before");
        }
        let early = || {
            let deadline = call.deadline;
            Promise::Deadlines.broken(format!("its deadline is {deadline:?}, and it is {now:?}"))
        };
        let mut replied = false;
        let mut never_ran = false;
        match result {
            Ok(payload) | Err(CallFailure::Rejected(payload)) => {
                if Tag::read(payload) != Some(tag) {
                    return wrong("that is the reply to another call");
                }
                if !call.ran || !call.answered {
                    return wrong("nobody answered it");
                }
                replied = true;
            }
            Err(CallFailure::Failed(Failure::Internal)) if call.answered => {}
            Err(CallFailure::Failed(Failure::TooLarge)) if call.reply_refused => {}
            Err(CallFailure::Failed(Failure::Unsupported)) if novel && !call.ran => {}
            Err(CallFailure::TooLarge) if novel => never_ran = true,
            Err(CallFailure::TooLarge) => return wrong("it is not"),
            Err(CallFailure::Failed(_)) => return wrong("it fits and has a handler"),
            Err(CallFailure::TimedOut { .. } | CallFailure::Full) if now < call.deadline => {
                return Err(early());
            }
            Err(CallFailure::TimedOut { maybe_executed }) => never_ran = !maybe_executed,
            Err(CallFailure::Full) => never_ran = true,
            Err(CallFailure::Disconnected { .. }) if !session_ended => {
                return wrong("its session lives");
            }
            Err(CallFailure::Disconnected { maybe_executed }) => never_ran = !maybe_executed,
        }
        if never_ran && call.ran {
            return wrong("it ran");
        }
        if let Err(
            CallFailure::TimedOut { maybe_executed } | CallFailure::Disconnected { maybe_executed },
        ) = result
            && *maybe_executed != on_wire
        {
            return wrong(if on_wire {
                "it had been sent, and may run"
            } else {
                "it was never sent, and cannot have run"
            });
        }
        call.never_ran = never_ran;
        let deadline = call.deadline;
        self.deadlines.remove(&(deadline, tag.place));
        Ok(replied)
    }

    pub(super) fn open_calls(&self) -> usize {
        self.deadlines.len()
    }

    /// A call whose deadline has passed and that has not ended.
    pub(super) fn overdue(&self, at: Time) -> Option<(Time, usize)> {
        let (deadline, place) = self.deadlines.first().copied()?;
        (deadline < self.by_its_clock(at)).then_some((deadline, place))
    }

    fn call(&mut self, place: usize) -> &mut Call {
        self.calls
            .get_mut(&place)
            .expect("only calls are asked for by their place")
    }
}
