//! A server that accepts whatever comes and leaves the rest to the test.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use sente_proto::codec::Codec;
use sente_proto::contract::Contract;
use sente_proto::frame::{Acknowledge, Data, Frame, Hello, Item, Outcome, Welcome};
use sente_proto::wire::{self, WireLimits};
use sente_proto::{Close, CloseReason, FreshReason, Limits, ResumeSecret, SessionId};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::contract::Chat;

pub(crate) const SESSION: SessionId = SessionId::new(7);
const LIMITS: WireLimits = WireLimits {
    frame: 64 * 1024,
    message: 256 * 1024,
};
/// A test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"))
}

/// What a server does with WebSockets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Upgrades {
    Accepted,
    Answered(StatusCode),
}

pub(crate) struct FakeServer {
    pub(crate) port: u16,
    scheme: &'static str,
    sockets: mpsc::UnboundedReceiver<FakeSocket>,
    requests: mpsc::UnboundedReceiver<FakeRequest>,
}

impl FakeServer {
    pub(crate) async fn new() -> Self {
        Self::start(Upgrades::Accepted, None).await
    }

    pub(crate) async fn without_websockets() -> Self {
        Self::start(Upgrades::Answered(StatusCode::NOT_FOUND), None).await
    }

    pub(crate) async fn start(upgrades: Upgrades, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (front, sockets, requests) = front(upgrades);
        let scheme = if tls.is_some() { "https" } else { "http" };
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let (front, tls) = (front.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => front.serve(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                front.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            port,
            scheme,
            sockets,
            requests,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://localhost:{}/sente", self.scheme, self.port)
    }

    /// The next WebSocket.
    pub(crate) async fn socket(&mut self) -> FakeSocket {
        soon("a WebSocket", self.sockets.recv()).await.unwrap()
    }

    /// The next request.
    pub(crate) async fn request(&mut self) -> FakeRequest {
        soon("a request", self.requests.recv()).await.unwrap()
    }

    /// Nobody has connected beside those that were taken.
    pub(crate) fn is_alone(&mut self) -> bool {
        self.sockets.try_recv().is_err() && self.requests.try_recv().is_err()
    }
}

/// Serves one connection after the other.
#[derive(Clone)]
pub(crate) struct Front {
    upgrades: Upgrades,
    sockets: mpsc::UnboundedSender<FakeSocket>,
    requests: mpsc::UnboundedSender<FakeRequest>,
}

pub(crate) fn front(
    upgrades: Upgrades,
) -> (
    Front,
    mpsc::UnboundedReceiver<FakeSocket>,
    mpsc::UnboundedReceiver<FakeRequest>,
) {
    let (sockets, next_socket) = mpsc::unbounded_channel();
    let (requests, next_request) = mpsc::unbounded_channel();
    let front = Front {
        upgrades,
        sockets,
        requests,
    };
    (front, next_socket, next_request)
}

impl Front {
    pub(crate) async fn serve(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let front = Arc::new(self);
        let service = service_fn(move |request| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.answer(request).await) }
        });
        // A client that goes away is no failure here.
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await;
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        if let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) {
            assert_eq!(request.uri().path(), "/sente/ws");
            if let Upgrades::Answered(status) = self.upgrades {
                *response.status_mut() = status;
                return response;
            }
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let accept = derive_accept_key(key.as_bytes()).parse().unwrap();
            let headers = response.headers_mut();
            headers.insert(header::UPGRADE, "websocket".parse().unwrap());
            headers.insert(header::CONNECTION, "Upgrade".parse().unwrap());
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
            let (sockets, headers) = (self.sockets.clone(), request.headers().clone());
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let stream = TokioIo::new(upgrade.await.unwrap());
                let stream = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
                let _ = sockets.send(FakeSocket {
                    stream,
                    headers,
                    codec: Codec::default(),
                });
            });
            return response;
        }
        assert_eq!(request.uri().path(), "/sente/poll");
        let (respond, answer) = oneshot::channel();
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let codec = if wire::is_text_hello(&body) {
            Codec::Json
        } else {
            Codec::default()
        };
        let sent = self.requests.send(FakeRequest {
            headers: head.headers,
            frames: wire::frames_of_body(codec, &body, &LIMITS)
                .collect::<Result<_, _>>()
                .unwrap(),
            codec,
            respond,
        });
        // Whoever drops a request leaves it without an answer for ever.
        match (sent, answer.await) {
            (Ok(()), Ok(answer)) => answer,
            _ => std::future::pending().await,
        }
    }
}

/// A WebSocket of the server.
pub(crate) struct FakeSocket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
    pub(crate) headers: HeaderMap,
    pub(crate) codec: Codec,
}

impl FakeSocket {
    /// The first frame. The codec is the client's from then on.
    pub(crate) async fn hello(&mut self) -> Hello {
        let message = soon("a hello", self.stream.next()).await.unwrap().unwrap();
        let hello = wire::decode_hello(&message.into_data(), &LIMITS).unwrap();
        self.codec = Codec::named(&hello.codec).unwrap();
        hello
    }

    /// Lets the client in.
    pub(crate) async fn welcome(&mut self) -> Hello {
        let hello = self.hello().await;
        let welcome = welcome(&hello);
        self.send(Frame::Welcome(Box::new(welcome))).await;
        hello
    }

    pub(crate) async fn send(&mut self, frame: Frame) {
        let mut bytes = Vec::new();
        wire::encode(self.codec, &frame, &mut bytes);
        let message = if self.codec.is_text() {
            Message::text(String::from_utf8(bytes).unwrap())
        } else {
            Message::binary(bytes)
        };
        self.stream.send(message).await.unwrap();
    }

