//! A server on a real port, and clients that write their frames by hand.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a program of its own and uses a part of it"
)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use sente_proto::codec::Codec;
use sente_proto::contract::Contract;
use sente_proto::frame::{
    Acknowledge, Data, Frame, Hello, Item, Offer, Outcome, Request, Resume, VERSION, Welcome,
};
use sente_proto::wire::{self, WireLimits};
use sente_proto::{Close, CloseReason, ResumeSecret, SessionId};
use sente_server::{Builder, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;

pub use chat::{Chat, ChatServer};

mod chat {
    /// What the tests say.
    #[sente::events]
    #[derive(Clone, Debug, PartialEq)]
    pub enum Chat {
        /// Comes back.
        #[to_server(reply = String)]
        Echo { text: String },
        /// Goes to the room "lobby".
        #[to_server]
        Say { text: String },
        /// Is answered when the test says so.
        #[to_server(reply = String)]
        Slow { text: String },
        /// Fails.
        #[to_server(reply = String)]
        Panic,
        /// Somebody said something.
        #[to_client]
        Said { text: String },
        /// Asks a client.
        #[to_client(reply = bool)]
        Sure { question: String },
    }
}

// The numbers of the events above.
pub const ECHO: u32 = 0;
pub const SAY: u32 = 1;
pub const SLOW: u32 = 2;
pub const PANIC: u32 = 3;
pub const SAID: u32 = 4;
pub const SURE: u32 = 5;

/// Whatever does not happen within this does not happen.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} did not happen"),
    }
}

/// A server that runs.
pub struct Site {
    pub address: SocketAddr,
    pub server: Server,
    stop: Option<oneshot::Sender<()>>,
}

impl Site {
    pub async fn start(builder: Builder) -> Self {
        let server = builder.build();
        let app = axum::Router::new().merge(server.routes("/sente"));
        Self::serve(server, app).await
    }

    pub async fn serve(server: Server, app: axum::Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(async {
                let _ = stopped.await;
            });
            served.await.expect("it serves");
        });
        Self {
            address,
            server,
            stop: Some(stop),
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

// ---- frames ----

pub const LIMITS: WireLimits = WireLimits {
    frame: 64 * 1024,
    message: 256 * 1024,
};

pub fn offers() -> Vec<Offer> {
    let mut contract = Contract::default();
    let added = contract.add(<Chat as sente::Events>::NAMESPACE);
    added.expect("the only one");
    contract.offers()
}

/// A hello of a client that nobody has seen before.
pub fn hello() -> Hello {
    static ATTEMPTS: AtomicU64 = AtomicU64::new(1);
    Hello {
        version: VERSION,
        codec: "bincode".to_owned(),
        attempt: ATTEMPTS.fetch_add(1, Ordering::Relaxed).into(),
        epoch: 1,
        namespaces: offers(),
        token: None,
        csrf: None,
        device: None,
        resume: None,
    }
}

pub fn hello_of(user: &str) -> Hello {
    Hello {
        token: Some(sente::Secret::new(user.to_owned())),
        ..hello()
    }
}

/// A hello that goes on with what `welcome` has begun.
pub fn resuming(welcome: &Welcome, epoch: u64, received: u64) -> Hello {
    Hello {
        epoch,
        resume: Some(Resume {
            session: welcome.session,
            secret: welcome.secret.clone(),
            acknowledge: acknowledge(received),
        }),
        ..hello()
    }
}

pub fn acknowledge(received: u64) -> Acknowledge {
    Acknowledge {
        received,
        credit: 10_000,
    }
}

pub fn data(received: u64, first: u64, items: Vec<Item>) -> Frame {
    Frame::Data(Data {
        acknowledge: Some(acknowledge(received)),
        first,
        items,
    })
}

/// The fields of an event of one text.
pub fn text(text: &str) -> Bytes {
    let mut writer = Codec::Bincode.writer();
    writer.field(text).expect("a text");
    writer.finish()
}

pub fn event(event: u32, payload: &str) -> Item {
    Item::Event {
        event,
        payload: text(payload),
    }
}

pub fn call(event: u32, payload: &str) -> Item {
    Item::Call {
        event,
        remaining: Duration::from_secs(30),
        payload: text(payload),
    }
}

pub fn reply(call: u64, value: &str) -> Item {
    let value = Codec::Bincode.encode(value).expect("a text");
    Item::Reply {
        call,
        outcome: Outcome::Reply(value),
    }
}

pub fn encoded(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::encode(Codec::Bincode, frame, &mut bytes);
    bytes
}

pub fn body(frames: impl IntoIterator<Item = Frame>) -> Vec<u8> {
    let mut body = Vec::new();
    for frame in frames {
        wire::append_to_body(Codec::Bincode, &frame, &mut body);
    }
    body
}

pub fn kind(frame: &Frame) -> &'static str {
    match frame {
        Frame::Hello(_) => "hello",
        Frame::Welcome(_) => "welcome",
        Frame::Refused(_) => "refused",
        Frame::Tables(_) => "tables",
        Frame::Request(_) => "request",
        Frame::Data(_) => "data",
        Frame::Close(_) => "close",
        Frame::Authenticate(_) => "authenticate",
        Frame::Expires(_) => "expires",
        Frame::Ping(_) => "ping",
        Frame::Pong(_) => "pong",
    }
}

