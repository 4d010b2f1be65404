//! The state and its changes.

use futures_util::{FutureExt, StreamExt};
use sente_client::{Carrier, Client, State};

use crate::contract::Chat;
use crate::fake::{FakeServer, soon};

#[tokio::test]
async fn each_change_follows_from_the_one_before() {
    let mut server = FakeServer::new().await;
    let builder = Client::builder(server.url());
    let mut states = builder.states();
    let client = builder.contract::<Chat>().connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    for _ in 0..3 {
        client.break_connection();
        socket = server.socket().await;
        socket.welcome().await;
        client.ready().await.unwrap();
    }

    let mut state = State::default();
    let (mut opened, mut closed) = (0, 0);
    while let Some(Some(change)) = states.next().now_or_never() {
        assert_eq!(*change.old, state);
        assert_ne!(change.old, change.new);
        opened += u32::from(!change.old.open && change.new.open);
        closed += u32::from(change.old.open && !change.new.open);
        state = State::clone(&change.new);
    }
    assert_eq!((opened, closed), (4, 3));
    assert_eq!(state, *client.state());
    assert_eq!(state.carrier, Some(Carrier::WebSocket));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_advice() {
    // A port that was just free.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let builder = Client::builder(format!("http://127.0.0.1:{port}/sente"));
    let mut states = builder.states();
    let _client = builder.contract::<Chat>().connect();
    loop {
        let change = soon("a change", states.next()).await.unwrap();
        if let Some(when) = change.new.next_reconnect_at {
            assert!(when.elapsed().unwrap_or_default().as_secs() < 60);
            let error = change.new.last_ws_error.as_deref().unwrap();
            assert!(
                error.contains(&format!("refuses connections on port {port}")),
                "{error}"
            );
            assert!(error.contains("is the server running"), "{error}");
            break;
        }
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_told_with_advice() {
    let mut server = FakeServer::without_websockets().await;
    let client = Client::builder(server.url()).contract::<Chat>().connect();
    server.request().await.welcome();
    client.ready().await.unwrap();
    let error = client.state().last_ws_error.clone().unwrap();
    assert!(error.contains("/sente/ws` answered 404"), "{error}");
    assert!(error.contains("check the path"), "{error}");
}
