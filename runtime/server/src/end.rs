//! How a session ended, and what it did not deliver.

use std::fmt;

use sente::driver::Port;
use sente::{Codec, Events};
use sente_proto::codec::DecodeError;
use sente_proto::{CloseReason, FreshReason, session};

/// The end of a session, as [`Builder::on_end`](crate::Builder::on_end) is told.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionEnd {
    /// Why. [`CloseReason::Silent`] if the client did not come back within the window.
    pub reason: CloseReason,
    /// What the client has not confirmed.
    pub unconfirmed: Unconfirmed,
}

/// The events that a client had not confirmed when its session ended, oldest first.
///
/// *Confirmed* means received by the client's machine, not handled by its program. Calls are not
/// among them: each has failed and told its own caller.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unconfirmed {
    /// The events.
    pub events: Vec<UnconfirmedEvent>,
}

/// One event that was not confirmed.
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

    /// Whether it had been put on a carrier, so that the client may have received it.
    #[must_use]
    pub fn maybe_received(&self) -> bool {
        self.inner.maybe_received
    }

    /// The event as a value; `None` if it is of another namespace.
    #[must_use]
    pub fn decode<E: Events>(&self) -> Option<Result<E, DecodeError>> {
        (E::NAMESPACE.name == self.namespace)
            .then(|| E::decode(self.index, self.codec.reader(&self.inner.payload), true))
            .flatten()
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

impl Unconfirmed {
    pub(crate) fn new(unconfirmed: session::Unconfirmed, port: &Port) -> Self {
        let contract = port.contract();
        let events = unconfirmed.events.into_iter().filter_map(|inner| {
            let (place, index) = contract.locate(inner.event)?;
            let namespace = contract.namespaces().nth(place)?;
            Some(UnconfirmedEvent {
                namespace: namespace.name,
                name: namespace.events.get(index as usize)?.name,
                index,
                codec: port.codec(),
                inner,
            })
        });
        Self {
            events: events.collect(),
        }
    }
}

/// What a client that wants its session back is told of why it ended.
pub(crate) const fn fresh_reason(reason: CloseReason) -> FreshReason {
    match reason {
        CloseReason::Goodbye | CloseReason::Kicked => FreshReason::Requested,
        CloseReason::Overflow => FreshReason::Overflow,
        CloseReason::Shutdown => FreshReason::Shutdown,
        CloseReason::UserChanged => FreshReason::UserChanged,
        CloseReason::Replaced => FreshReason::Replaced,
        reason if reason.is_violation() => FreshReason::Violation,
        _ => FreshReason::Expired,
    }
}
