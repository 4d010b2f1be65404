//! What is logged above `trace`, and what `Debug` shows, holds no token, cookie, secret or payload.
//!
//! A test of its own, since it takes all that is logged in its process.

use std::fmt::{self, Debug};
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use sente::{CallError, Codec, Link, Peer};
use sente_client::{CarrierChoice, Client, NotReady};
use sente_e2e::soon;
use sente_proto::frame::{Data, Frame, Hello, Request, Resume, VERSION, Welcome};
use sente_proto::wire::{self, WireLimits};
use sente_proto::{ResumeSecret, Secret};
use sente_server::{Handshake, Identity, Refusal, Server};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// In all that must not be seen.
const MARK: &str = "Kq7Zw";

/// All that was logged, and all that `Debug` said.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn seen(what: &str, shown: impl fmt::Display) {
    SEEN.lock().unwrap().push(format!("{what}: {shown}"));
}

fn shows(what: &str, value: &impl Debug) {
    seen(what, format_args!("{value:?} {value:#?}"));
}

// ---- what logs ----

struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        seen("log", String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Some of the crates below write to `log`.
struct Records;

impl log::Log for Records {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        seen(record.target(), record.args());
    }

    fn flush(&self) {}
}

fn listen_to_logs() {
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(|| Sink)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    log::set_logger(&Records).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
}

// ---- what is said ----

/// A text that cannot be written, or not be read, if it says so. The error quotes it.
#[derive(Clone, Deserialize, Serialize, sente::Schema)]
struct Fragile {
    #[serde(serialize_with = "write", deserialize_with = "read")]
    #[schema(opaque = "fragile/1")]
    text: String,
}

fn write<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if text.starts_with("unwritable") {
        return Err(serde::ser::Error::custom(text));
    }
    serializer.serialize_str(text)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.starts_with("unreadable") {
        return Err(serde::de::Error::custom(text));
    }
    Ok(text)
}

impl Fragile {
    fn new(how: &str) -> Self {
        Self {
            text: format!("{how} {MARK}"),
        }
    }
}

#[sente::events(handshake = Fragile)]
enum Vault {
    /// Comes back in the way it says.
    #[to_server(reply = Fragile, error = Fragile)]
    Keep { what: Fragile },
    #[to_server]
    Tell { what: Fragile },
    #[to_server(delivery = latest)]
    Newest {
        #[key]
        key: String,
    },
    #[to_client]
    Told { what: Fragile },
    #[to_client(reply = Fragile)]
    Ask { what: Fragile },
}

struct Keeper(Server);

impl VaultServer for Keeper {
    async fn keep(&self, from: &Peer, what: Fragile) -> Result<Fragile, Fragile> {
        shows("Peer", from);
        let mut words = what.text.split(' ');
        match words.next() {
            Some("panic") => panic!("as the test wants it"),
            Some("reject") => Err(Fragile::new("rejected")),
            Some("back") => Ok(Fragile::new(words.next().unwrap_or_default())),
            _ => {
                let asked = Vault::to_client(from).ask(Fragile::new("asked")).await;
                Ok(asked.unwrap_or(what))
            }
        }
    }

    async fn tell(&self, _from: &Peer, what: Fragile) {
        Vault::to_clients(self.0.everyone()).told(what);
        Vault::to_clients(self.0.everyone()).told(Fragile::new("unwritable"));
    }

    async fn newest(&self, _from: &Peer, _key: String) {}
}

struct Ui;

impl VaultClient for Ui {
    async fn told(&self, link: &Link, _what: Fragile) {
        shows("Link", link);
    }

    async fn ask(&self, _link: &Link, what: Fragile) -> Fragile {
        what
    }
}

async fn authenticate(handshake: Handshake) -> Result<Identity, Refusal> {
    shows("Handshake", &handshake);
    match handshake.token() {
        Some(token) if token.starts_with("good") => {
            let identity = Identity::user("ann");
            shows("Identity", &identity);
            Ok(identity)
        }
        Some(token) if token.starts_with("panic") => panic!("as the test wants it"),
        // The error quotes the token.
        Some(token) => Err(io::Error::other(token.to_owned()).into()),
        None => Err(Refusal::unauthorized("show a token")),
    }
}

