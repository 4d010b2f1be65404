//! What comes back when a session ends: the events that were not confirmed.

use bytes::Bytes;

use super::{Delivery, Outgoing};

/// The events that the other side has not confirmed when a session ended, in order.
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