// ---- WebSocket ----

pub struct Ws {
    socket: WebSocketStream<TcpStream>,
    codec: Codec,
    /// Items that came and have not been looked at.
    items: std::collections::VecDeque<Item>,
    pub received: u64,
}

impl Ws {
    pub async fn dial(address: SocketAddr) -> Self {
        Self::dial_with(address, &[]).await.expect("an upgrade")
    }

    /// Gives back the status if there is no upgrade.
    pub async fn dial_with(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/sente/ws")
            .into_client_request()
            .expect("a request");
        for (name, value) in headers {
            let value = value.parse().expect("a header");
            request.headers_mut().insert(*name, value);
        }
        let stream = TcpStream::connect(address).await.expect("a connection");
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                codec: Codec::Bincode,
                items: std::collections::VecDeque::new(),
                received: 0,
            }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
                Err(response.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Dials, says hello, and shows that it has read the welcome.
    pub async fn open(address: SocketAddr, hello: Hello) -> (Self, Welcome) {
        let mut ws = Self::dial(address).await;
        let welcome = ws.greet(hello).await;
        ws.send(&data(0, 0, Vec::new())).await;
        (ws, welcome)
    }

    pub async fn greet(&mut self, hello: Hello) -> Welcome {
        self.codec = Codec::named(&hello.codec).expect("a codec");
        self.send(&Frame::Hello(Box::new(hello))).await;
        match self.frame().await {
            Frame::Welcome(welcome) => *welcome,
            Frame::Refused(refused) => panic!("refused: {refused:?}"),
            Frame::Close(close) => panic!("closed: {close:?}"),
            other => panic!("{} and no welcome", kind(&other)),
        }
    }

    pub async fn send(&mut self, frame: &Frame) {
        let mut bytes = Vec::new();
        wire::encode(self.codec, frame, &mut bytes);
        if self.codec.is_text() {
            let text = String::from_utf8(bytes).expect("text");
            self.socket.send(Message::text(text)).await.expect("sent");
        } else {
            self.send_bytes(bytes).await;
        }
    }

    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.socket
            .send(Message::binary(bytes))
            .await
            .expect("sent");
    }

    /// Sends several messages so that they arrive as one.
    pub async fn send_together(&mut self, messages: impl IntoIterator<Item = Vec<u8>>) {
        for bytes in messages {
            let fed = self.socket.feed(Message::binary(bytes)).await;
            fed.expect("fed");
        }
        self.socket.flush().await.expect("sent");
    }

    /// The next frame of any kind.
    pub async fn frame(&mut self) -> Frame {
        self.try_frame().await.expect("the socket is open")
    }

    /// The next frame, or `None` if the socket is closed.
    pub async fn try_frame(&mut self) -> Option<Frame> {
        loop {
            let message = soon("a message", self.socket.next()).await?;
            let bytes = match message.ok()? {
                Message::Binary(bytes) => bytes,
                Message::Text(text) => text.into(),
                Message::Close(_) => return None,
                _ => continue,
            };
            return Some(wire::decode(self.codec, &bytes, &LIMITS).expect("a frame"));
        }
    }

    /// The next item, skips left out.
    pub async fn item(&mut self) -> Item {
        loop {
            match self.items.pop_front() {
                Some(Item::Skip { count }) => self.received += count,
                Some(item) => {
                    self.received += 1;
                    return item;
                }
                None => match self.frame().await {
                    Frame::Data(data) => self.items.extend(data.items),
                    Frame::Close(close) => panic!("closed: {close:?}"),
                    other => panic!("{} and no data", kind(&other)),
                },
            }
        }
    }

    /// The close that ends this carrier; what comes before it does not matter.
    pub async fn closed(&mut self) -> Close {
        loop {
            match self.frame().await {
                Frame::Close(close) => return *close,
                Frame::Data(_) | Frame::Pong(_) => {}
                other => panic!("{} and no close", kind(&other)),
            }
        }
    }

    pub async fn refused(&mut self) -> sente_proto::Refused {
        match self.frame().await {
            Frame::Refused(refused) => *refused,
            other => panic!("{} and no refusal", kind(&other)),
        }
    }