    pub(crate) async fn send_items(&mut self, first: u64, items: Vec<Item>) {
        self.send(Frame::Data(Data {
            first,
            items,
            ..Data::default()
        }))
        .await;
    }

    pub(crate) async fn acknowledge(&mut self, received: u64) {
        self.send(Frame::Data(Data {
            acknowledge: Some(Acknowledge {
                received,
                credit: 256 + received,
            }),
            ..Data::default()
        }))
        .await;
    }

    pub(crate) async fn close(&mut self, reason: CloseReason) {
        self.send(Frame::Close(Box::new(Close::new(reason)))).await;
    }

    /// The next message, or how the socket ended.
    pub(crate) async fn next(&mut self) -> Option<Result<Message, Error>> {
        soon("a message", self.stream.next()).await
    }

    pub(crate) async fn frame(&mut self) -> Frame {
        let message = self.next().await.unwrap().unwrap();
        wire::decode(self.codec, &message.into_data(), &LIMITS).unwrap()
    }

    /// The next data frame that holds items, and the number of the first.
    pub(crate) async fn items(&mut self) -> (u64, Vec<Item>) {
        loop {
            match self.frame().await {
                Frame::Data(data) if !data.items.is_empty() => return (data.first, data.items),
                Frame::Data(_) => {}
                _ => panic!("a frame that is no data"),
            }
        }
    }

    /// The next acknowledgement.
    pub(crate) async fn acknowledgement(&mut self) -> Acknowledge {
        loop {
            match self.frame().await {
                Frame::Data(Data {
                    acknowledge: Some(acknowledge),
                    ..
                }) => return acknowledge,
                Frame::Data(_) => {}
                _ => panic!("a frame that is no data"),
            }
        }
    }

    /// The client says goodbye and closes the socket.
    pub(crate) async fn goodbye(&mut self) {
        loop {
            match self.frame().await {
                Frame::Close(close) => {
                    assert_eq!(close.reason, CloseReason::Goodbye);
                    break;
                }
                Frame::Data(_) => {}
                _ => panic!("a frame that is no goodbye"),
            }
        }
        self.closed().await;
    }

    pub(crate) async fn closed(&mut self) {
        while let Some(Ok(message)) = self.next().await {
            if matches!(message, Message::Close(_)) {
                return;
            }
        }
        panic!("the socket was not closed by a close frame");
    }
}

/// A request that waits for the test's answer.
pub(crate) struct FakeRequest {
    pub(crate) headers: HeaderMap,
    pub(crate) frames: Vec<Frame>,
    pub(crate) codec: Codec,
    respond: oneshot::Sender<Response<Full<Bytes>>>,
}

impl FakeRequest {
    pub(crate) fn answer(self, frames: &[Frame]) {
        self.answer_with(StatusCode::OK, frames);
    }

    pub(crate) fn answer_with(self, status: StatusCode, frames: &[Frame]) {
        let mut body = Vec::new();
        for frame in frames {
            wire::append_to_body(self.codec, frame, &mut body);
        }
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        let _ = self.respond.send(response);
    }

    /// Lets the client in.
    pub(crate) fn welcome(self) {
        let [Frame::Hello(hello)] = &self.frames[..] else {
            panic!("no hello");
        };
        let welcome = Frame::Welcome(Box::new(welcome(hello)));
        self.answer(&[welcome]);
    }

    /// Whether it is one that the server holds.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.frames.first(), Some(Frame::Request(request)) if request.hold)
    }

    /// The number of the call that is in it.
    pub(crate) fn call(&self) -> Option<u64> {
        self.frames.iter().find_map(|frame| {
            let Frame::Data(data) = frame else {
                return None;
            };
            let mut number = data.first;
            for item in &data.items {
                match item {
                    Item::Call { .. } => return Some(number),
                    Item::Skip { count } => number += count,
                    _ => number += 1,
                }
            }
            None
        })
    }
}

/// The answer to a hello: a fresh session, or the one that it resumes.
pub(crate) fn welcome(hello: &Hello) -> Welcome {
    let mut contract = Contract::default();
    contract.add(<Chat as sente::Events>::NAMESPACE).unwrap();
    let codec = Codec::named(&hello.codec).unwrap();
    let motto = crate::contract::Welcome {
        motto: "hello".to_owned(),
    };
    Welcome {
        session: SESSION,
        secret: ResumeSecret::new(9),
        epoch: hello.epoch,
        server: 1,
        fresh: hello.resume.is_none().then_some(FreshReason::First),
        user: Some("ann".to_owned()),
        acknowledge: Acknowledge {
            received: 0,
            credit: 256,
        },
        terms: Limits::default().terms(),
        namespaces: contract.answers(&hello.namespaces),
        handshake: vec![("chat".to_owned(), codec.encode(&motto).unwrap())],
    }
}

pub(crate) fn event(codec: Codec, event: u32, field: &str) -> Item {
    Item::Event {
        event,
        payload: fields(codec, &[field]),
    }
}

pub(crate) fn reply(codec: Codec, call: u64, value: u64) -> Item {
    Item::Reply {
        call,
        outcome: Outcome::Reply(codec.encode(&value).unwrap()),
    }
}

pub(crate) fn fields(codec: Codec, fields: &[&str]) -> Bytes {
    let mut writer = codec.writer();
    for field in fields {
        writer.field(field).unwrap();
    }
    writer.finish()
}
