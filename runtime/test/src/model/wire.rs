//! What one end of a session puts on carriers: a number means the same thing for ever.

use sente_proto::Time;
use sente_proto::frame::{Data, Item};

use super::Verdict;
use super::calls::ROUNDING;
use super::half::Half;
use crate::contract::{Kind, Version};
use crate::promise::Promise;
use crate::tag::Tag;

/// By number, from 1.
#[derive(Default)]
pub(super) struct Wire(Vec<Numbered>);

/// What a number has stood for so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Numbered {
    Event(Kind, usize),
    Call(usize),
    Reply(u64),
    Cancel(u64),
    Skipped,
}

impl Numbered {
    /// Whether it may be passed over when it is sent again.
    fn may_be_skipped(self) -> bool {
        match self {
            Self::Event(kind, _) => !matches!(kind, Kind::Reliable | Kind::Novel | Kind::Call),
            Self::Call(_) | Self::Skipped => true,
            Self::Reply(_) | Self::Cancel(_) => false,
        }
    }
}

impl Half {
    /// This end, of that number among all, gives a data frame to a carrier. Returns how many of its
    /// items had been given to one before.
    pub(super) fn puts_on_wire(
        &mut self,
        half: usize,
        version: Version,
        data: &Data,
        at: Time,
    ) -> Verdict<usize> {
        let mut replayed = 0;
        let mut number = data.first as usize;
        for item in &data.items {
            let (numbered, count) = match item {
                Item::Event { event, payload } => {
                    let place = own(half, payload)?;
                    let kind = version.kind(*event).unwrap_or(Kind::Novel);
                    self.sent[place].on_wire = true;
                    (Numbered::Event(kind, place), 1)
                }
                Item::Call {
                    payload, remaining, ..
                } => {
                    let place = own(half, payload)?;
                    self.sent[place].on_wire = true;
                    let until = self.by_its_clock(at) + *remaining;
                    let call = self.calls.get(&place);
                    if call.is_some_and(|call| until > call.deadline + ROUNDING) {
                        return Err(Promise::Deadlines.broken(format!(
                            "call {half}/{place} goes out with {remaining:?} to go, which is more \
                             than it has"
                        )));
                    }
                    (Numbered::Call(place), 1)
                }
                Item::Reply { call, .. } => (Numbered::Reply(*call), 1),
                Item::Cancel { call } => (Numbered::Cancel(*call), 1),
                Item::Skip { count } => (Numbered::Skipped, *count as usize),
            };
            for number in number..number + count {
                let is_replayed = self
                    .wire
                    .note(number, numbered)
                    .map_err(|wrong| wrong.at(format!("half {half}, number {number}")))?;
                replayed += usize::from(is_replayed);
            }
            number += count;
        }
        Ok(replayed)
    }
}

impl Wire {
    /// Returns whether the number had stood for something before.
    fn note(&mut self, number: usize, new: Numbered) -> Verdict<bool> {
        if number == 0 || number > self.0.len() + 1 {
            let how = format!("the last one was {}", self.0.len());
            return Err(Promise::Once.broken(how));
        }
        let Some(old) = self.0.get_mut(number - 1) else {
            self.0.push(new);
            return Ok(false);
        };
        let is_skipped = new == Numbered::Skipped && old.may_be_skipped();
        let is_released = matches!((*old, new), (Numbered::Call(old), Numbered::Event(Kind::Call, new)) if old == new);
        if *old != new && !is_skipped && !is_released {
            let how = format!("it stands for {new:?} and stood for {old:?}");
            return Err(Promise::Once.broken(how));
        }
        *old = new;
        Ok(true)
    }
}

fn own(half: usize, payload: &[u8]) -> Verdict<usize> {
    Tag::read(payload)
        .filter(|tag| tag.half == half)
        .map(|tag| tag.place)
        .ok_or_else(|| Promise::Once.broken(format!("half {half} sends what is not its own")))
}
