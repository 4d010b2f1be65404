//! One end of a session: what it sent, and what became of that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sente_proto::session::{Delivery, Unconfirmed};
use sente_proto::{FreshReason, Time};

use super::calls::Call;
use super::wire::Wire;
use super::{History, Verdict};
use crate::contract::Kind;
use crate::promise::Promise;
use crate::tag::Tag;

/// Whose end it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Owner {
    Client,
    Server,
}

/// How an end of a session came to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) at: Time,
    /// `None` if its program died.
    pub(crate) reason: Option<FreshReason>,
}

pub(crate) struct Half {
    pub(crate) owner: Owner,
    pub(crate) began: Time,
    pub(crate) peer: Option<usize>,
    pub(crate) ended: Option<End>,
    /// How far the clock of its program has jumped ahead of all others.
    pub(super) ahead: Duration,
    /// When the other end began to use the carrier that this one hears by.
    pub(super) hears_since: Time,
    pub(super) sent: Vec<Sent>,
    /// All reliable events and calls before this place have been dealt with.
    ordered: usize,
    /// Reliable events that were accepted and have not been received.
    pub(super) missing: usize,
    volatile: Option<usize>,
    /// By key: the last place that was sent, and the last that was received.
    latest: BTreeMap<u8, (usize, Option<usize>)>,
    pub(super) calls: BTreeMap<usize, Call>,
    /// Of the calls that have not ended.
    pub(super) deadlines: BTreeSet<(Time, usize)>,
    /// What it has put on carriers.
    pub(super) wire: Wire,
}

pub(super) struct Sent {
    pub(super) kind: Kind,
    key: u8,
    pub(super) at: Time,
    pub(super) received: bool,
    /// It has been given to a carrier.
    pub(super) on_wire: bool,
    /// It came back as one that nobody can have received.
    returned_unsent: bool,
    /// It came back since the other side does not take it.
    not_taken: bool,
}

impl Half {
    pub(super) fn new(owner: Owner, ahead: Duration, at: Time) -> Self {
        Self {
            owner,
            began: at,
            peer: None,
            ended: None,
            ahead,
            hears_since: Time::default(),
            sent: Vec::new(),
            ordered: 0,
            missing: 0,
            volatile: None,
            latest: BTreeMap::new(),
            calls: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            wire: Wire::default(),
        }
    }

    /// What its program takes for the time.
    pub(super) fn by_its_clock(&self, at: Time) -> Time {
        at + self.ahead
    }

    // ---- sending ----

    pub(super) fn accept(&mut self, kind: Kind, key: u8, at: Time) -> usize {
        let place = self.sent.len();
        self.sent.push(Sent {
            kind,
            key,
            at,
            received: false,
            on_wire: false,
            not_taken: false,
            returned_unsent: false,
        });
        match kind {
            Kind::Reliable => self.missing += 1,
            Kind::Latest => self.latest.entry(key).or_insert((place, None)).0 = place,
            Kind::Volatile | Kind::Call | Kind::Novel | Kind::NovelCall => {}
        }
        place
    }

    /// The last of those accepted was refused.
    pub(super) fn refuse(&mut self, place: usize) {
        let last = self.sent.pop();
        debug_assert_eq!(place, self.sent.len());
        match last.map(|sent| (sent.kind, sent.key)) {
            Some((Kind::Reliable, _)) => self.missing -= 1,
            Some((Kind::Latest, key)) => {
                let before = self
                    .sent
                    .iter()
                    .rposition(|sent| sent.kind == Kind::Latest && sent.key == key);
                match (before, self.latest.get_mut(&key)) {
                    (Some(before), Some(latest)) => latest.0 = before,
                    _ => drop(self.latest.remove(&key)),
                }
            }
            _ => {}
        }
    }

    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    // ---- what the other end received of it ----

