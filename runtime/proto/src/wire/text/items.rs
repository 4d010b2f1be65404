//! The items of a data frame: arrays that begin with a word.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::payload;
use crate::frame::{Failure, Item, Outcome};
use crate::wire::words::Word;
use crate::wire::{WireError, WireLimits};

/// An item whose payload has not been looked at.
pub(super) enum ItemForm<'a> {
    Event(u32, &'a RawValue),
    Call(u32, u64, &'a RawValue),
    Reply(u64, &'a RawValue),
    Rejected(u64, &'a RawValue),
    Failed(u64, Failure),
    Cancel(u64),
    Skip(u64),
}

pub(super) fn decode(
    items: Vec<ItemForm<'_>>,
    bytes: &Bytes,
    limits: &WireLimits,
) -> Result<Vec<Item>, WireError> {
    let payload = |raw| payload(raw, bytes, limits);
    items
        .into_iter()
        .map(|item| {
            Ok(match item {
                ItemForm::Event(event, raw) => Item::Event {
                    event,
                    payload: payload(raw)?,
                },
                ItemForm::Call(event, remaining, raw) => Item::Call {
                    event,
                    remaining: Duration::from_millis(remaining),
                    payload: payload(raw)?,
                },
                ItemForm::Reply(call, raw) => Item::Reply {
                    call,
                    outcome: Outcome::Reply(payload(raw)?),
                },
                ItemForm::Rejected(call, raw) => Item::Reply {
                    call,
                    outcome: Outcome::Rejected(payload(raw)?),
                },
                ItemForm::Failed(call, failure) => Item::Reply {
                    call,
                    outcome: Outcome::Failed(failure),
                },
                ItemForm::Cancel(call) => Item::Cancel { call },
                ItemForm::Skip(count) => Item::Skip { count },
            })
        })
        .collect()
}

impl<'de: 'a, 'a> Deserialize<'de> for ItemForm<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = ItemForm<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let kind: Cow<'de, str> = next(&mut seq)?;
        Ok(match &*kind {
            "event" => ItemForm::Event(next(&mut seq)?, next(&mut seq)?),
            "call" => ItemForm::Call(next(&mut seq)?, next(&mut seq)?, next(&mut seq)?),
            "reply" => {
                let call = next(&mut seq)?;
                let outcome: Cow<'de, str> = next(&mut seq)?;
                match &*outcome {
                    "ok" => ItemForm::Reply(call, next(&mut seq)?),
                    "rejected" => ItemForm::Rejected(call, next(&mut seq)?),
                    "failed" => ItemForm::Failed(
                        call,
                        Failure::from_word(&next::<_, Cow<'de, str>>(&mut seq)?),
                    ),
                    _ => return Err(A::Error::custom("an unknown outcome")),
                }
            }
            "cancel" => ItemForm::Cancel(next(&mut seq)?),
            "skip" => ItemForm::Skip(next(&mut seq)?),
            _ => return Err(A::Error::custom("an unknown kind of item")),
        })
    }
}

fn next<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?
        .ok_or_else(|| A::Error::custom("an item ends early"))
}
