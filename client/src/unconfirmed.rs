//! What comes back: the events that the server had not confirmed when a session ended, and those
//! that it turns out not to take.

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

/// Events that come back, in order: the server had not confirmed them when a session ended, or does
/// not take them.
///
/// *Confirmed* means received by the server's machine, not handled by its program. Calls are not
/// among them: each has failed and told its own caller.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unconfirmed {
    /// Why they come back.
    pub reason: UnconfirmedReason,
    /// The events, oldest first.
    pub events: Vec<UnconfirmedEvent>,
}

/// Why events come back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnconfirmedReason {
    /// Their session ended, and a fresh one takes its place.
    SessionEnded(FreshReason),
    /// They were accepted before the server had said what it takes, and it does not take them:
    /// [`UnconfirmedEvent::refusal`] says why. They were not sent, and the session goes on.
    NotTaken,
}

impl Unconfirmed {
    pub(crate) fn new(
        reason: UnconfirmedReason,
        unconfirmed: session::Unconfirmed,
        port: &Port,
    ) -> Self {
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

/// The batches of [`Unconfirmed`] events of a client, one for each session that ended with some, or
/// began with some that the server does not take.
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
                "events that came back were never taken from `Client::unconfirmed` and are given up"
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
