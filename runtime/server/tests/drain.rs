//! How a server shuts down: refuses, lets finish, and lets all go at moments of their own.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{
    Chat, ChatServer, Poller, SLOW, Site, Ws, body, call, data, hello, hello_of, post, reply,
    resuming, soon,
};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use sente::{Codec, Peer};
use sente_proto::frame::{Acknowledge, Data, Frame, Item};
use sente_proto::wire;
use sente_proto::{Close, CloseReason, RefusedReason};
use sente_server::{Builder, Identity, Presence, PresenceStream, Server};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tower_service::Service;

#[derive(Clone)]
struct Lobby {
    gate: Arc<Semaphore>,
    began: Arc<Notify>,
}

impl ChatServer for Lobby {
    async fn echo(&self, _from: &Peer, text: String) -> String {
        text
    }
    async fn say(&self, _from: &Peer, _text: String) {}
    async fn slow(&self, _from: &Peer, text: String) -> String {
        self.began.notify_one();
        self.gate.acquire().await.expect("open").forget();
        text
    }
    async fn panic(&self, _from: &Peer) -> String {
        panic!("as the test wants it")
    }
}

fn lobby() -> (Builder, Lobby) {
    let lobby = Lobby {
        gate: Arc::new(Semaphore::new(0)),
        began: Arc::default(),
    };
    let handlers = lobby.clone();
    let builder = Server::builder()
        .authenticate(|handshake| async move {
            Ok(handshake
                .token()
                .map_or_else(Identity::anonymous, Identity::user))
        })
        .serve(|_| Chat::server(handlers));
    (builder, lobby)
}

async fn until_joined(presence: &mut PresenceStream) {
    let joined = async {
        while let Some(change) = presence.next().await {
            if matches!(change, Presence::Joined { .. }) {
                return;
            }
        }
        panic!("the server is gone");
    };
    soon("a client's coming", joined).await;
}

#[tokio::test]
async fn a_shutdown_lets_handlers_finish_answers_polls_and_closes_all() {
    let (builder, lobby) = lobby();
    let server = builder.build();
    let app = axum::Router::new().merge(server.routes("/sente"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let signal = Arc::new(Notify::new());
    let signalled = {
        let signal = Arc::clone(&signal);
        async move { signal.notified().await }
    };
    let shutdown = server.shutdown_on(signalled, Duration::from_secs(2));
    let served = tokio::spawn(async move {
        axum::serve(listener, app)
            .with_graceful_shutdown(shutdown)
            .await
    });

    let mut silent = Ws::dial(address).await;
    let (mut busy, _) = Ws::open(address, hello()).await;
    busy.send(&data(0, 1, vec![call(SLOW, "done")])).await;
    lobby.began.notified().await;
    let client = Poller::open(address, hello_of("poller")).await;
    let mut presence = server.presence();
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.poll(1, 0).await }
    });
    until_joined(&mut presence).await;

    signal.notify_one();
    let answer = held.await.expect("no panic");
    assert_eq!(answer.close().0, CloseReason::Shutdown);
    let refused = post(address, [Frame::Hello(Box::new(hello()))]).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.refused().reason, RefusedReason::Shutdown);
    assert_eq!(silent.refused().await.reason, RefusedReason::Shutdown);

    lobby.gate.add_permits(1);
    assert_eq!(busy.item().await, reply(1, "done"));
    busy.send(&data(1, 0, vec![])).await;
    let close = busy.closed().await;
    assert_eq!(close.reason, CloseReason::Shutdown);
    assert!(close.retry_after.is_some());
    busy.hung_up().await;
    soon("the end of the server", served)
        .await
        .expect("no panic")
        .expect("no error");
}

#[tokio::test]
async fn a_session_that_still_works_is_resumed_on_either_carrier_and_a_fresh_one_refused() {
    let (builder, lobby) = lobby();
    let site = Site::start(builder).await;
    let (mut busy, welcome) = Ws::open(site.address, hello()).await;
    busy.send(&data(0, 1, vec![call(SLOW, "done")])).await;
    lobby.began.notified().await;
    let shutdown = tokio::spawn(site.server.shutdown(Duration::from_secs(60)));
    // From the first refusal on, the server shuts down.
    let shuts_down = async {
        while post(site.address, [Frame::Hello(Box::new(hello()))])
            .await
            .status
            == 200
        {}
    };
    soon("the shutdown", shuts_down).await;

    busy.vanish();
    let poller = Poller::open(site.address, resuming(&welcome, 2, 0)).await;
    assert_eq!(poller.session, welcome.session);
    let mut busy = Ws::dial(site.address).await;
    let mut stranger = Ws::dial(site.address).await;
    let again = busy.greet(resuming(&welcome, 3, 0)).await;
    assert_eq!((again.fresh, again.session), (None, welcome.session));
    busy.send(&data(0, 0, vec![])).await;
    stranger.send(&Frame::Hello(Box::new(hello()))).await;
    assert_eq!(stranger.refused().await.reason, RefusedReason::Shutdown);

    lobby.gate.add_permits(1);
    assert_eq!(busy.item().await, reply(1, "done"));
    busy.send(&data(1, 0, vec![])).await;
    assert_eq!(busy.closed().await.reason, CloseReason::Shutdown);
    drop(busy);
    soon("the end", shutdown).await.expect("no panic");
}

#[tokio::test]
async fn a_server_without_clients_shuts_down_at_once_and_one_that_is_dropped_is_gone() {
    let mut presence = {
        let (builder, _) = lobby();
        let site = Site::start(builder).await;
        let (mut ws, welcome) = Ws::open(site.address, hello()).await;
        ws.is_well(1).await;
        site.server.kick(welcome.session, "out");
        drop(ws);
        soon("the end", site.server.shutdown(Duration::from_secs(60))).await;
        site.server.presence()
    };
    // Nothing but the handler had the server any more, and the server does not keep its handler.
    let gone = async { while presence.next().await.is_some() {} };
    soon("the end of the server", gone).await;
}

