//! What comes back: the events that the other side has not confirmed, or does not take.

use std::fmt;

use sente_proto::codec::{Codec, DecodeError};
use sente_proto::session::{self, Delivery};

use crate::error::SendError;
use crate::port::Port;
use crate::route::Events;
use crate::target::refused;

/// One event that the other side had not confirmed when a session ended, or does not take.
///
/// *Confirmed* means received by the other machine, not handled by its program. Calls do not come
/// back this way: each has failed and told its own caller.
#[derive(Clone)]
pub struct UnconfirmedEvent {
    namespace: &'static str,
    name: &'static str,
    index: u32,
    codec: Codec,
    inner: session::UnconfirmedEvent,
}

impl UnconfirmedEvent {
    /// The event's id, for instance `chat/posted`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it had been put on a carrier, so that the other side may have received it.
    #[must_use]
    pub fn maybe_received(&self) -> bool {
        self.inner.maybe_received
    }

    /// Why the other side does not take it, if it came back for that. It was not sent then.
    #[must_use]
    pub fn refusal(&self) -> Option<SendError> {
        self.inner
            .refusal
            .map(|refusal| refused(refusal, self.name))
    }

    /// Its delivery class, reliable or latest.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.inner.delivery
    }

    /// The event as a value; `None` if it is of another namespace.
    #[must_use]
    pub fn decode<E: Events>(&self) -> Option<Result<E, DecodeError>> {
        (E::NAMESPACE.name == self.namespace)
            .then(|| E::decode(self.index, self.codec.reader(&self.inner.payload), true))
            .flatten()
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.inner.payload.len() + self.inner.key.len()
    }

    /// Sends it again, in the session that is there now.
    ///
    /// # Errors
    /// As for any send.
    pub fn send_again(&self, port: &Port) -> Result<(), SendError> {
        let outgoing = self.inner.clone().into();
        port.act(|now, session| session.send(now, outgoing))
            .map_err(|refusal| refused(refusal, self.name))
    }
}

impl fmt::Debug for UnconfirmedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnconfirmedEvent")
            .field("name", &self.name)
            .field("maybe_received", &self.inner.maybe_received)
            .finish_non_exhaustive()
    }
}

/// What a session gave back, by the names of its contract.
#[must_use]
pub fn unconfirmed(port: &Port, unconfirmed: session::Unconfirmed) -> Vec<UnconfirmedEvent> {
    let contract = port.contract();
    let mut events = Vec::new();
    for inner in unconfirmed.events {
        if let Some((place, index)) = contract.locate(inner.event)
            && let Some(namespace) = contract.namespaces().nth(place)
            && let Some(event) = namespace.events.get(index as usize)
        {
            events.push(UnconfirmedEvent {
                namespace: namespace.name,
                name: event.name,
                index,
                codec: port.codec(),
                inner,
            });
        }
    }
    events
}
