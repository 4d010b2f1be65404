//! Handlers of a generated contract over two ports that are wired together in memory.

mod calls;
mod wired;

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sente::{CallError, Events, Link, Peer, SendError};
use wired::Wired;

/// What the tests say to each other.
#[sente::events]
pub enum Talk {
    /// Notes a text.
    #[to_server]
    Note {
        /// What to note.
        text: String,
    },
    /// Doubles a number; refuses odd ones.
    #[to_server(reply = u32, error = String)]
    Double(u32),
    /// Never answers, and counts how often it was begun and dropped.
    #[to_server(reply = (), timeout = "2s")]
    Hang,
    /// Waits until the test lets it go on, then notes the text.
    #[to_server]
    Slow {
        /// What to note.
        text: String,
    },
    /// Panics.
    #[to_server(reply = ())]
    Panic,
    /// Brings something that panics while it is decoded.
    #[to_server(reply = ())]
    Bad(Trap),
    /// Asks the client for its name.
    #[to_client(reply = String)]
    Name,
    /// Where something is.
    #[to_client(delivery = latest)]
    Position {
        /// Of what.
        #[key]
        of: u32,
        /// Where.
        at: i64,
    },
    /// Greets.
    #[to_server]
    #[to_client]
    Greet,
}

/// It can be sent, and not be received.
#[derive(serde::Serialize, sente::Schema)]
pub struct Trap;

impl<'de> serde::Deserialize<'de> for Trap {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("on purpose")
    }
}

#[derive(Default)]
struct Shared {
    notes: Mutex<Vec<String>>,
    /// Done once, in the midst of the next note.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// The next note panics.
    brittle: AtomicBool,
    hanging: AtomicUsize,
    hung: AtomicUsize,
    gate: wired::Gate,
}

struct Server(Arc<Shared>);

/// Counts up while it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl TalkServer for Server {
    async fn note(&self, _from: &Peer, text: String) {
        assert!(!self.0.brittle.load(Ordering::SeqCst), "on purpose");
        let meanwhile = self.0.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            std::thread::spawn(meanwhile).join().unwrap();
        }
        self.0.notes.lock().unwrap().push(text);
    }

    async fn double(&self, _from: &Peer, number: u32) -> Result<u32, String> {
        if number % 2 == 1 {
            Err(format!("{number} is odd"))
        } else {
            Ok(number * 2)
        }
    }

    async fn hang(&self, _from: &Peer) {
        self.0.hung.fetch_add(1, Ordering::SeqCst);
        let _counted = Counted::new(&self.0.hanging);
        pending::<()>().await;
    }

    async fn slow(&self, _from: &Peer, text: String) {
        self.0.notes.lock().unwrap().push(format!("{text} begins"));
        self.0.gate.opened().await;
        self.0.notes.lock().unwrap().push(format!("{text} ends"));
    }

    async fn panic(&self, _from: &Peer) {
        panic!("on purpose");
    }

    async fn bad(&self, _from: &Peer, _trap: Trap) {}

    async fn greet(&self, from: &Peer) {
        let name = Talk::to_client(from).name().await;
        self.0
            .notes
            .lock()
            .unwrap()
            .push(format!("hello {}", name.unwrap_or_default()));
    }
}

struct Client(Arc<Shared>);

impl TalkClient for Client {
    async fn name(&self, _link: &Link) -> String {
        "one".to_owned()
    }

    async fn position(&self, _link: &Link, of: u32, at: i64) {
        self.0.notes.lock().unwrap().push(format!("{of} at {at}"));
    }

    async fn greet(&self, link: &Link) {
        Talk::to_server(link).note("greeted").unwrap();
    }
}

struct Test {
    wired: Wired,
    server: Arc<Shared>,
    client: Arc<Shared>,
}

impl Test {
    fn new() -> Self {
        Self::with(|routes| routes)
    }

    fn with(
        f: impl FnOnce(sente::Routes<sente::ToServer>) -> sente::Routes<sente::ToServer>,
    ) -> Self {
        let (server, client) = (Arc::<Shared>::default(), Arc::<Shared>::default());
        let wired = Wired::new(
            f(Talk::server(Server(Arc::clone(&server)))),
            Talk::client(Client(Arc::clone(&client))),
        );
        Self {
            wired,
            server,
            client,
        }
    }

