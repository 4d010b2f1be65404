//! Connections that break, and sessions that end.

use std::sync::Mutex;

use futures_util::StreamExt;
use sente_client::{Client, ConnectionEnd, FreshReason, SessionState, UnconfirmedReason};
use sente_proto::CloseReason;
use sente_proto::frame::Item;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use crate::contract::{Chat, SAID, TYPING};
use crate::fake::{FakeServer, Upgrades, fields, front, reply, soon};

#[tokio::test]
async fn a_broken_connection_is_replaced_and_nothing_is_lost() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url()).contract::<Chat>().connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    let call = tokio::spawn(Chat::to_server(&client).post("hello"));
    let (first, items) = socket.items().await;

    client.break_connection();
    let mut again = server.socket().await;
    let hello = again.welcome().await;
    assert!(hello.resume.is_some());
    let (first_again, items_again) = again.items().await;
    assert_eq!(first_again, first);
    assert!(matches!(
        (&items[..], &items_again[..]),
        ([Item::Call { payload, .. }], [Item::Call { payload: again, .. }]) if payload == again
    ));
    again.send_items(1, vec![reply(again.codec, 1, 9)]).await;
    assert_eq!(soon("the reply", call).await.unwrap(), Ok(9));
    let state = client.state();
    assert_eq!(state.session, Some(SessionState::Resumed));
    assert!(!state.first_open);
    assert_eq!(
        state.last_close.as_ref().map(|close| &close.reason),
        Some(&ConnectionEnd::Broken)
    );
}

#[tokio::test]
async fn a_server_that_vanishes_is_found_again() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url()).contract::<Chat>().connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    drop(socket);
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    let state = client.state();
    assert_eq!(state.session, Some(SessionState::Resumed));
    let error = state.last_ws_error.as_deref().unwrap();
    assert!(error.contains("without a goodbye"), "{error}");
}

#[tokio::test]
async fn what_an_ended_session_left_unconfirmed_comes_back_and_can_be_sent_again() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url()).contract::<Chat>().connect();
    let mut unconfirmed = client.unconfirmed();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    let chat = Chat::to_server(&client);
    chat.said("confirmed").unwrap();
    socket.items().await;
    socket.acknowledge(1).await;
    chat.said("not confirmed").unwrap();
    socket.items().await;
    socket.close(CloseReason::Overflow).await;

    let batch = soon("the batch", unconfirmed.next()).await.unwrap();
    let reason = UnconfirmedReason::SessionEnded(FreshReason::Overflow);
    assert_eq!(batch.reason, reason);
    let [event] = &batch.events[..] else {
        panic!("{batch:?}");
    };
    assert_eq!(event.name(), "chat/said");
    assert!(event.maybe_received());
    let value = event.decode::<Chat>().unwrap().unwrap();
    assert_eq!(value, Chat::Said("not confirmed".to_owned()));
    assert!(!format!("{batch:?}").contains("not confirmed"));

    client.resend(batch).unwrap();
    let mut socket = server.socket().await;
    assert!(socket.welcome().await.resume.is_none());
    let (first, items) = socket.items().await;
    assert_eq!(first, 1);
    assert!(matches!(&items[..], [Item::Event { event: SAID, payload }]
        if *payload == fields(socket.codec, &["not confirmed"])));
    assert!(unconfirmed.try_next().is_none());
}

#[tokio::test]
async fn while_the_network_takes_no_more_only_the_latest_is_kept() {
    // A network that holds one KiB.
    let (front, mut sockets, _requests) = front(Upgrades::Accepted);
    let (dialled, mut dials) = mpsc::unbounded_channel::<DuplexStream>();
    let dialled = Mutex::new(dialled);
    tokio::spawn(async move {
        while let Some(stream) = dials.recv().await {
            tokio::spawn(front.clone().serve(stream));
        }
    });
    let client = Client::builder("http://example.org/sente")
        .contract::<Chat>()
        .transport(move |host, port| {
            assert_eq!((host.as_str(), port), ("example.org", 80));
            let (near, far) = tokio::io::duplex(1024);
            dialled.lock().unwrap().send(far).unwrap();
            std::future::ready(Ok(near))
        })
        .connect();
    let mut socket = soon("a WebSocket", sockets.recv()).await.unwrap();
    socket.welcome().await;
    client.ready().await.unwrap();
    let chat = Chat::to_server(&client);
    let text = |count: u32| format!("{count:0500}");
    for count in 0..1_000 {
        chat.typing("lobby", text(count)).unwrap();
        // Others run in between: the client could send each of them.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    }
    let last = fields(socket.codec, &["lobby", &text(999)]);
    let mut seen = 0;
    loop {
        let (_, items) = socket.items().await;
        seen += items.len();
        if let Some(Item::Event {
            event: TYPING,
            payload,
        }) = items.last()
            && *payload == last
        {
            break;
        }
    }
    assert!(seen < 100, "{seen} were sent into a network that took none");
}
