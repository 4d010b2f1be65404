//! What a client does on a good day, on both carriers.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{
    Chat, ChatServer, ECHO, PANIC, Poller, SAID, SAY, SLOW, SURE, Site, Ws, call, data, event,
    hello, hello_of, post, reply, resuming, soon, text,
};
use sente::Peer;
use sente_proto::codec::Codec;
use sente_proto::frame::{Failure, Frame, Item, Outcome};
use sente_proto::{Close, CloseReason, FreshReason};
use sente_server::{Identity, Server};
use tokio::sync::Semaphore;

struct Lobby {
    server: Server,
    /// How many slow calls may end.
    gate: Arc<Semaphore>,
}

impl ChatServer for Lobby {
    async fn echo(&self, _from: &Peer, text: String) -> String {
        text
    }

    async fn say(&self, from: &Peer, text: String) {
        self.server.join(from, "lobby");
        Chat::to_clients(self.server.room("lobby")).said(text);
    }

    async fn slow(&self, _from: &Peer, text: String) -> String {
        let permit = self.gate.acquire().await.expect("open");
        permit.forget();
        text
    }

    async fn panic(&self, _from: &Peer) -> String {
        panic!("as the test wants it")
    }
}

fn lobby() -> (sente_server::Builder, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let of_handler = Arc::clone(&gate);
    let builder = Server::builder()
        .authenticate(|handshake| async move {
            Ok(match handshake.token() {
                Some(user) => Identity::user(user),
                None => Identity::anonymous(),
            })
        })
        .serve(move |server| {
            Chat::server(Lobby {
                server,
                gate: of_handler,
            })
        });
    (builder, gate)
}

fn said(what: &str) -> Item {
    event(SAID, what)
}

#[tokio::test]
async fn a_call_over_websocket_is_answered() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let (mut ws, welcome) = Ws::open(site.address, hello_of("ann")).await;
    assert_eq!(welcome.fresh, Some(FreshReason::First));
    assert_eq!(welcome.user.as_deref(), Some("ann"));
    ws.send(&data(0, 1, vec![call(ECHO, "hello")])).await;
    assert_eq!(ws.item().await, reply(1, "hello"));
}

#[tokio::test]
async fn a_call_over_polling_is_answered_by_the_poll() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let client = Poller::open(site.address, hello()).await;
    let sent = client
        .send(1, [data(0, 1, vec![call(ECHO, "hello")])])
        .await;
    assert_eq!(sent.header("cache-control"), Some("no-store"));
    let [Frame::Data(acknowledgement)] = &sent.frames[..] else {
        panic!("a send is answered by an acknowledgement");
    };
    assert!(acknowledgement.items.is_empty());
    assert_eq!(acknowledgement.acknowledge.map(|ack| ack.received), Some(1));
    let polled = client.poll(1, 0).await;
    assert_eq!(polled.header("cache-control"), Some("no-store"));
    assert_eq!(polled.items(), [reply(1, "hello")]);
}

#[tokio::test]
async fn a_held_poll_is_answered_when_something_waits() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let client = Poller::open(site.address, hello_of("ann")).await;
    let mut presence = site.server.presence();
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.poll(1, 0).await }
    });
    // The poll has come when the client has.
    soon(
        "the client's coming",
        futures_util::StreamExt::next(&mut presence),
    )
    .await;
    assert_eq!(Chat::to_clients(site.server.user("ann")).said("news"), 1);
    assert_eq!(held.await.expect("no panic").items(), [said("news")]);
}

#[tokio::test]
async fn a_poll_with_nothing_to_say_is_answered_with_nothing_in_time() {
    let (builder, _) = lobby();
    let hold = Duration::from_millis(50);
    let site = Site::start(builder.poll_hold(hold)).await;
    let client = Poller::open(site.address, hello()).await;
    let answer = client.poll(1, 0).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn the_newest_poll_is_held_and_the_others_are_answered_with_nothing() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let client = Poller::open(site.address, hello_of("ann")).await;
    let poll = |number| {
        let client = client.clone();
        tokio::spawn(async move { client.poll(number, 0).await.items() })
    };
    let (first, second) = (poll(1), poll(2));
    // Whichever comes first, the first is overtaken or late.
    assert_eq!(first.await.expect("no panic"), []);
    assert_eq!(client.poll(1, 0).await.items(), [], "late");
    Chat::to_clients(site.server.user("ann")).said("news");
    assert_eq!(second.await.expect("no panic"), [said("news")]);
}