    pub(super) fn delivered(&mut self, place: usize, kind: Kind, at: Time) -> Verdict {
        let Some(sent) = self.sent.get_mut(place) else {
            return Err(Promise::Once.broken("it was never sent"));
        };
        if sent.kind != kind {
            return Err(Promise::Once.broken(format!("it was sent as {:?}", sent.kind)));
        }
        if std::mem::replace(&mut sent.received, true) {
            return Err(Promise::Once.broken("it was given to its handler twice"));
        }
        if sent.returned_unsent {
            let how = "it had come back as one that cannot have been received";
            return Err(Promise::Unconfirmed.broken(how));
        }
        let key = sent.key;
        match kind {
            Kind::Reliable => {
                self.in_order(place, at)?;
                self.missing -= 1;
            }
            Kind::Call => {
                self.in_order(place, at)?;
                self.call_runs(place)?;
                self.missing -= usize::from(self.is_released(place));
            }
            Kind::Volatile => {
                if self.volatile >= Some(place) {
                    let how = format!("it came after {:?}", self.volatile);
                    return Err(Promise::Order.broken(how));
                }
                self.volatile = Some(place);
            }
            Kind::Latest => {
                let received = &mut self.latest.entry(key).or_insert((place, None)).1;
                if *received >= Some(place) {
                    let how = format!("it came after {received:?} of the same key");
                    return Err(Promise::Classes.broken(how));
                }
                *received = Some(place);
            }
            Kind::Novel | Kind::NovelCall => {
                return Err(Promise::Once.broken("the receiver does not know such"));
            }
        }
        Ok(())
    }

    fn in_order(&mut self, place: usize, at: Time) -> Verdict {
        let now = self.by_its_clock(at);
        if place < self.ordered {
            let how = format!("it came after {}", self.ordered - 1);
            return Err(Promise::Order.broken(how));
        }
        for before in self.ordered..place {
            let gone = match self.sent[before].kind {
                Kind::Reliable => false,
                Kind::Call => self.calls[&before].is_absent(now),
                Kind::Latest | Kind::Volatile | Kind::Novel | Kind::NovelCall => true,
            };
            if !gone {
                return Err(Promise::Order.broken(format!(
                    "it came before {:?} {before}, which was sent earlier",
                    self.sent[before].kind
                )));
            }
        }
        self.ordered = place + 1;
        Ok(())
    }

    // ---- the end ----

    pub(super) fn vanish(&mut self, at: Time) {
        self.ended = Some(End { at, reason: None });
        self.deadlines.clear();
    }

    /// What the other side turns out not to take comes back, and has not been sent.
    pub(super) fn not_taken(&mut self, half: usize, events: &Unconfirmed) -> Verdict {
        for event in &events.events {
            let tag = Tag::read(&event.payload).filter(|tag| tag.half == half);
            let sent = tag.and_then(|tag| self.sent.get_mut(tag.place));
            let is_right = sent.is_some_and(|sent| {
                let is_novel = matches!(sent.kind, Kind::Novel | Kind::NovelCall);
                is_novel && !sent.on_wire && !std::mem::replace(&mut sent.not_taken, true)
            });
            if !is_right || event.maybe_received || event.refusal.is_none() {
                let how = format!("{tag:?} came back, and the other side takes it");
                return Err(Promise::Unconfirmed.broken(how));
            }
        }
        Ok(())
    }