async fn serve() -> (Server, String) {
    let server = Server::builder()
        .authenticate(authenticate)
        .csrf(|handshake| handshake.csrf().is_some())
        .handshake::<Vault>(|peer| match peer.device() {
            Some("odd") => Fragile::new("unwritable"),
            _ => Fragile::new("welcome"),
        })
        .serve(|server| Vault::server(Keeper(server)))
        .on_end(|peer, end| {
            shows("Peer", &peer);
            shows("SessionEnd", &end);
        })
        .outbox(64 * 1024, 64);
    shows("Builder", &server);
    let server = server.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = axum::Router::new().merge(server.routes("/sente"));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (server, address)
}

fn client(
    address: &str,
    token: &str,
    set_up: impl FnOnce(sente_client::ClientBuilder) -> sente_client::ClientBuilder,
) -> Client {
    let builder = Client::builder(format!("http://{address}/sente"))
        .token(format!("{token} {MARK}"))
        .csrf(MARK)
        .header("cookie", &format!("session={MARK}"))
        .header("x-mark", MARK)
        .serve(Vault::client(Ui));
    let builder = set_up(builder);
    shows("ClientBuilder", &builder);
    builder.connect()
}

// ---- what happens ----

/// All that a client may do, and may go wrong with.
async fn a_day(server: &Server, address: &str, carrier: CarrierChoice, codec: Codec) {
    let mut watched = None;
    let client = client(address, "good", |builder| {
        watched = Some(builder.states());
        builder.carrier(carrier).codec(codec).device("desk")
    });
    let mut states = watched.unwrap();
    let watching = tokio::spawn(async move {
        while let Some(change) = states.next().await {
            shows("StateChange", &change);
        }
    });
    client.ready().await.unwrap();
    assert!(client.handshake::<Vault>().unwrap().is_some());
    shows("Connected", &server.connected());

    let vault = Vault::to_server(&client);
    let mut outcomes = Vec::new();
    for what in [
        "plain",
        "reject",
        "panic",
        "back unwritable",
        "back unreadable",
        "unwritable",
        "unreadable",
    ] {
        let outcome = soon("an outcome", vault.keep(Fragile::new(what))).await;
        outcomes.push(match outcome {
            Ok(_) => "kept",
            Err(CallError::Rejected(_)) => "rejected",
            Err(CallError::Internal) => "failed",
            Err(CallError::Incompatible) => "not understood",
            Err(CallError::Encode) => "not written",
            Err(_) => "something else",
        });
    }
    let expected = [
        "kept",
        "rejected",
        "failed",
        "failed",
        "failed",
        "not written",
        "not understood",
    ];
    assert_eq!(outcomes, expected);
    vault.tell(Fragile::new("unreadable")).unwrap();
    vault.tell(Fragile::new("plain")).unwrap();
    vault.newest(MARK).unwrap();
    shows("Client", &client);
    shows("State", &*client.state());

    client.break_connection();
    let kept = soon("an answer", vault.keep(Fragile::new("plain"))).await;
    assert!(kept.is_ok());

    // Something is under way when the session ends.
    let mut unconfirmed = client.unconfirmed();
    let session = client.state().session_id.unwrap();
    client.stall_connection();
    vault.tell(Fragile::new("plain")).unwrap();
    server.kick(session, "enough");
    client.wake();
    let batch = soon("what was not confirmed", unconfirmed.next()).await;
    shows("Unconfirmed", &batch.unwrap());
    let error = soon("the end", client.ready()).await.unwrap_err();
    shows("NotReady", &error);
    drop(client);
    soon("the end", watching).await.unwrap();
}

/// Those that are not let in.
async fn strangers(address: &str) {
    for token in ["bad", "panic"] {
        let client = client(address, token, |builder| builder);
        let error = soon("a refusal", client.ready()).await.unwrap_err();
        assert!(matches!(error, NotReady::Refused { .. }), "{error}");
        shows("NotReady", &error);
        shows("State", &*client.state());
    }
    let odd = client(address, "good", |builder| builder.device("odd"));
    soon("a welcome", odd.ready()).await.unwrap();
}

fn hello() -> Hello {
    Hello {
        version: VERSION,
        codec: "bincode".to_owned(),
        attempt: 7,
        epoch: 1,
        namespaces: Vec::new(),
        token: Some(Secret::new(format!("good {MARK}"))),
        csrf: Some(Secret::new(MARK.to_owned())),
        device: None,
        resume: None,
    }
}

