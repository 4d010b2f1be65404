//! The program at one end of a session: it sends, calls, cancels, handles, replies, by chance.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use sente_proto::Time;
use sente_proto::frame::{Failure, Outcome};
use sente_proto::session::{
    Arrival, CallFailure, CallId, Delivery, Event, IncomingCall, Outgoing, Refusal, Session,
};

use crate::contract::{Kind, Version};
use crate::coverage::Coverage;
use crate::model::Model;
use crate::plan::Plan;
use crate::promise::{Promise, Verdict};
use crate::report::Trace;
use crate::rng::Rng;
use crate::tag::Tag;

/// What a program sees of the world.
pub(super) struct Scene<'a> {
    /// The time of the world.
    pub(super) at: Time,
    /// What the program's clock shows, and how far that is ahead.
    pub(super) now: Time,
    pub(super) ahead: Duration,
    pub(super) plan: &'a Plan,
    pub(super) rng: &'a mut Rng,
    pub(super) model: &'a mut Model,
    pub(super) coverage: &'a mut Coverage,
    pub(super) trace: &'a mut Trace,
}

/// Something that a slow handler does at its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// The handler of an event has finished.
    Finish,
    /// That of a call.
    Answer { call: IncomingCall, tag: Tag },
}

pub(super) struct Program {
    pub(super) half: usize,
    /// The half before this one, of which news may still be under way within a step.
    before: Option<usize>,
    pub(super) version: Version,
    calls: BTreeMap<CallId, Tag>,
    /// Those of them that had to wait for room.
    waited: BTreeSet<CallId>,
    running: BTreeMap<IncomingCall, Running>,
    events_running: usize,
    later: Vec<(Duration, Work)>,
    /// Since when all has been delivered, and the session has not heard of it.
    pub(super) unacknowledged: Option<Time>,
}

#[derive(Clone, Copy)]
struct Running {
    half: usize,
    tag: Tag,
    /// How far the clock was ahead when the call came.
    ahead: Duration,
}

impl Program {
    pub(super) fn new(half: usize, version: Version) -> Self {
        Self {
            half,
            before: None,
            version,
            calls: BTreeMap::new(),
            waited: BTreeSet::new(),
            running: BTreeMap::new(),
            events_running: 0,
            later: Vec::new(),
            unacknowledged: None,
        }
    }

    /// A fresh session takes the place of the last one.
    pub(super) fn goes_on_as(&mut self, half: usize) {
        self.before = Some(std::mem::replace(&mut self.half, half));
    }

    /// All news of a step have been heard.
    pub(super) fn step_is_over(&mut self, model: &Model) -> Verdict {
        if let Some(before) = self.before.take() {
            model.check_calls_ended(before)?;
            if let Some(running) = self.running.values().find(|it| it.half == before) {
                return Err(Promise::Calls.broken(format!(
                    "the handler of call {} runs on after the end of its session",
                    running.tag
                )));
            }
        }
        Ok(())
    }

    /// What handlers are going to do.
    pub(super) fn take_later(&mut self) -> Vec<(Duration, Work)> {
        std::mem::take(&mut self.later)
    }

    /// Handlers that run, those of ended sessions too.
    pub(super) fn handlers(&self) -> usize {
        self.events_running + self.running.len()
    }

    /// No call waits for room while there is some.
    pub(super) fn check_room(&self, session: &Session) -> Verdict {
        let waiting = session.calls_waiting();
        if !is_full(session) && waiting > 0 {
            return Err(Promise::Arrival.broken(format!(
                "{waiting} calls of half {} wait for room, and there is some",
                self.half
            )));
        }
        Ok(())
    }

    // ---- of its own accord ----

