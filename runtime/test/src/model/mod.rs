//! What has to be true of a run, beside the machines: who sent what, what came, what came back.
//!
//! The model sees what programs see, and nothing of numbers, acknowledgements or carriers. It finds
//! fault with what a program would.

//!
//! There is one time, that of the world. A program whose clock has jumped lives ahead of it, and its
//! deadlines are its own.

mod calls;
mod half;
mod wire;

use std::time::Duration;

use sente_proto::frame::Data;
use sente_proto::session::{CallResult, Unconfirmed};
use sente_proto::{FreshReason, Time};

use crate::contract::{Kind, Version};
use crate::promise::{Promise, Verdict};
use crate::tag::Tag;
pub(crate) use half::{Half, Owner};

/// Where nothing goes wrong, the other side hears of everything within this.
pub(crate) const PROMPT: Duration = Duration::from_secs(2);

/// Both ends of all sessions of a run, those that have ended too.
#[derive(Default)]
pub(crate) struct Model {
    halves: Vec<Half>,
    /// Those that have not ended, to be looked at after every step.
    live: Vec<usize>,
    history: History,
    /// Nothing goes wrong.
    pub(crate) is_calm: bool,
    pub(crate) delivered: u64,
    pub(crate) replied: u64,
}

/// What has befallen the server.
#[derive(Default)]
struct History {
    /// When its program last died.
    restarted: Option<Time>,
    /// When its clock last jumped.
    jumped: Option<Time>,
}

impl Model {
    /// One end of a session begins, in a program whose clock is that far ahead.
    pub(crate) fn begin(&mut self, owner: Owner, ahead: Duration, at: Time) -> usize {
        let half = self.halves.len();
        self.halves.push(Half::new(owner, ahead, at));
        self.live.push(half);
        half
    }

    pub(crate) fn half(&self, half: usize) -> &Half {
        &self.halves[half]
    }

    /// Two halves are the ends of one session.
    pub(crate) fn join(&mut self, one: usize, other: usize) -> Verdict {
        for (half, peer) in [(one, other), (other, one)] {
            match self.halves[half].peer {
                None => self.halves[half].peer = Some(peer),
                Some(own) if own == peer => {}
                Some(own) => {
                    return Err(Promise::Once.broken(format!(
                        "half {half} is joined to {peer} and was to {own}: two sessions are mixed"
                    )));
                }
            }
        }
        Ok(())
    }

    /// From now on the ends of a session hear each other by a carrier that the server's, `half`, has
    /// used since then, and the client's since then, if the server hears by it already.
    pub(crate) fn hear_each_other(&mut self, half: usize, served: Time, used: Option<Time>) {
        if let Some(client) = self.halves[half].peer {
            self.halves[client].hears_since = served;
        }
        if let Some(used) = used {
            self.halves[half].hears_since = used;
        }
    }

    /// The clock of the program at `half` is that far ahead now.
    pub(crate) fn clock_jumps(&mut self, half: usize, ahead: Duration) {
        self.halves[half].ahead = ahead;
    }

    /// The server's clock has jumped.
    pub(crate) fn server_clock_jumps(&mut self, at: Time) {
        self.history.jumped = Some(at);
    }

    // ---- sending ----

    /// An event was accepted for sending.
    pub(crate) fn sends(&mut self, half: usize, kind: Kind, key: u8, at: Time) -> Tag {
        let place = self.halves[half].accept(kind, key, at);
        Tag { half, place }
    }

    /// It was not accepted after all.
    pub(crate) fn refused(&mut self, tag: Tag) {
        self.halves[tag.half].refuse(tag.place);
    }

    /// A call was accepted, and has a deadline.
    pub(crate) fn calls(&mut self, half: usize, kind: Kind, deadline: Time, at: Time) -> Tag {
        let tag = self.sends(half, kind, 0, at);
        self.halves[half].call_begins(tag.place, deadline);
        tag
    }

    /// The caller wants no reply any more, and the call goes on without it.
    pub(crate) fn releases(&mut self, tag: Tag, at: Time) {
        self.halves[tag.half].call_released(tag.place, at);
    }

    /// Events of `half` come back, since the server does not take them.
    pub(crate) fn not_taken(&mut self, half: usize, events: &Unconfirmed) -> Verdict {
        self.halves[half].not_taken(half, events)
    }

    // ---- receiving ----

    /// An event or a call was given to its handler at `half`.
    pub(crate) fn arrives(&mut self, half: usize, tag: Tag, kind: Kind, at: Time) -> Verdict {
        if tag.half >= self.halves.len() {
            let how = format!("{tag} was given to a handler and never sent");
            return Err(Promise::Once.broken(how));
        }
        self.join(half, tag.half)?;
        if self.halves[half].ended.is_some_and(|end| end.at < at) {
            return Err(Promise::Once.broken(format!(
                "{tag} was given to a handler after the end of its session"
            )));
        }
        self.halves[tag.half]
            .delivered(tag.place, kind, at)
            .map_err(|wrong| wrong.at(format!("{kind:?} {tag}")))?;
        if kind == Kind::Volatile {
            let sent_at = self.halves[tag.half].sent[tag.place].at;
            if sent_at < self.halves[half].hears_since {
                let how = format!("volatile {tag} has outlived its carrier");
                return Err(Promise::Classes.broken(how));
            }
        }
        self.delivered += 1;
        Ok(())
    }

