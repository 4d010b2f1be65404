//! The events of a namespace as a stream, for those who prefer `match` to a trait.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::{mpsc, oneshot};
use futures_core::Stream;

use crate::error::RouteError;
use crate::route::{Arrived, Direction, Events, Route, Routes};

/// The events of a namespace that want no reply: for a client as values of the enum, for a server
/// with who sent each.
///
/// The builders' `stream` makes it. An event counts as running until it is taken, so a reader that
/// falls behind slows the senders down instead of filling memory. It ends when the client or the
/// server does.
pub struct EventStream<T> {
    events: mpsc::UnboundedReceiver<Waiting<T>>,
}

/// An event that has not been taken. Its handler runs until the last part is dropped.
struct Waiting<T>(
    T,
    #[expect(dead_code, reason = "dropped")] oneshot::Sender<()>,
);

/// The stream, and the routes that fill it with what `value` makes of sender and event.
#[must_use]
pub fn stream<D: Direction, E: Events, T: Send + 'static>(
    value: fn(&D::From, E) -> T,
) -> (EventStream<T>, Routes<D>) {
    // Bounded by the credit of the senders: it counts what waits here.
    let (sender, events) = mpsc::unbounded();
    let routes = Routes::new(E::NAMESPACE, Source { sender, value });
    (EventStream { events }, routes)
}

struct Source<F, E, T> {
    sender: mpsc::UnboundedSender<Waiting<T>>,
    value: fn(&F, E) -> T,
}

impl<D: Direction, E: Events, T: Send + 'static> Route<D> for Source<D::From, E, T> {
    fn route(&self, from: &D::From, event: &Arrived) -> Result<D::Work, RouteError> {
        if event.is_call || self.sender.is_closed() {
            return Err(RouteError::Unsupported);
        }
        let value = E::decode(event.index, event.fields(), event.exact)
            .ok_or(RouteError::Unsupported)??;
        let value = (self.value)(from, value);
        let sender = self.sender.clone();
        Ok(D::work(async move {
            let (ticket, taken) = oneshot::channel();
            if sender.unbounded_send(Waiting(value, ticket)).is_ok() {
                // It ends with an error when the ticket is dropped, which is all it is for.
                let _ = taken.await;
            }
            None
        }))
    }
}

impl<T> Stream for EventStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.events)
            .poll_next(cx)
            .map(|waiting| waiting.map(|Waiting(value, _)| value))
    }
}

impl<T> Unpin for EventStream<T> {}

impl<T> fmt::Debug for EventStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}