    /// Does something. Returns whether the outbox was full.
    pub(super) fn act(&mut self, session: &mut Session, scene: &mut Scene<'_>) -> Verdict<bool> {
        let kind = match scene.rng.below(100) {
            0..40 => Kind::Reliable,
            40..55 => Kind::Latest,
            55..65 => Kind::Volatile,
            65..90 => Kind::Call,
            90..92 => Kind::Novel,
            92..94 => Kind::NovelCall,
            _ => {
                self.cancel(session, scene);
                return Ok(false);
            }
        };
        let largest = scene.plan.largest();
        let (event, size) = match (kind, self.version.number(kind)) {
            (_, Some(event)) => (event, size(largest, scene.rng)),
            // Accepted as long as nobody has said that it is too large, and never sent.
            (Kind::Novel, None) if session.limits().max_message > largest => {
                scene.coverage.meet("event: too large there");
                (
                    self.version.number(Kind::Reliable).unwrap_or(0),
                    largest + 1,
                )
            }
            (Kind::NovelCall, None) if session.limits().max_message > largest => {
                (self.version.number(Kind::Call).unwrap_or(0), largest + 1)
            }
            _ => return Ok(false),
        };
        match kind {
            Kind::Call | Kind::NovelCall => self.call(session, scene, kind, event, size),
            _ => self.send(session, scene, kind, event, size),
        }
    }

    fn send(
        &mut self,
        session: &mut Session,
        scene: &mut Scene<'_>,
        kind: Kind,
        event: u32,
        size: usize,
    ) -> Verdict<bool> {
        let key = scene.rng.below(3) as u8;
        let tag = scene.model.sends(self.half, kind, key, scene.at);
        let event = Outgoing {
            event,
            payload: tag.payload(size),
            delivery: match kind {
                Kind::Latest => Delivery::Latest,
                Kind::Volatile => Delivery::Volatile,
                _ => Delivery::Reliable,
            },
            key: match kind {
                Kind::Latest => Bytes::copy_from_slice(&[key]),
                _ => Bytes::new(),
            },
        };
        let dropped = session.counts().dropped_volatile;
        let queued = session.queued();
        let was_full = is_full(session);
        let result = session.send(scene.now, event);
        if was_full && result.is_ok() && kind != Kind::Volatile {
            let how = format!("{kind:?} {tag} was accepted into a full outbox");
            return Err(Promise::Bounded.broken(how));
        }
        if session.counts().dropped_volatile > dropped {
            scene.coverage.meet("event: volatile dropped");
        } else if kind == Kind::Latest && result.is_ok() && session.queued() == queued {
            scene.coverage.meet("event: latest superseded");
        }
        scene.trace.note(scene.at, || {
            format!("{tag} {kind:?} is sent: {}", shown(&result))
        });
        match result {
            Ok(()) => Ok(false),
            Err(refusal) => {
                scene.model.refused(tag);
                refused(scene, kind, refusal)
            }
        }
    }

    fn call(
        &mut self,
        session: &mut Session,
        scene: &mut Scene<'_>,
        kind: Kind,
        event: u32,
        size: usize,
    ) -> Verdict<bool> {
        let wait = Duration::from_millis(50)..Duration::from_secs(8);
        let deadline = scene.now + scene.rng.within(&wait);
        let tag = scene.model.calls(self.half, kind, deadline, scene.at);
        let waiting = session.calls_waiting();
        let result = session.call(scene.now, outgoing(event, tag, size), deadline);
        scene.trace.note(scene.at, || {
            format!("{tag} {kind:?} is made: {}", shown(&result))
        });
        match result {
            Ok(call) => {
                self.calls.insert(call, tag);
                if session.calls_waiting() > waiting {
                    self.waited.insert(call);
                    scene.coverage.meet("call: waits for room");
                }
                Ok(false)
            }
            Err(refusal) => {
                scene.model.cancels(tag, scene.at);
                refused(scene, kind, refusal)
            }
        }
    }

    fn cancel(&mut self, session: &mut Session, scene: &mut Scene<'_>) {
        if self.calls.is_empty() {
            return;
        }
        let chosen = scene.rng.below(self.calls.len());
        let Some((call, tag)) = self
            .calls
            .iter()
            .nth(chosen)
            .map(|(call, tag)| (*call, *tag))
        else {
            return;
        };
        self.calls.remove(&call);
        self.waited.remove(&call);
        if scene.rng.chance(0.3) && session.release(scene.now, call).is_ok() {
            scene
                .trace
                .note(scene.at, || format!("{tag} Call is released"));
            scene.coverage.meet("call: released");
            scene.model.releases(tag, scene.at);
            return;
        }
        scene
            .trace
            .note(scene.at, || format!("{tag} Call is cancelled"));
        scene.coverage.meet("call: cancelled");
        scene.model.cancels(tag, scene.at);
        session.cancel(scene.now, call);
    }