/// One request of a client that is none of ours.
async fn post(address: &str, headers: &str, body: &[u8]) -> Bytes {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /sente/poll HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/vnd.sente\r\ncontent-length: {}\r\n\
         cookie: session={MARK}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    let end = response
        .windows(4)
        .position(|it| it == b"\r\n\r\n")
        .unwrap();
    response.split_off(end + 4).into()
}

async fn exchange(address: &str, frames: &[Frame]) -> Option<Frame> {
    let mut body = Vec::new();
    for frame in frames {
        wire::append_to_body(Codec::Bincode, frame, &mut body);
    }
    let limits = WireLimits {
        frame: 64 * 1024,
        message: 256 * 1024,
    };
    let answer = post(address, "", &body).await;
    wire::frames_of_body(Codec::Bincode, &answer, &limits)
        .next()
        .and_then(Result::ok)
}

/// Requests by hand: what is wrong in them must not be quoted. Returns the session's secret.
async fn by_hand(address: &str) -> ResumeSecret {
    post(address, "origin: https://evil.example\r\n", MARK.as_bytes()).await;
    post(address, "", MARK.as_bytes()).await;
    post(
        address,
        &format!("x-large: {}\r\n", MARK.repeat(10_000)),
        b"",
    )
    .await;
    let greeted = exchange(address, &[Frame::Hello(Box::new(hello()))]).await;
    let Some(Frame::Welcome(welcome)) = greeted else {
        panic!("no welcome");
    };
    let Welcome {
        session,
        secret,
        server,
        ..
    } = *welcome;
    let head = |secret: &ResumeSecret, number| {
        Frame::Request(Request {
            session,
            secret: secret.clone(),
            server,
            epoch: 1,
            number,
            hold: false,
            brief: false,
            beside: 0,
        })
    };
    let data = || {
        Frame::Data(Data {
            first: 1,
            ..Data::default()
        })
    };
    assert!(
        exchange(address, &[head(&secret, 1), data()])
            .await
            .is_some()
    );
    exchange(address, &[head(&ResumeSecret::new(0), 2), data()]).await;
    let again = Hello {
        epoch: 2,
        resume: Some(Resume {
            session,
            secret: secret.clone(),
            acknowledge: sente_proto::frame::Acknowledge::default(),
        }),
        ..hello()
    };
    assert!(matches!(
        exchange(address, &[Frame::Hello(Box::new(again))]).await,
        Some(Frame::Welcome(_))
    ));
    // An old carrier, and nonsense on it.
    exchange(
        address,
        &[head(&secret, 3), Frame::Hello(Box::new(hello()))],
    )
    .await;
    secret
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_cookie_secret_or_payload_is_logged_or_shown() {
    listen_to_logs();
    let (server, address) = serve().await;
    shows("Server", &server);
    let mut presence = server.presence();
    let watching = tokio::spawn(async move {
        while let Some(change) = presence.next().await {
            shows("Presence", &change);
        }
    });
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        for codec in [Codec::Bincode, Codec::Json] {
            a_day(&server, &address, carrier, codec).await;
        }
    }
    strangers(&address).await;
    let secret = by_hand(&address).await.reveal();
    shows("Counts", &server.counts());
    soon("the end", server.shutdown(Duration::from_secs(1))).await;
    watching.abort();

    let bytes = MARK.as_bytes();
    let (secret_bytes, hex) = (secret.to_be_bytes(), |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    });
    let inner = |bytes: &[u8]| {
        let shown = format!("{bytes:?}");
        shown[1..shown.len() - 1].to_owned()
    };
    let unseen = [
        MARK.to_owned(),
        hex(bytes),
        inner(bytes),
        secret.to_string(),
        hex(&secret_bytes),
        inner(&secret_bytes),
    ];
    let seen = std::mem::take(&mut *SEEN.lock().unwrap());
    for from in [
        "sente_server",
        "sente_client",
        "sente::dispatch",
        "panicked",
    ] {
        assert!(
            seen.iter().any(|line| line.contains(from)),
            "{from} logs nothing"
        );
    }
    let wrong: Vec<_> = seen
        .iter()
        .filter(|line| {
            let line = line.to_lowercase();
            unseen
                .iter()
                .any(|mark| line.contains(&mark.to_lowercase()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} lines: {wrong:#?}", wrong.len());
}
