//! Sets handlers to work: in order, each until it first waits, the rest beside each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{AbortHandle, Abortable};
use sente_proto::Time;
use sente_proto::contract::{Contract, DuplicateNamespace, Namespace};
use sente_proto::frame::{Failure, Outcome};
use sente_proto::session::IncomingCall;

use crate::error::RouteError;
use crate::port::{Arrived, Port};
use crate::route::{self, Direction, Routes};
use crate::send::{MaybeSend, MaybeSync};
use crate::unhandled::{Listen, Unhandled, UnhandledCause};

/// The handlers of all namespaces of a program.
pub struct Dispatcher<D: Direction> {
    contract: Arc<Contract>,
    /// One place a namespace, as in the contract.
    routes: Vec<Vec<Routes<D>>>,
    /// The default handler.
    unhandled: Option<Box<dyn Listen<D>>>,
}

/// Collects handlers until a program starts.
pub struct DispatcherBuilder<D: Direction> {
    contract: Contract,
    routes: Vec<Routes<D>>,
    unhandled: Option<Box<dyn Listen<D>>>,
}

impl<D: Direction> Default for DispatcherBuilder<D> {
    fn default() -> Self {
        Self {
            contract: Contract::default(),
            routes: Vec::new(),
            unhandled: None,
        }
    }
}

impl<D: Direction> DispatcherBuilder<D> {
    /// Speaks a namespace.
    ///
    /// # Errors
    /// If another namespace of the same name is spoken.
    pub fn speak(&mut self, namespace: &'static Namespace) -> Result<(), DuplicateNamespace> {
        self.contract.add(namespace)
    }

    /// Serves a namespace. Of several handlers of one namespace, each sees each event, and the
    /// first that handles a call answers it.
    ///
    /// # Errors
    /// If another namespace of the same name is spoken.
    pub fn serve(&mut self, routes: Routes<D>) -> Result<(), DuplicateNamespace> {
        self.speak(routes.namespace)?;
        self.routes.push(routes);
        Ok(())
    }

    /// Tells `listen` of what comes in and reaches no handler.
    pub fn unhandled(
        &mut self,
        listen: impl Fn(&D::From, Unhandled) + MaybeSend + MaybeSync + 'static,
    ) {
        self.unhandled = Some(Box::new(listen));
    }

    /// Takes all together.
    #[must_use]
    pub fn build(self) -> Arc<Dispatcher<D>> {
        let mut routes = Vec::new();
        routes.resize_with(self.contract.namespaces().count(), Vec::new);
        for of_one in self.routes {
            let name = of_one.namespace.name;
            let mut namespaces = self.contract.namespaces();
            if let Some(place) = namespaces.position(|namespace| namespace.name == name) {
                routes[place].push(of_one);
            }
        }
        Arc::new(Dispatcher {
            contract: Arc::new(self.contract),
            routes,
            unhandled: self.unhandled,
        })
    }
}

impl<D: Direction> Dispatcher<D> {
    /// The namespaces that the program speaks.
    #[must_use]
    pub fn contract(&self) -> &Arc<Contract> {
        &self.contract
    }

    /// Sets to work the handlers of all that has come in on `port`.
    ///
    /// A handler that does not wait has finished when this returns; one that waits goes on beside.
    /// While another task is at it for the same port, this returns at once: that one sets all to
    /// work, so that they start in order.
    pub fn dispatch(self: &Arc<Self>, from: &D::From, port: &Arc<Port>, cx: &mut Context<'_>) {
        let Some(mut turn) = port.begin_dispatch() else {
            return;
        };
        while let Some((mut arrivals, unhandled)) = turn.next() {
            for event in unhandled {
                self.tell(from, event);
            }
            let mut now = port.now();
            turn.drop_unwanted(now, &mut arrivals);
            while let Some(arrived) = arrivals.pop_front() {
                self.start(now, from, port, arrived, cx);
                now = turn.time_of_next(now, &arrivals);
                turn.drop_unwanted(now, &mut arrivals);
            }
            turn.give_back(arrivals);
        }
    }

    fn start(
        self: &Arc<Self>,
        now: Time,
        from: &D::From,
        port: &Arc<Port>,
        arrived: Arrived,
        cx: &mut Context<'_>,
    ) {
        let Some((place, _)) = self.contract.locate(arrived.arrival.event) else {
            let outcome = Outcome::Failed(Failure::Unsupported);
            port.finish(now, arrived.call, Some(outcome));
            return;
        };
        let sequential = self.routes[place].iter().any(|routes| routes.sequential);
        let arrived = if sequential {
            match port.queue_in_lane(place, arrived) {
                Some(arrived) => arrived,
                None => return,
            }
        } else {
            arrived
        };
        let (call, event) = (arrived.call, arrived.arrival.event);
        let mut work = self.work(from, port, arrived);
        let polled = Pin::new(&mut work).poll(cx);
        self.note_panic(&mut work, event);
        match polled {
            Poll::Ready(outcome) => port.finish(now, call, outcome),
            Poll::Pending => {
                if sequential {
                    port.open_lane(place);
                }
                let started = Started { call, event, work };
                let this = Arc::clone(self);
                let lane = sequential.then_some(place);
                let task = this.carry_on(started, lane, from.clone(), Arc::clone(port));
                port.host().spawn(Box::pin(task));
            }
        }
    }

    /// Runs a handler that waits to its end, and then what waits in its lane, one after the other.
    async fn carry_on(
        self: Arc<Self>,
        started: Started<D>,
        lane: Option<usize>,
        from: D::From,
        port: Arc<Port>,
    ) {
        let mut next = Some(started);
        while let Some(Started { call, event, work }) = next {
            // A call that is cancelled drops its handler; any other is answered.
            let (handle, registration) = AbortHandle::new_pair();
            if let Some(call) = call {
                port.keep_running(call, handle);
            }
            let work = Abortable::new(self.watched(work, event), registration);
            if let Ok(outcome) = work.await {
                port.finish(port.now(), call, outcome);
            }
            next = lane.and_then(|lane| self.next_of_lane(lane, &from, &port));
        }
    }