    /// A slow handler has come to its end.
    pub(super) fn work(
        &mut self,
        session: &mut Session,
        scene: &mut Scene<'_>,
        work: Work,
    ) -> Verdict {
        match work {
            Work::Finish => {
                self.events_running -= 1;
                session.finished();
            }
            Work::Answer { call, tag } => {
                // Its call may have been cancelled. Half of the handlers do not know that yet.
                if self.running.contains_key(&call) {
                    self.answer(session, scene, call, tag)?;
                } else if scene.rng.chance(0.5) {
                    session.reply(scene.now, call, Outcome::Reply(tag.payload(20)));
                }
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        session: &mut Session,
        scene: &mut Scene<'_>,
        call: IncomingCall,
        tag: Tag,
    ) -> Verdict {
        let payload = tag.payload(size(scene.plan.largest(), scene.rng));
        let outcome = match scene.rng.below(10) {
            0 => Outcome::Rejected(payload),
            1 => Outcome::Failed(Failure::Internal),
            _ => Outcome::Reply(payload),
        };
        scene
            .trace
            .note(scene.at, || format!("{tag} Call is answered"));
        self.running.remove(&call);
        let before = (session.queued_bytes(), session.counts().refused_replies);
        session.reply(scene.now, call, outcome);
        let is_refused = session.counts().refused_replies > before.1;
        if is_refused {
            scene.coverage.meet("call: its reply finds no room");
            if before.0 < 2 * session.limits().outbox_bytes {
                let how = format!("the reply to {tag} found no room, and there was some");
                return Err(Promise::Arrival.broken(how));
            }
        }
        scene.model.answers(tag, is_refused);
        Ok(())
    }

    // ---- what the session tells ----

    pub(super) fn hear(
        &mut self,
        session: &mut Session,
        scene: &mut Scene<'_>,
        event: Event,
    ) -> Verdict {
        match event {
            Event::Event(arrival) => {
                let _ = self.arrives(scene, &arrival)?;
                if scene.rng.chance(scene.plan.slow_handlers) {
                    self.events_running += 1;
                    self.later.push((pause(scene.rng), Work::Finish));
                } else {
                    session.finished();
                }
            }
            Event::Call { call, arrival, .. } => {
                let (half, tag) = self.arrives(scene, &arrival)?;
                let ahead = scene.ahead;
                self.running.insert(call, Running { half, tag, ahead });
                match scene.rng.below(20) {
                    // Its caller's deadline ends it, or the session's end.
                    0 => {}
                    _ if scene.rng.chance(scene.plan.slow_handlers * 2.0) => {
                        let work = Work::Answer { call, tag };
                        self.later.push((pause(scene.rng), work));
                    }
                    _ => self.answer(session, scene, call, tag)?,
                }
            }
            Event::Cancelled { call } => {
                // It may have been answered in the same moment.
                if let Some(Running { half, tag, ahead }) = self.running.remove(&call) {
                    scene.coverage.meet("call: its handler cancelled");
                    scene
                        .trace
                        .note(scene.at, || format!("{tag} handler is cancelled"));
                    let is_ahead = scene.ahead > ahead;
                    scene
                        .model
                        .handler_cancelled(half, tag, is_ahead, scene.at)?;
                }
            }
            Event::Completed(call) => self.completed(session, scene, call)?,
            // Its sender has counted it, or is told.
            Event::Refused { .. } => {}
        }
        Ok(())
    }

    fn arrives(&mut self, scene: &mut Scene<'_>, arrival: &Arrival) -> Verdict<(usize, Tag)> {
        let garbled = |what| move || Promise::Once.broken(what);
        let tag = Tag::read(&arrival.payload).ok_or_else(garbled("a payload was garbled"))?;
        let kind = self
            .version
            .kind(arrival.event)
            .ok_or_else(garbled("an event has a number that there is not"))?;
        let before = self
            .before
            .filter(|before| scene.model.half(*before).peer == Some(tag.half));
        let half = before.unwrap_or(self.half);
        scene
            .trace
            .note(scene.at, || format!("{tag} {kind:?} arrives at {half}"));
        scene.coverage.meet(match kind {
            Kind::Reliable => "event: reliable delivered",
            Kind::Latest => "event: latest delivered",
            Kind::Volatile => "event: volatile delivered",
            _ => "call: delivered",
        });
        scene.model.arrives(half, tag, kind, scene.at)?;
        Ok((half, tag))
    }

    fn completed(&mut self, session: &mut Session, scene: &mut Scene<'_>, call: CallId) -> Verdict {
        let tag = self.calls.remove(&call).ok_or_else(|| {
            Promise::Calls.broken("a call ended that was never made, or had ended")
        })?;
        let waited = self.waited.remove(&call);
        let result = session
            .take_result(call)
            .ok_or_else(|| Promise::Calls.broken(format!("call {tag} ended without a result")))?;
        scene.trace.note(scene.at, || match &result {
            Ok(_) => format!("{tag} Call brings a reply"),
            Err(CallFailure::Rejected(_)) => format!("{tag} Call is rejected"),
            Err(failure) => format!("{tag} Call fails: {failure:?}"),
        });
        scene.coverage.meet(match &result {
            Ok(_) => "call: replied",
            Err(CallFailure::Rejected(_)) => "call: rejected",
            Err(CallFailure::Failed(_)) => "call: failed",
            Err(CallFailure::TimedOut { maybe_executed }) if *maybe_executed => {
                "call: timed out, maybe executed"
            }
            Err(CallFailure::TimedOut { .. }) => "call: timed out, never sent",
            Err(CallFailure::Disconnected { maybe_executed }) if *maybe_executed => {
                "call: disconnected, maybe executed"
            }
            Err(CallFailure::Disconnected { .. }) => "call: disconnected, never sent",
            Err(CallFailure::Full) => "call: finds no room in time",
            Err(CallFailure::TooLarge) => "call: too large there",
        });
        if waited && !matches!(result, Err(CallFailure::Full)) {
            scene.coverage.meet("call: gets room");
        }
        scene.model.call_ends(tag, &result, scene.at)
    }
}

fn is_full(session: &Session) -> bool {
    let limits = session.limits();
    session.queued() >= limits.outbox_events || session.queued_bytes() >= limits.outbox_bytes
}

fn refused(scene: &mut Scene<'_>, kind: Kind, refusal: Refusal) -> Verdict<bool> {
    match refusal {
        Refusal::Full => {
            scene.coverage.meet("event: refused by a full outbox");
            Ok(true)
        }
        Refusal::Unsupported | Refusal::TooLarge { .. }
            if matches!(kind, Kind::Novel | Kind::NovelCall) =>
        {
            scene.coverage.meet("event: not known there");
            Ok(false)
        }
        refusal => Err(Promise::Arrival.broken(format!("{kind:?} was refused: {refusal:?}"))),
    }
}

fn outgoing(event: u32, tag: Tag, size: usize) -> Outgoing {
    Outgoing {
        event,
        payload: tag.payload(size),
        delivery: Delivery::Reliable,
        key: Bytes::new(),
    }
}

/// Most payloads are small, some fill a frame, few are as large as may be.
fn size(max: usize, rng: &mut Rng) -> usize {
    match rng.below(100) {
        0..90 => 20 + rng.below(60),
        90..98 => rng.below(10_000).min(max),
        _ => max,
    }
}

fn pause(rng: &mut Rng) -> Duration {
    rng.within(&(Duration::from_millis(1)..Duration::from_secs(3)))
}

fn shown<T>(result: &Result<T, Refusal>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(refusal) => format!("{refusal:?}"),
    }
}