    /// The server closes the socket itself.
    pub async fn hung_up(&mut self) {
        while let Some(frame) = self.try_frame().await {
            assert_eq!(kind(&frame), "data", "only data before the end");
        }
    }

    /// Says nothing more and goes away, as a lost network does.
    pub fn vanish(self) {
        drop(self);
    }

    /// A call that is answered at once: whoever can do this is well.
    pub async fn is_well(&mut self, number: u64) {
        self.send(&data(self.received, number, vec![call(ECHO, "well?")]))
            .await;
        assert_eq!(self.item().await, reply(number, "well?"));
    }
}

// ---- polling ----

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub frames: Vec<Frame>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn close(&self) -> (CloseReason, u64) {
        match self.frames.as_slice() {
            [Frame::Close(close)] => (close.reason, close.epoch),
            frames => panic!(
                "{:?} and no close",
                frames.iter().map(kind).collect::<Vec<_>>()
            ),
        }
    }

    pub fn refused(self) -> sente_proto::Refused {
        match self.frames.into_iter().next() {
            Some(Frame::Refused(refused)) => *refused,
            _ => panic!("no refusal"),
        }
    }

    pub fn welcome(self) -> Welcome {
        match self.frames.into_iter().next() {
            Some(Frame::Welcome(welcome)) => *welcome,
            Some(Frame::Close(close)) => panic!("closed: {close:?}"),
            Some(Frame::Refused(refused)) => panic!("refused: {refused:?}"),
            _ => panic!("no welcome"),
        }
    }

    pub fn items(self) -> Vec<Item> {
        assert_eq!(self.status, 200);
        self.frames
            .into_iter()
            .flat_map(|frame| match frame {
                Frame::Data(data) => data.items,
                other => panic!("{} and no data", kind(&other)),
            })
            .collect()
    }
}

pub const BINARY: (&str, &str) = ("content-type", "application/vnd.sente");

/// One request on a connection of its own.
pub async fn http(
    address: SocketAddr,
    method: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut request = format!(
        "{method} /sente/poll HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| *name == "host") {
        request += &format!("host: {address}\r\n");
    }
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += "\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    // A server that refuses a body may not read it.
    let _ = stream.write_all(body).await;
    let mut response = Vec::new();
    let read = soon("an answer", stream.read_to_end(&mut response)).await;
    read.expect("an answer");
    let end = response
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8(response[..end].to_vec()).expect("text");
    let body = response.split_off(end + 4);
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let bytes = Bytes::from(body.clone());
    let frames: Result<Vec<_>, _> = wire::frames_of_body(Codec::Bincode, &bytes, &LIMITS).collect();
    Answer {
        status: status.expect("a status"),
        head,
        frames: frames.unwrap_or_default(),
        body,
    }
}

pub async fn post(address: SocketAddr, frames: impl IntoIterator<Item = Frame>) -> Answer {
    http(address, "POST", &[BINARY], &body(frames)).await
}

/// A client that polls.
#[derive(Clone)]
pub struct Poller {
    pub address: SocketAddr,
    pub session: SessionId,
    pub secret: ResumeSecret,
    pub server: u64,
    pub epoch: u64,
}

impl Poller {
    pub async fn open(address: SocketAddr, hello: Hello) -> Self {
        let epoch = hello.epoch;
        let welcome = post(address, [Frame::Hello(Box::new(hello))])
            .await
            .welcome();
        Self {
            address,
            session: welcome.session,
            secret: welcome.secret,
            server: welcome.server,
            epoch,
        }
    }

    pub fn request(&self, number: u64, hold: bool) -> Frame {
        self.request_beside(number, hold, 0)
    }

    fn request_beside(&self, number: u64, hold: bool, beside: u8) -> Frame {
        Frame::Request(Request {
            session: self.session,
            secret: self.secret.clone(),
            server: self.server,
            epoch: self.epoch,
            number,
            hold,
            beside,
            brief: false,
        })
    }

    pub async fn poll(&self, number: u64, received: u64) -> Answer {
        let frames = [self.request(number, true), data(received, 0, Vec::new())];
        post(self.address, frames).await
    }

    /// A poll beside so many others that are awaited.
    pub async fn poll_beside(&self, number: u64, received: u64, beside: u8) -> Answer {
        let head = self.request_beside(number, true, beside);
        post(self.address, [head, data(received, 0, Vec::new())]).await
    }

    pub async fn send(&self, number: u64, frames: impl IntoIterator<Item = Frame>) -> Answer {
        let head = [self.request(number, false)];
        post(self.address, head.into_iter().chain(frames)).await
    }
}
