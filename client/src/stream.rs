//! The events of a namespace as a stream, for those who prefer `match` to a trait.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_util::task::AtomicWaker;
use sente::__private::{Direction, RouteError};
use sente::driver::{Arrived, Route};
use sente::{Events, Link, Routes, ToClient};

/// The events of a namespace that come from the server and want no reply, as values of its enum.
///
/// [`ClientBuilder::stream`](crate::ClientBuilder::stream) makes it. An event counts as running
/// until it is taken from the stream, so a reader that falls behind slows the server down
/// instead of filling memory. It ends when the client does.
pub struct EventStream<E> {
    queue: Arc<Queue<E>>,
}

/// The stream and the routes that fill it.
pub(crate) fn stream<E: Events>() -> (EventStream<E>, Routes<ToClient>) {
    let queue = Arc::new(Queue {
        inner: Mutex::new(Inner {
            events: VecDeque::new(),
            reader: None,
            open: true,
        }),
    });
    let source = Source(Arc::clone(&queue));
    (EventStream { queue }, Routes::new(E::NAMESPACE, source))
}

impl<E> Stream for EventStream<E> {
    type Item = E;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<E>> {
        let mut queue = self.queue.lock();
        if let Some((event, _ticket)) = queue.events.pop_front() {
            // The ticket wakes the task that waits for it: not under the lock.
            drop(queue);
            return Poll::Ready(Some(event));
        }
        if !queue.open {
            return Poll::Ready(None);
        }
        match &mut queue.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl<E> Drop for EventStream<E> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<E> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("waiting", &self.queue.lock().events.len())
            .finish_non_exhaustive()
    }
}

struct Queue<E> {
    inner: Mutex<Inner<E>>,
}

struct Inner<E> {
    events: VecDeque<(E, Ticket)>,
    reader: Option<Waker>,
    /// Both ends are still there.
    open: bool,
}

impl<E> Queue<E> {
    /// Puts an event into the queue; the future ends when it has been taken or dropped.
    fn push(&self, event: E) -> impl Future<Output = ()> + use<E> {
        let place = Arc::new(Place::default());
        let reader = {
            let mut inner = self.lock();
            let ticket = Ticket(Arc::clone(&place));
            if inner.open {
                inner.events.push_back((event, ticket));
            }
            inner.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        poll_fn(move |cx| place.poll_left(cx))
    }

    fn close(&self) {
        let (events, reader) = {
            let mut inner = self.lock();
            inner.open = false;
            (std::mem::take(&mut inner.events), inner.reader.take())
        };
        drop(events);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<E>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Beside each event in the queue: tells, when dropped, that the event has left it.
struct Ticket(Arc<Place>);

#[derive(Default)]
struct Place {
    left: AtomicBool,
    waker: AtomicWaker,
}

impl Place {
    fn poll_left(&self, cx: &Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.left.load(Ordering::Acquire) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.left.store(true, Ordering::Release);
        self.0.waker.wake();
    }
}

/// The handler behind the stream.
struct Source<E>(Arc<Queue<E>>);

impl<E: Events> Route<ToClient> for Source<E> {
    fn route(
        &self,
        _: &Link,
        event: &Arrived,
    ) -> Result<<ToClient as Direction>::Work, RouteError> {
        if event.is_call || !self.0.lock().open {
            return Err(RouteError::Unsupported);
        }
        let value = E::decode(event.index, event.fields(), event.exact)
            .ok_or(RouteError::Unsupported)??;
        let queue = Arc::clone(&self.0);
        Ok(Box::pin(async move {
            queue.push(value).await;
            None
        }))
    }
}

impl<E> Drop for Source<E> {
    fn drop(&mut self) {
        // What is in the queue may still be read.
        let reader = {
            let mut inner = self.0.lock();
            inner.open = false;
            inner.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}