    fn next_of_lane(&self, lane: usize, from: &D::From, port: &Arc<Port>) -> Option<Started<D>> {
        loop {
            let arrived = port.next_in_lane(lane)?;
            if port.wants(arrived.call) {
                return Some(Started {
                    call: arrived.call,
                    event: arrived.arrival.event,
                    work: self.work(from, port, arrived),
                });
            }
        }
    }

    /// A handler's work, of which is told if it panics.
    async fn watched(&self, mut work: Work<D>, event: u32) -> Option<Outcome> {
        let outcome = (&mut work).await;
        self.note_panic(&mut work, event);
        outcome
    }

    fn work(&self, from: &D::From, port: &Arc<Port>, arrived: Arrived) -> Work<D> {
        let Some((place, index)) = self.contract.locate(arrived.arrival.event) else {
            return Work::refused(RouteError::Unsupported.failure());
        };
        let event = route::Arrived {
            index,
            payload: arrived.arrival.payload,
            codec: port.codec(),
            exact: arrived.arrival.exact,
            is_call: arrived.call.is_some(),
        };
        let mut work = Work {
            parts: Vec::new(),
            single: None,
            outcome: None,
            has_panicked: false,
        };
        let size = event.payload.len();
        let mut failure = Failure::Unsupported;
        for routes in &self.routes[place] {
            // A type in the contract may decode itself, and panic.
            let routed = catch_unwind(AssertUnwindSafe(|| routes.route.route(from, &event)));
            match routed {
                Ok(Ok(part)) if work.single.is_none() => work.single = Some(part),
                Ok(Ok(part)) => work.parts.push(part),
                Ok(Err(RouteError::Unsupported)) => {}
                Ok(Err(RouteError::Malformed(error))) => {
                    let event = self.name(arrived.arrival.event);
                    tracing::warn!(event, "an event cannot be decoded and reaches no handler");
                    // Serde's errors may quote what they could not read.
                    tracing::trace!(event, %error);
                    failure = Failure::Malformed;
                }
                Err(_) => {
                    let event = self.name(arrived.arrival.event);
                    tracing::error!(event, "decoding an event panicked; it reaches no handler");
                    failure = Failure::Internal;
                }
            }
        }
        if work.single.is_none() {
            let event = Unhandled {
                event: Some(self.name(arrived.arrival.event).into()),
                cause: match failure {
                    Failure::Unsupported => UnhandledCause::NoHandler,
                    _ => UnhandledCause::Malformed,
                },
                is_call: arrived.call.is_some(),
                size,
            };
            self.tell(from, event);
            work.outcome = Some(Outcome::Failed(failure));
        }
        work
    }

    /// Tells the default handler.
    fn tell(&self, from: &D::From, unhandled: Unhandled) {
        let (event, cause) = (unhandled.event.as_deref(), unhandled.cause);
        tracing::debug!(event, ?cause, "an event reaches no handler");
        if let Some(listen) = &self.unhandled {
            let told = catch_unwind(AssertUnwindSafe(|| listen.hear(from, unhandled)));
            if told.is_err() {
                tracing::error!("the default handler panicked");
            }
        }
    }

    fn name(&self, event: u32) -> &'static str {
        self.contract.event(event).map_or("", |event| event.name)
    }

    fn note_panic(&self, work: &mut Work<D>, event: u32) {
        if std::mem::take(&mut work.has_panicked) {
            tracing::error!(
                event = self.name(event),
                "a handler panicked; its call fails with `Internal`"
            );
        }
    }
}

impl<D: Direction> std::fmt::Debug for DispatcherBuilder<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DispatcherBuilder")
            .field("contract", &self.contract)
            .finish_non_exhaustive()
    }
}

impl<D: Direction> std::fmt::Debug for Dispatcher<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher")
            .field("contract", &self.contract)
            .finish_non_exhaustive()
    }
}

/// An event or a call, and its handlers at work.
struct Started<D: Direction> {
    call: Option<IncomingCall>,
    event: u32,
    work: Work<D>,
}

/// The handlers of one event at work. Nearly always there is one.
struct Work<D: Direction> {
    single: Option<D::Work>,
    parts: Vec<D::Work>,
    outcome: Option<Outcome>,
    has_panicked: bool,
}

impl<D: Direction> Work<D> {
    const fn refused(failure: Failure) -> Self {
        Self {
            single: None,
            parts: Vec::new(),
            outcome: Some(Outcome::Failed(failure)),
            has_panicked: false,
        }
    }
}

impl<D: Direction> Future for Work<D> {
    type Output = Option<Outcome>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // One that panics fails alone: not the others that handle the same event.
        let mut poll = |part: &mut D::Work| {
            let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(part).poll(cx)));
            polled.unwrap_or_else(|_| {
                this.has_panicked = true;
                Poll::Ready(Some(Outcome::Failed(Failure::Internal)))
            })
        };
        if let Some(single) = &mut this.single
            && let Poll::Ready(outcome) = poll(single)
        {
            this.single = None;
            this.outcome = outcome;
        }
        this.parts.retain_mut(|part| match poll(part) {
            Poll::Ready(outcome) => {
                this.outcome = this.outcome.take().or(outcome);
                false
            }
            Poll::Pending => true,
        });
        if this.single.is_none() && this.parts.is_empty() {
            Poll::Ready(this.outcome.take())
        } else {
            Poll::Pending
        }
    }
}

impl<D: Direction> Unpin for Work<D> {}