    fn talk(&self) -> TalkToServer {
        Talk::to_server(&self.wired.link)
    }

    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.server.notes.lock().unwrap())
    }
}

#[test]
fn an_event_reaches_its_handler() {
    let mut test = Test::new();
    test.talk().note("hello").unwrap();
    test.wired.run();
    assert_eq!(test.notes(), ["hello"]);
}

#[test]
fn a_call_brings_the_reply_or_the_handlers_error() {
    let mut test = Test::new();
    let (even, odd) = (test.talk().double(4), test.talk().double(5));
    assert_eq!(test.wired.finish(even), Ok(8));
    assert_eq!(
        test.wired.finish(odd),
        Err(CallError::Rejected("5 is odd".to_owned()))
    );
}

#[test]
fn a_dropped_call_drops_its_handler() {
    let mut test = Test::new();
    let call = test.talk().hang();
    let mut call = Wired::begin(call);
    test.wired.run();
    assert_eq!(test.server.hanging.load(Ordering::SeqCst), 1);
    assert!(Wired::poll(&mut call).is_none());
    drop(call);
    test.wired.run();
    assert_eq!(test.server.hanging.load(Ordering::SeqCst), 0);
}

#[test]
fn a_call_ends_at_its_deadline_and_so_does_its_handler() {
    let mut test = Test::new();
    let call = test.talk().hang();
    let mut call = Wired::begin(call);
    test.wired.run();
    test.wired.pass(Duration::from_millis(1_999));
    assert!(Wired::poll(&mut call).is_none());
    test.wired.pass(Duration::from_millis(1));
    assert_eq!(
        Wired::poll(&mut call),
        Some(Err(CallError::TimedOut {
            maybe_executed: true
        }))
    );
    assert_eq!(test.server.hanging.load(Ordering::SeqCst), 0);
}

#[test]
fn a_call_that_was_cancelled_in_a_lane_is_never_started() {
    let mut test = Test::with(sente::Routes::sequential);
    test.talk().slow("a").unwrap();
    let call = test.talk().hang();
    let call = Wired::begin(call);
    test.wired.run();
    drop(call);
    test.talk().note("b").unwrap();
    test.server.gate.open();
    test.wired.run();
    assert_eq!(test.server.hung.load(Ordering::SeqCst), 0);
    assert_eq!(test.notes(), ["a begins", "a ends", "b"]);
}

#[test]
fn another_deadline_can_be_set_for_one_call() {
    let mut test = Test::new();
    let call = test.talk().hang().timeout(Duration::from_millis(10));
    let mut call = Wired::begin(call);
    test.wired.run();
    test.wired.pass(Duration::from_millis(10));
    assert!(Wired::poll(&mut call).is_some());
}

#[test]
fn a_detached_call_runs_and_answers_nobody() {
    let mut test = Test::new();
    test.talk().hang().detach().unwrap();
    test.wired.run();
    assert_eq!(test.server.hanging.load(Ordering::SeqCst), 1);
    assert_eq!(
        test.wired
            .link
            .port()
            .with(|_, session| session.calls_in_flight()),
        0
    );
}

#[test]
fn a_handler_that_panics_fails_its_own_call_only() {
    let mut test = Test::new();
    let (panics, works) = (test.talk().panic(), test.talk().double(2));
    assert!(
        CallError::<()>::Internal.maybe_executed(),
        "as far as it came"
    );
    assert_eq!(test.wired.finish(panics), Err(CallError::Internal));
    assert_eq!(test.wired.finish(works), Ok(4));
}

#[test]
fn a_handler_that_panics_does_not_stop_another_one_of_the_same_event() {
    for brittle in [0, 1] {
        let servers = [(); 2].map(|()| Arc::<Shared>::default());
        servers[brittle].brittle.store(true, Ordering::SeqCst);
        let routes = servers
            .each_ref()
            .map(|server| Talk::server(Server(Arc::clone(server))));
        let mut wired = Wired::with_servers(routes, Talk::client(Client(Arc::default())));
        Talk::to_server(&wired.link).note("hello").unwrap();
        wired.run();
        let noted = servers.map(|server| server.notes.lock().unwrap().len());
        assert_eq!(noted[brittle], 0);
        assert_eq!(noted[1 - brittle], 1);
    }
}

