//! Events as a stream.

use futures_util::StreamExt;
use sente_client::{Client, Limits};
use sente_proto::frame::{Failure, Item, Outcome};
use std::time::Duration;

use crate::contract::{CONFIRM, Chat, POSTED, Ui};
use crate::fake::{FakeServer, event, fields, soon};

#[tokio::test]
async fn an_event_gives_credit_back_when_it_is_taken() {
    let mut server = FakeServer::new().await;
    let builder = Client::builder(server.url()).limits(Limits {
        handlers: 2,
        ..Limits::default()
    });
    let mut events = builder.stream::<Chat>();
    let client = builder.connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    let codec = socket.codec;
    let items = vec![event(codec, POSTED, "one"), event(codec, POSTED, "two")];
    socket.send_items(1, items).await;
    let mut acknowledgement = socket.acknowledgement().await;
    while acknowledgement.received < 2 {
        acknowledgement = socket.acknowledgement().await;
    }
    assert_eq!(acknowledgement.credit, 2);

    let text = "one".to_owned();
    assert_eq!(
        soon("an event", events.next()).await,
        Some(Chat::Posted { text })
    );
    while acknowledgement.credit < 3 {
        acknowledgement = socket.acknowledgement().await;
    }
    // One that is dropped with the stream is done too.
    drop(events);
    while acknowledgement.credit < 4 {
        acknowledgement = socket.acknowledgement().await;
    }
    assert_eq!(acknowledgement.credit, 4);
}

#[tokio::test]
async fn a_call_is_nothing_for_a_stream() {
    let mut server = FakeServer::new().await;
    let builder = Client::builder(server.url());
    let mut events = builder.stream::<Chat>();
    let client = builder.connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    let codec = socket.codec;
    let call = Item::Call {
        event: CONFIRM,
        remaining: Duration::from_secs(5),
        payload: fields(codec, &["sure?"]),
    };
    socket
        .send_items(1, vec![call, event(codec, POSTED, "hi")])
        .await;
    let (_, items) = socket.items().await;
    let outcome = Outcome::Failed(Failure::Unsupported);
    assert_eq!(items, [Item::Reply { call: 1, outcome }]);
    let text = "hi".to_owned();
    assert_eq!(
        soon("an event", events.next()).await,
        Some(Chat::Posted { text })
    );
    drop(client);
    socket.goodbye().await;
    assert_eq!(soon("the end", events.next()).await, None);
}

#[tokio::test]
async fn a_stream_and_a_handler_see_the_same() {
    let mut server = FakeServer::new().await;
    let (ui, mut posted) = Ui::new();
    let builder = Client::builder(server.url()).serve(Chat::client(ui));
    let mut events = builder.stream::<Chat>();
    let _client = builder.connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    socket
        .send_items(1, vec![event(socket.codec, POSTED, "hi")])
        .await;
    let text = "hi".to_owned();
    assert_eq!(soon("the event", posted.recv()).await.unwrap(), text);
    assert_eq!(
        soon("the event", events.next()).await,
        Some(Chat::Posted { text })
    );
}
