//! Polling, by choice and by need.

use http::StatusCode;
use sente::Codec;
use sente_client::{Carrier, CarrierChoice, Client, NotReady};
use sente_proto::frame::{Data, Frame, Item};

use crate::contract::{Chat, POSTED, Ui};
use crate::fake::{FakeRequest, FakeServer, event, reply, soon};

/// The request that is held, and the one that sends, whichever comes first.
async fn both(server: &mut FakeServer) -> (FakeRequest, FakeRequest) {
    let (one, other) = (server.request().await, server.request().await);
    if one.is_held() {
        (one, other)
    } else {
        (other, one)
    }
}

fn data(first: u64, items: Vec<Item>) -> Frame {
    Frame::Data(Data {
        first,
        items,
        ..Data::default()
    })
}

#[tokio::test]
async fn a_call_and_a_push_by_polling() {
    let mut server = FakeServer::new().await;
    let (ui, mut posted) = Ui::new();
    let client = Client::builder(server.url())
        .serve(Chat::client(ui))
        .carrier(CarrierChoice::Poll)
        .connect();
    let call = tokio::spawn(Chat::to_server(&client).post("hello"));
    let hello = server.request().await;
    assert_eq!(hello.headers["content-type"], "application/vnd.sente");
    let codec = hello.codec;
    hello.welcome();
    client.ready().await.unwrap();
    assert_eq!(client.state().carrier, Some(Carrier::Poll));
    let (held, sent) = both(&mut server).await;
    assert_eq!(sent.call(), Some(1));
    sent.answer(&[]);
    held.answer(&[data(
        1,
        vec![event(codec, POSTED, "hi"), reply(codec, 1, 3)],
    )]);
    assert_eq!(soon("the reply", call).await.unwrap(), Ok(3));
    assert_eq!(soon("the event", posted.recv()).await.unwrap(), "hi");
    drop(client);
    loop {
        let request = server.request().await;
        if let Some(Frame::Close(_)) = request.frames.last() {
            break;
        }
    }
}

#[tokio::test]
async fn text_goes_as_text() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url())
        .contract::<Chat>()
        .carrier(CarrierChoice::Poll)
        .codec(Codec::Json)
        .connect();
    let hello = server.request().await;
    assert_eq!(hello.headers["content-type"], "application/vnd.sente+json");
    hello.welcome();
    client.ready().await.unwrap();
}

#[tokio::test]
async fn a_status_that_refuses_is_a_refusal() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url())
        .contract::<Chat>()
        .carrier(CarrierChoice::Poll)
        .connect();
    server
        .request()
        .await
        .answer_with(StatusCode::UNAUTHORIZED, &[]);
    let error = soon("the refusal", client.ready()).await.unwrap_err();
    assert!(matches!(error, NotReady::Refused { status: 401, .. }));
    assert!(server.is_alone());
}

#[tokio::test]
async fn a_websocket_that_is_swallowed_costs_a_second_and_polling_takes_over() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url()).contract::<Chat>().connect();
    let mut silent = server.socket().await;
    let attempt = silent.hello().await.attempt;
    let request = server.request().await;
    let [Frame::Hello(hello)] = &request.frames[..] else {
        panic!("no hello");
    };
    assert_eq!(hello.attempt, attempt);
    request.welcome();
    client.ready().await.unwrap();
    assert_eq!(client.state().carrier, Some(Carrier::Poll));
}

#[tokio::test]
async fn the_carrier_can_be_changed_at_any_time() {
    let mut server = FakeServer::new().await;
    let client = Client::builder(server.url()).contract::<Chat>().connect();
    let mut socket = server.socket().await;
    socket.welcome().await;
    client.ready().await.unwrap();
    client.set_carrier(CarrierChoice::Poll);
    let request = server.request().await;
    assert!(matches!(&request.frames[..], [Frame::Hello(hello)] if hello.resume.is_some()));
    request.welcome();
    client.ready().await.unwrap();
    assert_eq!(client.state().carrier, Some(Carrier::Poll));
}