    /// Everything was received, or comes back.
    pub(super) fn end(
        &mut self,
        half: usize,
        reason: FreshReason,
        unconfirmed: &Unconfirmed,
        at: Time,
    ) -> Verdict {
        let wrong = |how: String| Err(Promise::Unconfirmed.broken(how));
        self.ended = Some(End {
            at,
            reason: Some(reason),
        });
        let mut returned = BTreeSet::new();
        for event in &unconfirmed.events {
            let tag = Tag::read(&event.payload).filter(|tag| tag.half == half);
            let Some(tag) = tag else {
                return wrong(format!("half {half} got back what it had not sent"));
            };
            let is_released = self.is_released(tag.place);
            let sent = &mut self.sent[tag.place];
            let delivery = match sent.kind {
                Kind::Reliable | Kind::Novel => Delivery::Reliable,
                Kind::Call | Kind::NovelCall if is_released => Delivery::Reliable,
                Kind::Latest => Delivery::Latest,
                kind => return wrong(format!("{kind:?} {tag} came back")),
            };
            if delivery != event.delivery {
                return wrong(format!("{tag} came back as {:?}", event.delivery));
            }
            if sent.kind == Kind::Latest && self.latest[&sent.key].0 != tag.place {
                return wrong(format!("{tag} came back and is not the latest of its key"));
            }
            if event.maybe_received != sent.on_wire {
                return wrong(format!(
                    "{tag} came back as maybe received: {}, and it had been sent: {}",
                    event.maybe_received, sent.on_wire
                ));
            }
            if !event.maybe_received {
                if sent.received {
                    return wrong(format!("{tag} came back as never sent and was received"));
                }
                sent.returned_unsent = true;
            }
            if returned.last() >= Some(&tag.place) {
                return wrong(format!("{tag} came back out of order"));
            }
            returned.insert(tag.place);
        }
        for (place, sent) in self.sent.iter().enumerate() {
            let owed = match sent.kind {
                Kind::Reliable => true,
                Kind::Latest => self.latest[&sent.key].0 == place,
                Kind::Call => self.is_released(place),
                Kind::Novel => self.owner == Owner::Client && !sent.not_taken,
                _ => false,
            };
            if owed && !sent.received && !returned.contains(&place) {
                return wrong(format!(
                    "{:?} {half}/{place} was neither received nor came back",
                    sent.kind
                ));
            }
        }
        Ok(())
    }

    /// Whether the reason told is the one for which the other end had ended.
    pub(super) fn check_reason(&self, peer: Option<&Self>, history: &History, at: Time) -> Verdict {
        let wrong = |how: String| Err(Promise::Announced.broken(how));
        let Some(End {
            reason: Some(reason),
            ..
        }) = self.ended
        else {
            return Ok(());
        };
        if matches!(reason, FreshReason::Violation) {
            return Err(Promise::Protocol.broken("no program broke the protocol"));
        }
        let Some(peer) = peer.filter(|_| self.owner == Owner::Client) else {
            return Ok(());
        };
        let own = matches!(reason, FreshReason::Requested | FreshReason::Replaced);
        let restarted = history.restarted >= Some(self.began);
        match peer.ended {
            _ if own => Ok(()),
            None => wrong("the session lives on at the server".to_owned()),
            Some(_) if reason == FreshReason::Restarted && restarted => Ok(()),
            // Why it ended is remembered for as long as the session would have lived, by a clock
            // that may jump.
            Some(End {
                at: ended,
                reason: Some(_),
            }) if reason == FreshReason::Expired
                && (at - ended > Duration::from_secs(5) || history.jumped >= Some(ended)) =>
            {
                Ok(())
            }
            Some(End {
                reason: Some(told), ..
            }) if told == reason => Ok(()),
            Some(end) => wrong(format!("the server ended it with {:?}", end.reason)),
        }
    }

    // ---- when all is quiet ----

    pub(super) fn is_settled(&self) -> Verdict {
        if self.missing > 0 {
            let how = format!("{} reliable events were not delivered", self.missing);
            return Err(Promise::Arrival.broken(how));
        }
        if !self.deadlines.is_empty() {
            let how = format!("{} calls are open", self.deadlines.len());
            return Err(Promise::Calls.broken(how));
        }
        for (key, (sent, received)) in &self.latest {
            if *received != Some(*sent) {
                return Err(Promise::Classes.broken(format!(
                    "the latest of key {key} is {sent} and {received:?} was received last"
                )));
            }
        }
        Ok(())
    }
}
