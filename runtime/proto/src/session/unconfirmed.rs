//! What comes back when a session ends: the events that were not confirmed.

use bytes::Bytes;

use super::{Delivery, Outgoing, Refusal};

/// The events that the other side had not confirmed when a session ended, or does not take, in order.
///
/// *Confirmed* means received by the other machine, not handled by its program. Calls are not
/// among them: each has failed and told its own caller.
#[derive(Clone, Debug, Default)]
pub struct Unconfirmed {
    /// The events, oldest first.
    pub events: Vec<UnconfirmedEvent>,
}

/// One event that was not confirmed.
#[derive(Clone, Debug)]
pub struct UnconfirmedEvent {
    /// Its number on this side.
    pub event: u32,
    /// Its fields, encoded.
    pub payload: Bytes,
    /// Its delivery class, reliable or latest.
    pub delivery: Delivery,
    /// With [`Delivery::Latest`]: its key.
    pub key: Bytes,
    /// Whether it had been put on a carrier, so that the other side may have received it.
    pub maybe_received: bool,
    /// Why it was not sent, if the other side has said meanwhile that it does not take it.
    pub refusal: Option<Refusal>,
}

impl UnconfirmedEvent {
    /// One that is not confirmed. Volatile ones are nobody's loss.
    pub(super) fn new(event: Outgoing, maybe_received: bool) -> Option<Self> {
        (event.delivery != Delivery::Volatile).then_some(Self {
            event: event.event,
            payload: event.payload,
            delivery: event.delivery,
            key: event.key,
            maybe_received,
            refusal: None,
        })
    }

    /// One that the other side does not take.
    pub(super) fn refused(event: Outgoing, refusal: Refusal) -> Option<Self> {
        Some(Self {
            refusal: Some(refusal),
            ..Self::new(event, false)?
        })
    }
}

impl From<UnconfirmedEvent> for Outgoing {
    fn from(event: UnconfirmedEvent) -> Self {
        Self {
            event: event.event,
            payload: event.payload,
            delivery: event.delivery,
            key: event.key,
        }
    }
}