#[test]
fn a_type_that_panics_while_it_is_decoded_fails_its_own_call_only() {
    let mut test = Test::new();
    let (panics, works) = (test.talk().bad(Trap), test.talk().double(2));
    assert_eq!(test.wired.finish(panics), Err(CallError::Internal));
    assert_eq!(test.wired.finish(works), Ok(4));
}

#[test]
fn a_call_to_an_event_that_nobody_handles_is_unsupported() {
    let shared = Arc::<Shared>::default();
    let mut wired =
        Wired::without_client_handlers(Talk::server(Server(shared)), &[Talk::NAMESPACE]);
    let call = Talk::to_client(&wired.peer).name();
    assert_eq!(wired.finish(call), Err(CallError::Unsupported));
}

#[test]
fn a_namespace_that_was_not_given_to_the_builder_cannot_be_sent() {
    let shared = Arc::<Shared>::default();
    let mut wired = Wired::without_client_handlers(Talk::server(Server(shared)), &[]);
    let talk = Talk::to_server(&wired.link);
    assert!(matches!(
        talk.note("x"),
        Err(SendError::Unsupported { event: "talk/note" })
    ));
    let call = talk.double(1);
    assert_eq!(wired.finish(call), Err(CallError::Unsupported));
}

#[test]
fn handlers_start_in_order_and_run_beside_each_other() {
    let mut test = Test::new();
    test.talk().slow("a").unwrap();
    test.talk().slow("b").unwrap();
    test.wired.run();
    assert_eq!(test.notes(), ["a begins", "b begins"]);
    test.server.gate.open();
    test.wired.run();
    assert_eq!(test.notes().len(), 2);
}

#[test]
fn sequential_handlers_wait_for_each_other_and_the_rest_does_not_wait_for_them() {
    let mut test = Test::with(sente::Routes::sequential);
    test.talk().slow("a").unwrap();
    test.talk().slow("b").unwrap();
    test.talk().note("c").unwrap();
    test.wired.run();
    assert_eq!(test.notes(), ["a begins"]);
    test.server.gate.open();
    test.wired.run();
    assert_eq!(
        test.notes(),
        ["a begins", "a ends", "b begins", "b ends", "c"][1..]
    );
}

#[test]
fn a_handler_may_call_back_while_it_runs() {
    let mut test = Test::new();
    test.talk().greet().unwrap();
    test.wired.run();
    assert_eq!(test.notes(), ["hello one"]);
}

#[test]
fn a_clients_handler_sends_through_its_link() {
    let mut test = Test::new();
    Talk::to_client(&test.wired.peer).greet().unwrap();
    test.wired.run();
    assert_eq!(test.notes(), ["greeted"]);
}

#[test]
fn of_latest_events_only_the_newest_of_each_key_is_handled() {
    let mut test = Test::new();
    let peer = Talk::to_client(&test.wired.peer);
    for at in 0..5 {
        peer.position(1, at).unwrap();
        peer.position(2, -at).unwrap();
    }
    test.wired.run();
    assert_eq!(*test.client.notes.lock().unwrap(), ["1 at 4", "2 at -4"]);
}

#[test]
fn an_ended_session_fails_calls_at_once_and_drops_their_handlers() {
    let mut test = Test::new();
    let call = test.talk().hang();
    let mut call = Wired::begin(call);
    test.talk().slow("event").unwrap();
    test.wired.run();
    test.wired.link.port().end();
    test.wired.peer.port().end();
    assert_eq!(
        Wired::poll(&mut call),
        Some(Err(CallError::Disconnected {
            maybe_executed: true
        }))
    );
    test.server.gate.open();
    test.wired.run();
    assert_eq!(test.server.hanging.load(Ordering::SeqCst), 0);
    assert_eq!(test.notes(), ["event begins", "event ends"]);
    assert!(matches!(test.talk().note("late"), Err(SendError::Ended)));
}

#[test]
fn while_carriers_change_handlers_still_start_in_order() {
    let mut test = Test::new();
    test.talk().note("first").unwrap();
    let (talk, another_carrier) = (test.talk(), test.wired.another_carrier());
    *test.server.meanwhile.lock().unwrap() = Some(Box::new(move || {
        for text in ["second", "third"] {
            talk.note(text).unwrap();
            another_carrier();
        }
    }));
    test.wired.run();
    assert_eq!(test.notes(), ["first", "second", "third"]);
}