// ---- many at once, on a clock of the test's own ----

const DEADLINE: Duration = Duration::from_secs(10);
const CLIENTS: usize = 40;

/// A client that polls without a socket, so that the clock may jump.
struct Client {
    app: axum::Router,
    poller: Poller,
    received: u64,
}

impl Client {
    async fn open(server: &Server) -> Self {
        let mut app = axum::Router::new().merge(server.routes("/sente"));
        let hello = hello();
        let epoch = hello.epoch;
        let Some(Frame::Welcome(welcome)) = exchange(&mut app, [Frame::Hello(Box::new(hello))])
            .await
            .pop()
        else {
            panic!("no welcome");
        };
        Self {
            app,
            poller: Poller {
                address: ([127, 0, 0, 1], 0).into(),
                session: welcome.session,
                secret: welcome.secret,
                server: welcome.server,
                epoch,
            },
            received: 0,
        }
    }

    /// Calls a handler that takes its time.
    async fn call(&mut self) {
        let calls = data(0, 1, vec![call(SLOW, "done")]);
        let frames = [self.poller.request(1, false), calls];
        exchange(&mut self.app, frames).await;
    }

    /// Polls to the end, each time 15 ms after the last answer, and says what came.
    async fn poll_to_the_end(mut self) -> (Close, Vec<Item>) {
        let mut items = Vec::new();
        for number in 1.. {
            let acknowledgement = Data {
                acknowledge: Some(Acknowledge {
                    received: self.received,
                    credit: self.received + 256,
                }),
                ..Data::default()
            };
            let frames = [
                self.poller.request(number, true),
                Frame::Data(acknowledgement),
            ];
            for frame in exchange(&mut self.app, frames).await {
                match frame {
                    Frame::Data(data) => {
                        self.received = self
                            .received
                            .max(data.first + data.items.len() as u64)
                            .saturating_sub(u64::from(data.first > 0));
                        items.extend(data.items);
                    }
                    Frame::Close(close) => return (*close, items),
                    _ => panic!("neither data nor a close"),
                }
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        unreachable!("numbers do not end")
    }
}

async fn exchange(app: &mut axum::Router, frames: impl IntoIterator<Item = Frame>) -> Vec<Frame> {
    let request = http::Request::post("/sente/poll")
        .header("content-type", "application/vnd.sente")
        .body(axum::body::Body::from(body(frames)))
        .expect("a request");
    let response = app.call(request).await.expect("it never fails");
    let body = response.into_body().collect().await.expect("a body");
    wire::frames_of_body(Codec::Bincode, &body.to_bytes(), &common::LIMITS)
        .collect::<Result<_, _>>()
        .expect("frames")
}

/// A server, and a list of the moments at which its sessions have ended.
fn timed(builder: Builder) -> (Server, Arc<Mutex<Vec<Instant>>>) {
    let ends: Arc<Mutex<Vec<_>>> = Arc::default();
    let on_end = Arc::clone(&ends);
    let builder = builder.on_end(move |_, _| on_end.lock().unwrap().push(Instant::now()));
    (builder.build(), ends)
}

/// Shuts down while all these clients poll. Returns what came for each.
async fn shut_down(server: &Server, clients: Vec<Client>) -> Vec<Vec<Item>> {
    let polling: Vec<_> = clients
        .into_iter()
        .map(|client| tokio::spawn(client.poll_to_the_end()))
        .collect();
    // Until all of them do.
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.shutdown(DEADLINE).await;
    let mut came = Vec::new();
    for client in polling {
        let (close, items) = client.await.expect("no panic");
        assert_eq!(close.reason, CloseReason::Shutdown);
        came.push(items);
    }
    came
}

/// They end one after the other, and not all at the same moment.
fn assert_apart(ends: &Mutex<Vec<Instant>>) {
    let mut ends = ends.lock().unwrap().clone();
    assert_eq!(ends.len(), CLIENTS);
    ends.dedup();
    assert!(ends.len() > CLIENTS / 4, "only at {} moments", ends.len());
}

#[tokio::test(start_paused = true)]
async fn sessions_for_which_something_always_waits_end_early_and_not_together() {
    let (builder, _) = lobby();
    let (server, ends) = timed(builder);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::open(&server).await);
    }
    let pushing = tokio::spawn({
        let server = server.clone();
        async move {
            loop {
                Chat::to_clients(server.everyone()).said("tick");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let began = Instant::now();
    shut_down(&server, clients).await;
    let took = began.elapsed();
    pushing.abort();
    assert!(took < DEADLINE / 2, "it took {took:?}");
    assert_apart(&ends);
}

#[tokio::test(start_paused = true)]
async fn handlers_that_never_finish_do_not_end_their_sessions_together() {
    let (builder, _) = lobby();
    let (server, ends) = timed(builder);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Client::open(&server).await;
        client.call().await;
        clients.push(client);
    }
    shut_down(&server, clients).await;
    assert_apart(&ends);
}

#[tokio::test(start_paused = true)]
async fn a_handler_has_most_of_the_deadline_to_finish() {
    let (builder, lobby) = lobby();
    let (server, _) = timed(builder);
    let mut client = Client::open(&server).await;
    client.call().await;
    let gate = Arc::clone(&lobby.gate);
    tokio::spawn(async move {
        tokio::time::sleep(DEADLINE * 9 / 10).await;
        gate.add_permits(1);
    });
    let came = shut_down(&server, vec![client]).await;
    assert_eq!(came, [[reply(1, "done")]]);
}