#[tokio::test]
async fn polls_beside_each_other_are_answered_in_their_order() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let client = Poller::open(site.address, hello_of("ann")).await;
    let mut presence = site.server.presence();
    let poll = |number, beside| {
        let client = client.clone();
        tokio::spawn(async move { client.poll_beside(number, 0, beside).await.items() })
    };
    let first = poll(1, 0);
    soon(
        "the client's coming",
        futures_util::StreamExt::next(&mut presence),
    )
    .await;
    let second = poll(2, 1);
    for (poll, text) in [(first, "one"), (second, "two")] {
        Chat::to_clients(site.server.user("ann")).said(text);
        assert_eq!(poll.await.expect("no panic"), [said(text)]);
    }
}

#[tokio::test]
async fn a_poll_does_not_wait_for_an_older_one_whose_client_has_gone() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let client = Poller::open(site.address, hello_of("ann")).await;
    let mut presence = site.server.presence();
    let poll = |number, beside| {
        let client = client.clone();
        tokio::spawn(async move { client.poll_beside(number, 0, beside).await.items() })
    };
    let gone = poll(1, 0);
    soon(
        "the client's coming",
        futures_util::StreamExt::next(&mut presence),
    )
    .await;
    gone.abort();
    let mut second = poll(2, 1);
    // What goes before the server has noticed is lost with the first.
    let answered = async {
        loop {
            Chat::to_clients(site.server.user("ann")).said("news");
            tokio::select! {
                items = &mut second => return items,
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
            }
        }
    };
    let items = soon("an answer", answered).await.expect("no panic");
    assert!(items.contains(&said("news")));
}

#[tokio::test]
async fn a_lost_answer_to_a_poll_comes_again_and_a_repeated_send_does_not() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let client = Poller::open(site.address, hello()).await;
    for _ in 0..3 {
        let answer = client.send(1, [data(0, 1, vec![event(SAY, "once")])]).await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(client.poll(1, 0).await.items(), [said("once")]);
    // That answer was lost.
    assert_eq!(client.poll(2, 0).await.items(), [said("once")]);
    let _ = client
        .send(2, [data(1, 2, vec![event(SAY, "twice")])])
        .await;
    assert_eq!(client.poll(3, 1).await.items(), [said("twice")]);
}

#[tokio::test]
async fn a_session_moves_between_carriers_in_the_middle_of_a_call() {
    let (builder, gate) = lobby();
    let site = Site::start(builder).await;
    let first = Poller::open(site.address, hello()).await;
    let welcome = |client: &Poller| {
        let mut welcome = resuming_of(client);
        welcome.epoch = 0;
        welcome
    };
    let _ = first.send(1, [data(0, 1, vec![call(SLOW, "one")])]).await;
    let held = tokio::spawn({
        let first = first.clone();
        async move { first.poll(1, 0).await }
    });

    // Up to a WebSocket: the poll learns of it.
    let mut ws = Ws::dial(site.address).await;
    let mut up = resuming_of(&first);
    up.epoch = 2;
    let answer = ws.greet(up).await;
    assert_eq!((answer.fresh, answer.session), (None, first.session));
    assert_eq!(answer.acknowledge.received, 1);
    ws.send(&data(0, 2, vec![call(SLOW, "two")])).await;
    assert_eq!(
        held.await.expect("no panic").close(),
        (CloseReason::Replaced, 2)
    );
    gate.add_permits(1);
    assert_eq!(ws.item().await, reply(1, "one"));

    // And down again: the WebSocket learns of it, and what it has not acknowledged comes again.
    let mut down = welcome(&first);
    down.epoch = 3;
    let second = Poller::open(site.address, down).await;
    assert_eq!(second.poll(1, 0).await.items(), [reply(1, "one")]);
    let close = ws.closed().await;
    assert_eq!((close.reason, close.epoch), (CloseReason::Replaced, 3));
    ws.hung_up().await;
    gate.add_permits(1);
    assert_eq!(second.poll(2, 1).await.items(), [reply(2, "two")]);
    assert_eq!(first.poll(2, 0).await.close(), (CloseReason::Replaced, 3));
}

