//! The events of a namespace as a stream, for those who prefer `match` to a trait.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use sente::__private::RouteError;
use sente::driver::{Arrived, Route};
use sente::{Direction, Events, Peer, Routes, ToServer};
use tokio::sync::{mpsc, oneshot};

/// The events of a namespace that clients send and that want no reply, with who sent each.
///
/// [`Builder::stream`](crate::Builder::stream) makes it. An event counts as running until it is
/// taken, so a reader that falls behind slows the senders down instead of filling memory.
pub struct EventStream<E> {
    events: mpsc::UnboundedReceiver<Waiting<E>>,
}

/// An event that has not been taken. Its handler runs until the last part is dropped.
struct Waiting<E>(
    Peer,
    E,
    #[expect(dead_code, reason = "dropped")] oneshot::Sender<()>,
);

pub(crate) fn stream<E: Events>() -> (EventStream<E>, Routes<ToServer>) {
    // Bounded by the credit of the clients: it counts what waits here.
    let (sender, events) = mpsc::unbounded_channel();
    let routes = Routes::new(E::NAMESPACE, Source { sender });
    (EventStream { events }, routes)
}

struct Source<E> {
    sender: mpsc::UnboundedSender<Waiting<E>>,
}

impl<E: Events> Route<ToServer> for Source<E> {
    fn route(
        &self,
        from: &Peer,
        event: &Arrived,
    ) -> Result<<ToServer as Direction>::Work, RouteError> {
        let wants_reply = |index| E::NAMESPACE.events.get(index as usize)?.reply;
        if wants_reply(event.index).is_some() {
            return Err(RouteError::Unsupported);
        }
        let value = E::decode(event.index, event.fields(), event.exact)
            .ok_or(RouteError::Unsupported)??;
        let (from, sender) = (from.clone(), self.sender.clone());
        Ok(Box::pin(async move {
            let (ticket, taken) = oneshot::channel();
            if sender.send(Waiting(from, value, ticket)).is_ok() {
                // It ends with an error when the ticket is dropped, which is all it is for.
                let _ = taken.await;
            }
            None
        }))
    }
}

impl<E> Stream for EventStream<E> {
    type Item = (Peer, E);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<(Peer, E)>> {
        self.events
            .poll_recv(cx)
            .map(|waiting| waiting.map(|Waiting(peer, event, _)| (peer, event)))
    }
}

impl<E> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("waiting", &self.events.len())
            .finish_non_exhaustive()
    }
}
