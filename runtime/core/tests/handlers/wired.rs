//! Two ports wired together: no network, no runtime, time as the test says.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sente::driver::{Dispatcher, DispatcherBuilder, Host, Port};
use sente::{Link, MaybeSendFuture, Peer, Routes, SessionId, ToClient, ToServer};
use sente_proto::codec::Codec;
use sente_proto::contract::{Mapping, Namespace};
use sente_proto::frame::Frame;
use sente_proto::session::Session;
use sente_proto::{Limits, Time, wire};

#[derive(Default)]
struct Clock {
    now: Mutex<Time>,
    tasks: Mutex<VecDeque<MaybeSendFuture<()>>>,
}

impl Host for Clock {
    fn now(&self) -> Time {
        *self.now.lock().unwrap()
    }

    fn spawn(&self, task: MaybeSendFuture<()>) {
        self.tasks.lock().unwrap().push_back(task);
    }
}

/// A future that is begun and owned by the test.
pub(crate) type Begun<T> = Pin<Box<dyn Future<Output = T>>>;

pub(crate) struct Wired {
    clock: Arc<Clock>,
    pub(crate) link: Link,
    pub(crate) peer: Peer,
    server: Arc<Dispatcher<ToServer>>,
    client: Arc<Dispatcher<ToClient>>,
}

impl Wired {
    pub(crate) fn new(server: Routes<ToServer>, client: Routes<ToClient>) -> Self {
        Self::with_servers([server], client)
    }

    /// Each of the servers handles all that comes.
    pub(crate) fn with_servers(
        servers: impl IntoIterator<Item = Routes<ToServer>>,
        client: Routes<ToClient>,
    ) -> Self {
        let mut handlers = DispatcherBuilder::default();
        handlers.serve(client).unwrap();
        Self::wire(servers, handlers)
    }

    /// The client speaks `namespaces` and handles nothing.
    pub(crate) fn without_client_handlers(
        server: Routes<ToServer>,
        namespaces: &[&'static Namespace],
    ) -> Self {
        let mut handlers = DispatcherBuilder::default();
        for namespace in namespaces {
            handlers.speak(namespace).unwrap();
        }
        Self::wire([server], handlers)
    }

    fn wire(
        servers: impl IntoIterator<Item = Routes<ToServer>>,
        client: DispatcherBuilder<ToClient>,
    ) -> Self {
        let mut handlers = DispatcherBuilder::default();
        for server in servers {
            handlers.serve(server).unwrap();
        }
        let (server, client) = (handlers.build(), client.build());
        let clock = Arc::<Clock>::default();
        let port = |contract| {
            let session = Session::new(Arc::new(Limits::default()), contract, Codec::Bincode);
            Port::new(Arc::clone(&clock) as Arc<dyn Host>, session)
        };
        let (of_server, of_client) = (
            port(Arc::clone(server.contract())),
            port(Arc::clone(client.contract())),
        );
        for (port, other) in [(&of_server, &of_client), (&of_client, &of_server)] {
            let offers = other.contract().offers();
            let mapping = Mapping::of_server(port.contract(), &offers, &[], port.codec()).unwrap();
            let acknowledge = other.with(|now, session| session.acknowledge(now));
            port.act(|_, session| {
                assert!(session.map(Arc::new(mapping)).is_empty());
                session.attach(acknowledge).unwrap();
            });
        }
        let request = http::Request::new(()).into_parts().0;
        let peer = Peer::new(
            of_server,
            SessionId::new(1),
            None,
            None,
            request,
            Box::new(()),
        );
        Self {
            clock,
            link: Link::new(of_client),
            peer,
            server,
            client,
        }
    }

    /// Carries frames, runs handlers and what they wait for, until nothing moves.
    pub(crate) fn run(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            let moved = carry(self.link.port(), self.peer.port())
                | carry(self.peer.port(), self.link.port());
            self.server.dispatch(&self.peer, self.peer.port(), &mut cx);
            self.client.dispatch(&self.link, self.link.port(), &mut cx);
            let mut finished = false;
            let tasks = std::mem::take(&mut *self.clock.tasks.lock().unwrap());
            for mut task in tasks {
                match task.as_mut().poll(&mut cx) {
                    Poll::Ready(()) => finished = true,
                    Poll::Pending => self.clock.tasks.lock().unwrap().push_back(task),
                }
            }
            if !moved && !finished && !self.has_data() {
                return;
            }
        }
    }

    /// What a second carrier of the server does, on any thread: takes in a frame and dispatches.
    pub(crate) fn another_carrier(&self) -> impl Fn() + Send + Sync + 'static {
        let (server, peer) = (Arc::clone(&self.server), self.peer.clone());
        let client = Arc::clone(self.link.port());
        move || {
            carry(&client, peer.port());
            server.dispatch(&peer, peer.port(), &mut Context::from_waker(Waker::noop()));
        }
    }

    fn has_data(&self) -> bool {
        [self.link.port(), self.peer.port()]
            .into_iter()
            .any(|port| port.with(|now, session| session.has_data(now)))
    }

    /// Lets the clock go on, and nobody look at it.
    pub(crate) fn clock(&self) -> impl Fn(Duration) + Send + use<> {
        let clock = Arc::clone(&self.clock);
        move |time| {
            let mut now = clock.now.lock().unwrap();
            *now = *now + time;
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let now = {
            let mut now = self.clock.now.lock().unwrap();
            *now = *now + time;
            *now
        };
        for port in [self.link.port(), self.peer.port()] {
            port.act(|_, session| session.handle_timeout(now));
        }
        self.run();
    }

    /// Polls a future for the first time.
    pub(crate) fn begin<F: Future + 'static>(future: F) -> Begun<F::Output> {
        let mut future: Begun<F::Output> = Box::pin(future);
        assert!(Self::poll(&mut future).is_none(), "it ended at once");
        future
    }

    pub(crate) fn poll<T>(future: &mut Begun<T>) -> Option<T> {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    /// Runs until the future has ended.
    pub(crate) fn finish<F: Future + 'static>(&mut self, future: F) -> F::Output {
        let mut future: Begun<F::Output> = Box::pin(future);
        for _ in 0..100 {
            if let Some(output) = Self::poll(&mut future) {
                return output;
            }
            self.run();
        }
        panic!("it does not end")
    }
}

fn carry(from: &Arc<Port>, to: &Arc<Port>) -> bool {
    let Some(frame) = from.with(|now, session| session.poll_data(now)) else {
        return false;
    };
    match wire::decode(Codec::Bincode, &frame.into(), &Limits::default().wire()).unwrap() {
        Frame::Data(data) => to.with(|now, session| {
            if !session.is_ended() {
                session.handle_data(now, data).unwrap();
            }
        }),
        _ => panic!("a session cuts data frames only"),
    }
    true
}

/// Lets through all who wait once it is open.
#[derive(Default)]
pub(crate) struct Gate(Mutex<bool>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.lock().unwrap() = true;
    }

    pub(crate) async fn opened(&self) {
        poll_fn(|_| {
            if *self.0.lock().unwrap() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
