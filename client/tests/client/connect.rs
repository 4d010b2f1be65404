//! Connecting, talking, being refused, leaving.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::StreamExt;
use sente::Codec;
use sente_client::{Carrier, Client, FreshReason, NotReady, RefusedReason, SessionState};
use sente_proto::Refused;
use sente_proto::frame::{Frame, Item, Outcome};
use std::time::Duration;

use crate::contract::{CONFIRM, Chat, POST, POSTED, SAID, Ui, Welcome};
use crate::fake::{FakeServer, SESSION, event, fields, reply, soon};

#[tokio::test]
async fn what_is_sent_before_the_answer_goes_out_with_it() {
    let mut server = FakeServer::new().await;
    let (ui, mut posted) = Ui::new();
    let client = Client::builder(server.url())
        .serve(Chat::client(ui))
        .connect();
    let chat = Chat::to_server(&client);
    chat.said("hello").unwrap();
    let post = tokio::spawn(chat.post("first"));

    let mut socket = server.socket().await;
    socket.welcome().await;
    let (first, items) = socket.items().await;
    assert_eq!(first, 1);
    assert!(matches!(items[0], Item::Event { event: SAID, .. }));
    // The call may have been made after the frame was cut.
    let call = if items.len() > 1 {
        2
    } else {
        socket.items().await.0
    };

    socket
        .send_items(
            1,
            vec![
                event(socket.codec, POSTED, "hi"),
                reply(socket.codec, call, 7),
            ],
        )
        .await;
    assert_eq!(soon("the reply", post).await.unwrap(), Ok(7));
    assert_eq!(soon("the event", posted.recv()).await.unwrap(), "hi");

    let state = client.state();
    assert!(state.open && state.ever_opened && state.first_open);
    assert_eq!(state.carrier, Some(Carrier::WebSocket));
    assert_eq!(state.user.as_deref(), Some("ann"));
    assert_eq!(state.session_id, Some(SESSION));
    assert_eq!(
        state.session,
        Some(SessionState::Fresh {
            reason: FreshReason::First
        })
    );
    let motto = "hello".to_owned();
    assert_eq!(client.handshake::<Chat>().unwrap(), Some(Welcome { motto }));
    assert!(!format!("{state:?}").contains("hello"));
}

#[tokio::test]
async fn the_server_asks_and_gets_an_answer() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url())
        .serve(Chat::client(Ui::new().0))
        .codec(Codec::Json)
        .connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    assert_eq!(socket.codec, Codec::Json);
    client.ready().await.unwrap();
    let call = Item::Call {
        event: CONFIRM,
        remaining: Duration::from_secs(5),
        payload: fields(socket.codec, &["sure?"]),
    };
    socket.send_items(1, vec![call]).await;
    let (_, items) = socket.items().await;
    assert_eq!(
        items,
        [Item::Reply {
            call: 1,
            outcome: Outcome::Reply("true".into())
        }]
    );
}

#[tokio::test]
async fn the_hello_shows_who_it_is_and_headers_go_along() {
    let mut server = FakeServer::new().await;
    let asked = Arc::new(AtomicU32::new(0));
    let client = Client::builder(server.url())
        .contract::<Chat>()
        .device("phone")
        .header("x-tenant", "seven")
        .csrf("fixed")
        .token(move || {
            let time = asked.fetch_add(1, Ordering::Relaxed) + 1;
            async move { format!("token {time}") }
        })
        .connect();
    for time in 1..=2 {
        let mut socket = server.socket().await;
        assert_eq!(socket.headers["x-tenant"], "seven");
        let hello = socket.welcome().await;
        assert_eq!(hello.device.as_deref(), Some("phone"));
        assert_eq!(hello.csrf.unwrap().reveal(), "fixed");
        assert_eq!(hello.token.unwrap().reveal(), &format!("token {time}"));
        client.ready().await.unwrap();
        assert!(client.state().has_csrf_token);
        client.reconnect();
    }
}

#[tokio::test]
async fn a_refused_client_says_so_and_stays_away() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url()).contract::<Chat>().connect();
    let mut socket = server.socket().await;
    socket.hello().await;
    socket
        .send(Frame::Refused(Box::new(Refused {
            status: 401,
            reason: RefusedReason::Unauthorized,
            message: "log in first".to_owned(),
            retry_after: None,
            codecs: Vec::new(),
        })))
        .await;
    let error = soon("the refusal", client.ready()).await.unwrap_err();
    assert!(matches!(error, NotReady::Refused { status: 401, .. }));
    assert!(error.to_string().contains("log in first"));
    assert!(client.state().next_reconnect_at.is_none());
    socket.closed().await;
    assert!(server.is_alone());

    // Logged in, it is let in.
    client.reconnect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    assert!(client.state().refused.is_none());
}

#[tokio::test]
async fn the_last_clone_says_goodbye() {
    let mut server = FakeServer::new().await;
    let builder = Client::builder(server.url());
    let mut states = builder.states();
    let client = builder.contract::<Chat>().connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    let other = client.clone();
    let link = client.link().clone();
    drop(client);
    Chat::to_server(&other).said("last words").unwrap();
    drop(other);
    let (_, items) = socket.items().await;
    assert!(matches!(items[..], [Item::Event { event: SAID, .. }]));
    socket.acknowledge(1).await;
    socket.goodbye().await;
    while soon("the end", states.next()).await.is_some() {}
    assert!(matches!(
        Chat::to_server(&link).said("too late"),
        Err(sente::SendError::Ended)
    ));
}

#[tokio::test]
async fn a_client_that_never_connected_ends_too() {
    let builder = Client::builder("http://localhost:1/sente");
    let mut states = builder.states();
    let events = builder.stream::<Chat>();
    drop(builder.connect());
    while soon("the end", states.next()).await.is_some() {}
    assert_eq!(soon("the end", events.count()).await, 0);
}

#[tokio::test]
async fn a_disconnected_client_comes_back_when_told() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url()).contract::<Chat>().connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    let pending = tokio::spawn(Chat::to_server(&client).post("hello"));
    let (_, items) = socket.items().await;
    assert!(matches!(items[..], [Item::Call { event: POST, .. }]));
    client.disconnect();
    socket.goodbye().await;
    assert!(matches!(client.ready().await, Err(NotReady::Disconnected)));
    let error = soon("the failure", pending).await.unwrap().unwrap_err();
    assert!(error.maybe_executed());
    assert!(server.is_alone());

    Chat::to_server(&client).said("waits").unwrap();
    client.connect();
    let mut socket = server.socket().await;
    let hello = socket.welcome().await;
    assert!(hello.resume.is_none());
    client.ready().await.unwrap();
    assert_eq!(
        client.state().session,
        Some(SessionState::Fresh {
            reason: FreshReason::Requested
        })
    );
    let (_, items) = socket.items().await;
    assert!(matches!(items[..], [Item::Event { event: SAID, .. }]));
}