    /// The handler of a call at `half` is no longer wanted. `is_ahead` says that the clock there
    /// has jumped since the call came, and may have run out for it.
    pub(crate) fn handler_cancelled(
        &self,
        half: usize,
        tag: Tag,
        is_ahead: bool,
        at: Time,
    ) -> Verdict {
        if self.halves[half].ended.is_some() {
            return Ok(());
        }
        let caller = &self.halves[tag.half];
        if self.is_calm && caller.call_unwanted_for(tag.place, at) > Some(PROMPT) {
            return Err(Promise::Deadlines.broken(format!(
                "the handler of call {tag} was not told in time that its caller has cancelled it"
            )));
        }
        if is_ahead || caller.ended.is_some() || caller.call_is_over(tag.place, at) {
            return Ok(());
        }
        Err(Promise::Deadlines.broken(format!(
            "the handler of call {tag} was cancelled; its caller still waits"
        )))
    }

    /// The handler of a call has answered. There may have been no room for that.
    pub(crate) fn answers(&mut self, tag: Tag, is_refused: bool) {
        self.halves[tag.half].call_answered(tag.place, is_refused);
    }

    // ---- the ends of calls ----

    /// A caller has cancelled its call.
    pub(crate) fn cancels(&mut self, tag: Tag, at: Time) {
        self.halves[tag.half].call_cancelled(tag.place, at);
    }

    /// A call has ended at its caller.
    pub(crate) fn call_ends(&mut self, tag: Tag, result: &CallResult, at: Time) -> Verdict {
        let replied = self.halves[tag.half]
            .call_ends(tag, result, at)
            .map_err(|wrong| wrong.at(format!("call {tag} ended with {result:?}")))?;
        self.replied += u64::from(replied);
        Ok(())
    }

    // ---- the end of a session ----

    /// One end of a session has been told that it is over.
    pub(crate) fn ends(
        &mut self,
        half: usize,
        reason: FreshReason,
        unconfirmed: &Unconfirmed,
        at: Time,
    ) -> Verdict {
        self.live.retain(|live| *live != half);
        self.halves[half].end(half, reason, unconfirmed, at)?;
        let peer = self.halves[half].peer;
        self.halves[half]
            .check_reason(peer.map(|peer| &self.halves[peer]), &self.history, at)
            .map_err(|wrong| wrong.at(format!("half {half} ended with {reason:?}")))
    }

    /// The server program has died.
    pub(crate) fn restarts(&mut self, at: Time) {
        self.history.restarted = Some(at);
    }

    /// One end of a session has vanished with its program.
    pub(crate) fn vanishes(&mut self, half: usize, at: Time) {
        self.live.retain(|live| *live != half);
        self.halves[half].vanish(at);
    }

    // ---- after every step ----

    /// A data frame is given to a carrier. Returns how many of its items had been before.
    pub(crate) fn puts_on_wire(
        &mut self,
        half: usize,
        version: Version,
        data: &Data,
        at: Time,
    ) -> Verdict<usize> {
        self.halves[half].puts_on_wire(half, version, data, at)
    }

    /// No call of `half` is open once its end was told.
    pub(crate) fn check_calls_ended(&self, half: usize) -> Verdict {
        match self.halves[half].open_calls() {
            0 => Ok(()),
            open => {
                Err(Promise::Calls
                    .broken(format!("half {half} has ended and {open} of its calls not")))
            }
        }
    }

    /// What is in an outbox covers what has not been received.
    pub(crate) fn check_outbox(&self, half: usize, queued: usize) -> Verdict {
        let missing = self.halves[half].missing();
        if missing > queued {
            return Err(Promise::Arrival.broken(format!(
                "half {half} waits for the delivery of {missing} reliable events and has {queued} \
                 items in its outbox: some were lost"
            )));
        }
        Ok(())
    }

    /// No call is open whose deadline has passed.
    pub(crate) fn check_deadlines(&self, half: usize, at: Time) -> Verdict {
        match self.halves[half].overdue(at) {
            Some((deadline, place)) => Err(Promise::Deadlines.broken(format!(
                "call {half}/{place} should have ended at {deadline:?}"
            ))),
            None => Ok(()),
        }
    }

    // ---- when all is quiet ----

    /// Whether all that `half` has sent has been delivered.
    pub(crate) fn is_delivered(&self, half: usize) -> bool {
        self.halves[half].is_settled().is_ok()
    }

    /// Whether all that lives has been delivered.
    pub(crate) fn is_settled(&self) -> Verdict {
        for half in &self.live {
            // The other end of a session that waits for its window to pass may be gone.
            let peer = self.halves[*half].peer.map(|peer| &self.halves[peer]);
            if peer.is_none_or(|peer| peer.ended.is_some()) {
                continue;
            }
            self.halves[*half]
                .is_settled()
                .map_err(|wrong| wrong.at(format!("half {half}")))?;
        }
        Ok(())
    }
}