/// A client behind a proxy that passes on what it says by WebSocket, and swallows the answers.
#[tokio::test]
async fn a_websocket_whose_welcome_is_swallowed_leaves_polling_alone() {
    let (builder, _) = lobby();
    let limit = Duration::from_millis(300);
    let site = Site::start(builder.handshake_timeout(limit)).await;
    let poller = Poller::open(site.address, hello()).await;
    let _ = poller.send(1, []).await;
    let held = tokio::spawn({
        let poller = poller.clone();
        async move { poller.poll(1, 0).await }
    });
    let mut ws = Ws::dial(site.address).await;
    ws.send(&Frame::Hello(Box::new(resuming_of(&poller)))).await;
    // Whatever the client makes of it, it says nothing on it, and after a while it is closed.
    let welcome = ws.frame().await;
    assert!(matches!(welcome, Frame::Welcome(_)));
    let close = ws.closed().await;
    assert_eq!(close.reason, CloseReason::HandshakeTimeout);
    Chat::to_clients(site.server.everyone()).said("hi");
    assert_eq!(held.await.expect("no panic").items(), [said("hi")]);
}

/// A hello that goes on with the session of a client that polls.
fn resuming_of(client: &Poller) -> sente_proto::frame::Hello {
    sente_proto::frame::Hello {
        epoch: client.epoch + 1,
        resume: Some(sente_proto::frame::Resume {
            session: client.session,
            secret: client.secret.clone(),
            acknowledge: common::acknowledge(0),
        }),
        ..hello()
    }
}

#[tokio::test]
async fn what_was_sent_while_a_client_was_away_comes_when_it_is_back() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let (mut ws, welcome) = Ws::open(site.address, hello_of("ann")).await;
    ws.is_well(1).await;
    let received = ws.received;
    ws.vanish();
    for number in 0..20 {
        Chat::to_clients(site.server.user("ann")).said(number.to_string());
    }
    let again = sente_proto::frame::Hello {
        token: Some(sente::Secret::new("ann".to_owned())),
        ..resuming(&welcome, 2, received)
    };
    let mut ws = Ws::dial(site.address).await;
    assert_eq!(ws.greet(again).await.fresh, None);
    for number in 0..20 {
        assert_eq!(ws.item().await, said(&number.to_string()));
    }
}

#[tokio::test]
async fn the_server_asks_one_client() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let (mut ws, welcome) = Ws::open(site.address, hello()).await;
    ws.is_well(1).await;
    let asked = tokio::spawn(Chat::to_client(site.server.session(welcome.session)).sure("really?"));
    let Item::Call { event, payload, .. } = ws.item().await else {
        panic!("a call");
    };
    assert_eq!((event, payload), (SURE, text("really?")));
    let yes = sente_proto::codec::Codec::Bincode
        .encode(&true)
        .expect("a bool");
    let answer = Item::Reply {
        call: 2,
        outcome: Outcome::Reply(yes),
    };
    ws.send(&data(2, 2, vec![answer])).await;
    assert_eq!(soon("the answer", asked).await.expect("no panic"), Ok(true));
}

#[tokio::test]
async fn a_handler_that_panics_fails_its_call_alone() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let (mut ws, _) = Ws::open(site.address, hello()).await;
    let panic = Item::Call {
        event: PANIC,
        remaining: Duration::from_secs(5),
        payload: bytes::Bytes::new(),
    };
    ws.send(&data(0, 1, vec![panic, call(ECHO, "still here")]))
        .await;
    let failed = Item::Reply {
        call: 1,
        outcome: Outcome::Failed(Failure::Internal),
    };
    assert_eq!(ws.item().await, failed);
    assert_eq!(ws.item().await, reply(2, "still here"));
}

