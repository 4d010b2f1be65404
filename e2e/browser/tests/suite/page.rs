//! A page with a client in it.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use futures_channel::mpsc;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use sente_browser_tests::{House, HouseClient};
use sente_client::{CarrierChoice, Client, ClientBuilder, Link, State};

use crate::spy;

/// A test that waits so many milliseconds has failed.
const PATIENCE: f64 = 30_000.0;

/// Both carriers alone, and the choice between them.
pub(crate) const CARRIERS: [CarrierChoice; 3] = [
    CarrierChoice::Auto,
    CarrierChoice::WebSocket,
    CarrierChoice::Poll,
];

pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match select(pin!(future), pin!(spy::later(PATIENCE))).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("{what} did not come"),
    }
}

/// Waits until the client's state is so.
pub(crate) async fn until(
    what: &str,
    client: &Client,
    is_so: impl Fn(&State) -> bool,
) -> Arc<State> {
    let mut changes = client.states();
    let mut state = client.state();
    while !is_so(&state) {
        state = match soon(what, changes.next()).await {
            Some(change) => change.new,
            None => panic!("the client has ended before {what}: {state:?}"),
        };
    }
    state
}

/// An address of the server, which listens on the port above that of the page.
pub(crate) fn url(path: &str) -> String {
    let base = origin();
    let (rest, port) = base.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    format!("{rest}:{}{path}", port + 1)
}

/// That of the page.
pub(crate) fn origin() -> String {
    let origin = js_sys::Reflect::get(&js_sys::global(), &"origin".into());
    origin.unwrap().as_string().unwrap()
}

/// Handlers of a page: they hold what may not leave their thread.
pub(crate) struct Ui {
    counted: mpsc::UnboundedSender<u32>,
    asked: Rc<RefCell<Vec<String>>>,
}

impl Ui {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<u32>) {
        let (counted, counts) = mpsc::unbounded();
        let asked = Rc::default();
        (Self { counted, asked }, counts)
    }

    pub(crate) fn asked(&self) -> Rc<RefCell<Vec<String>>> {
        Rc::clone(&self.asked)
    }
}

impl HouseClient for Ui {
    async fn counted(&self, _: &Link, number: u32) {
        // The test may have heard enough.
        let _ = self.counted.unbounded_send(number);
    }

    async fn ask(&self, _: &Link, question: String) -> String {
        // Across an await too.
        let asked = Rc::clone(&self.asked);
        spy::later(1.0).await;
        asked.borrow_mut().push(question.clone());
        format!("{question} me")
    }
}

/// A client of the server at that path, and what it hears.
pub(crate) fn client(path: &str) -> (ClientBuilder, mpsc::UnboundedReceiver<u32>) {
    let (ui, counts) = Ui::new();
    let builder = Client::builder(url(path)).serve(House::client(ui));
    (builder, counts)
}

/// A client that is connected.
pub(crate) async fn connected(builder: ClientBuilder) -> Client {
    let client = builder.connect();
    soon("the connection", client.ready()).await.unwrap();
    client
}
