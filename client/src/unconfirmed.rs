//! What comes back when a session ends: the events that the server has not confirmed.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use sente::driver::Port;
use sente::{SendError, UnconfirmedEvent};
use sente_proto::FreshReason;
use sente_proto::session;

use crate::shared::Shared;

/// The events that the server had not confirmed when a session ended, in order.
///
/// *Confirmed* means received by the server's machine, not handled by its program. Calls are not
/// among them: each has failed and told its own caller.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unconfirmed {
    /// Why the session ended.
    pub reason: FreshReason,
    /// The events, oldest first.
    pub events: Vec<UnconfirmedEvent>,
}

impl Unconfirmed {
    pub(crate) fn new(reason: FreshReason, unconfirmed: session::Unconfirmed, port: &Port) -> Self {
        let events = sente::driver::unconfirmed(port, unconfirmed);
        Self { reason, events }
    }

    fn bytes(&self) -> usize {
        self.events.iter().map(UnconfirmedEvent::size).sum()
    }
}

/// Sends events again, in order. The first that is not accepted and all after it come back.
pub(crate) fn resend(port: &Port, unconfirmed: Unconfirmed) -> Result<(), ResendError> {
    let reason = unconfirmed.reason;
    let mut events = unconfirmed.events.into_iter();
    while let Some(event) = events.next() {
        if let Err(error) = event.send_again(port) {
            return Err(ResendError {
                error,
                rest: Unconfirmed {
                    reason,
                    events: std::iter::once(event).chain(events).collect(),
                },
            });
        }
    }
    Ok(())
}

/// Not all events were accepted again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} events were not sent again: {error}", rest.events.len())]
#[non_exhaustive]
pub struct ResendError {
    /// Why the first of the rest was not accepted.
    #[source]
    pub error: SendError,
    /// What was not sent again. Without its first event it can be tried again.
    pub rest: Unconfirmed,
}

/// The batches of [`Unconfirmed`] events of a client, one for each session that ended with some.
///
/// [`Client::unconfirmed`](crate::Client::unconfirmed) makes it. Each batch comes once: of
/// several readers, one gets it. Batches that nobody reads are kept, up to 4 of them; older ones
/// are given up with a warning in the log.
#[derive(Debug)]
pub struct UnconfirmedBatches {
    pub(crate) shared: Arc<Shared>,
}

impl UnconfirmedBatches {
    /// The oldest batch that waits, if there is one.
    #[must_use]
    pub fn try_next(&mut self) -> Option<Unconfirmed> {
        self.shared.batches().waiting.pop_front()
    }
}

impl Stream for UnconfirmedBatches {
    type Item = Unconfirmed;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Unconfirmed>> {
        let mut batches = self.shared.batches();
        if let Some(batch) = batches.waiting.pop_front() {
            return Poll::Ready(Some(batch));
        }
        if batches.ended {
            return Poll::Ready(None);
        }
        batches
            .readers
            .retain(|reader| !reader.will_wake(cx.waker()));
        batches.readers.push(cx.waker().clone());
        Poll::Pending
    }
}

/// Batches that nobody has read are kept up to so many: each is as large as an outbox.
const MOST: usize = 4;

/// Batches on their way to their reader.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    waiting: VecDeque<Unconfirmed>,
    readers: Vec<Waker>,
    ended: bool,
}

impl Batches {
    /// Returns whom to wake, outside of the lock.
    pub(crate) fn push(&mut self, batch: Unconfirmed) -> Vec<Waker> {
        if batch.events.is_empty() {
            return Vec::new();
        }
        if self.waiting.len() == MOST
            && let Some(oldest) = self.waiting.pop_front()
        {
            tracing::warn!(
                events = oldest.events.len(),
                bytes = oldest.bytes(),
                "events of an ended session were never taken from `Client::unconfirmed` and are given up"
            );
        }
        self.waiting.push_back(batch);
        std::mem::take(&mut self.readers)
    }

    /// Returns whom to wake, outside of the lock.
    pub(crate) fn end(&mut self) -> Vec<Waker> {
        self.ended = true;
        std::mem::take(&mut self.readers)
    }
}