#[tokio::test]
async fn a_goodbye_ends_the_session_on_either_carrier() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let goodbye = || Frame::Close(Box::new(Close::new(CloseReason::Goodbye)));
    let (mut ws, welcome) = Ws::open(site.address, hello()).await;
    ws.send(&goodbye()).await;
    ws.hung_up().await;
    let mut ws = Ws::dial(site.address).await;
    let again = ws.greet(resuming(&welcome, 2, 0)).await;
    assert_eq!(again.fresh, Some(FreshReason::Requested));

    let client = Poller::open(site.address, hello()).await;
    assert_eq!(client.send(1, [goodbye()]).await.status, 200);
    assert_eq!(
        client.poll(1, 0).await.close().0,
        CloseReason::UnknownSession
    );
}

#[tokio::test]
async fn a_hello_that_is_said_again_gets_the_same_session() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let first = hello();
    let attempt = first.attempt;
    let mut one = Ws::dial(site.address).await;
    let welcome = one.greet(first).await;
    let again = |epoch| sente_proto::frame::Hello {
        attempt,
        epoch,
        ..hello()
    };
    let answer = post(site.address, [Frame::Hello(Box::new(again(2)))]).await;
    let answer = answer.welcome();
    assert_eq!(
        (answer.session, answer.fresh),
        (welcome.session, welcome.fresh)
    );
    // The first carrier serves it until the client goes on with the other.
    one.is_well(1).await;
    let other = Poller::open(site.address, again(3)).await;
    assert_eq!(other.session, welcome.session);
    let _ = other.send(1, []).await;
    assert_eq!(one.closed().await.reason, CloseReason::Replaced);
}

#[tokio::test]
async fn a_hello_comes_in_the_form_of_its_codec() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    // A text hello that asks for a binary codec, and the other way round.
    for (written_as, asks_for) in [(Codec::Json, "bincode"), (Codec::Bincode, "json")] {
        let hello = Frame::Hello(Box::new(sente_proto::frame::Hello {
            codec: asks_for.to_owned(),
            ..hello()
        }));
        let mut body = Vec::new();
        sente_proto::wire::append_to_body(written_as, &hello, &mut body);
        let content_type = if written_as.is_text() {
            "application/vnd.sente+json"
        } else {
            "application/vnd.sente"
        };
        let headers = [("content-type", content_type)];
        let answer = common::http(site.address, "POST", &headers, &body).await;
        assert_eq!(answer.status, 400);
        let body = answer.body.into();
        let limits = sente_proto::Limits::default().wire();
        let mut frames = sente_proto::wire::frames_of_body(written_as, &body, &limits);
        let Some(Ok(Frame::Refused(refused))) = frames.next() else {
            panic!("no refusal");
        };
        assert_eq!(refused.reason, sente_proto::RefusedReason::Malformed);
    }
}

#[tokio::test]
async fn text_codecs_travel_as_text() {
    let (builder, _) = lobby();
    let site = Site::start(builder).await;
    let json = || sente_proto::frame::Hello {
        codec: "json".to_owned(),
        ..hello()
    };
    let mut ws = Ws::dial(site.address).await;
    let _ = ws.greet(json()).await;
    let call = Item::Call {
        event: ECHO,
        remaining: Duration::from_secs(5),
        payload: bytes::Bytes::from_static(br#"["hello"]"#),
    };
    ws.send(&data(0, 1, vec![call])).await;
    let outcome = Outcome::Reply(bytes::Bytes::from_static(br#""hello""#));
    assert_eq!(ws.item().await, Item::Reply { call: 1, outcome });

    let mut body = Vec::new();
    let codec = Codec::Json;
    sente_proto::wire::append_to_body(codec, &Frame::Hello(Box::new(json())), &mut body);
    let headers = [("content-type", "application/vnd.sente+json")];
    let answer = common::http(site.address, "POST", &headers, &body).await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/vnd.sente+json")
    );
    assert!(answer.body.starts_with(br#"{"welcome":"#));
}
