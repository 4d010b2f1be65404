//! What clients may not do: each has a defined answer, and nobody else is harmed.

mod common;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use common::{
    BINARY, Chat, ChatServer, ECHO, LIMITS, Poller, SAY, Site, Ws, body, call, data, encoded,
    event, hello, hello_of, http, kind, post, reply, resuming, soon, text,
};
use sente::{Codec, Peer, UnhandledCause};
use sente_proto::contract::{Contract, Table, TableEvent, Way};
use sente_proto::frame::{
    Acknowledge, Data, Failure, Frame, Hello, Item, Outcome, VERSION, Welcome,
};
use sente_proto::{
    Close, CloseReason, FreshReason, RefusedReason, ResumeSecret, Secret, SessionId,
};
use sente_server::{Builder, Caps, Identity, Refusal, Server};
use tokio::sync::mpsc;

struct Lobby;

impl ChatServer for Lobby {
    async fn echo(&self, _from: &Peer, text: String) -> String {
        text
    }
    async fn say(&self, _from: &Peer, _text: String) {
        std::future::pending::<()>().await;
    }
    async fn slow(&self, _from: &Peer, _text: String) -> String {
        std::future::pending().await
    }
    async fn panic(&self, _from: &Peer) -> String {
        panic!("as the test wants it")
    }
}

fn lobby() -> Builder {
    Server::builder()
        .authenticate(|handshake| async move {
            match handshake.token() {
                Some("mallory") => Err(Refusal::forbidden("not you")),
                Some(user) => Ok(Identity::user(user)),
                None => Ok(Identity::anonymous()),
            }
        })
        .serve(|_| Chat::server(Lobby))
}

/// A bystander, who must not feel anything, and a site.
async fn site() -> (Site, Ws) {
    site_of(lobby()).await
}

async fn site_of(builder: Builder) -> (Site, Ws) {
    let site = Site::start(builder).await;
    let (mut bystander, _) = Ws::open(site.address, hello_of("bystander")).await;
    bystander.is_well(1).await;
    (site, bystander)
}

/// The session of `welcome` has ended, and its client is told why.
async fn has_ended(site: &Site, welcome: &Welcome, reason: FreshReason) {
    let mut ws = Ws::dial(site.address).await;
    let again = ws.greet(resuming(welcome, 99, 0)).await;
    assert_eq!(again.fresh, Some(reason));
}

/// The session of `welcome` goes on.
async fn goes_on(site: &Site, welcome: &Welcome) {
    let mut ws = Ws::dial(site.address).await;
    let again = ws.greet(resuming(welcome, 99, 0)).await;
    assert_eq!((again.fresh, again.session), (None, welcome.session));
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_the_session_with_their_reason() {
    let (site, mut bystander) = site().await;
    let whole = encoded(&data(0, 1, vec![event(SAY, "a longer text")]));
    let truncated = whole[..whole.len() - 3].to_vec();
    // The last byte but one is the length of the payload. Say that it is more than there is.
    let forged = |length: &[u8]| {
        let mut frame = encoded(&data(0, 1, vec![event(SAY, "")]));
        frame.truncate(frame.len() - 2);
        frame.extend(length);
        frame.push(0);
        frame
    };
    let oversized = encoded(&Frame::Data(Data {
        first: 1,
        items: vec![
            event(SAY, "x").clone(),
            event(SAY, &"x".repeat(LIMITS.frame)),
        ],
        ..Data::default()
    }));
    let oversized_message = vec![0x10; LIMITS.message * 2];
    let plain = |frame: &Frame| encoded(frame);
    let cases: [(&str, Vec<u8>, CloseReason); 15] = [
        ("nothing", vec![], CloseReason::Malformed),
        ("noise", b"noise".to_vec(), CloseReason::Malformed),
        ("truncated", truncated, CloseReason::Malformed),
        (
            "a length beyond the frame",
            forged(&[0xff, 0x01]),
            CloseReason::Malformed,
        ),
        (
            "a length beyond all limits",
            forged(&[0xff, 0xff, 0xff, 0xff, 0x0f]),
            CloseReason::TooLarge,
        ),
        ("oversized frame", oversized, CloseReason::TooLarge),
        (
            "oversized message",
            oversized_message,
            CloseReason::TooLarge,
        ),
        (
            "second hello",
            plain(&Frame::Hello(Box::new(hello()))),
            CloseReason::Unexpected,
        ),
        (
            "tables unasked",
            plain(&Frame::Tables(vec![])),
            CloseReason::Unexpected,
        ),
        (
            "a gap",
            plain(&data(0, 2, vec![event(SAY, "x")])),
            CloseReason::Gap,
        ),
        (
            "an acknowledgement from the future",
            plain(&data(7, 0, vec![])),
            CloseReason::AcknowledgedUnsent,
        ),
        (
            "a reply to no call",
            plain(&data(0, 1, vec![reply(5, "x")])),
            CloseReason::UnknownCall,
        ),
        (
            "more than the credit",
            plain(&data(0, 1, (0..257).map(|_| event(SAY, "x")).collect())),
            CloseReason::CreditExceeded,
        ),
        (
            "a skip beyond the credit",
            plain(&data(0, 1, vec![Item::Skip { count: 100_000 }])),
            CloseReason::CreditExceeded,
        ),
        (
            "numbers that run over",
            plain(&data(0, u64::MAX, vec![Item::Skip { count: 2 }])),
            CloseReason::Malformed,
        ),
    ];
    let mut expected = HashMap::new();
    for (what, bytes, reason) in cases {
        *expected.entry(reason).or_default() += 2;
        let (mut ws, welcome) = Ws::open(site.address, hello()).await;
        ws.send_bytes(bytes.clone()).await;
        assert_eq!(ws.closed().await.reason, reason, "{what} on a WebSocket");
        ws.hung_up().await;
        has_ended(&site, &welcome, FreshReason::Violation).await;

        let client = Poller::open(site.address, hello()).await;
        let mut body = body([client.request(1, false)]);
        sente_proto::wire::append_encoded_to_body(Codec::Bincode, &bytes, &mut body);
        let answer = http(site.address, "POST", &[BINARY], &body).await;
        assert_eq!(
            (answer.status, answer.close().0),
            (400, reason),
            "{what} in a request"
        );
        let gone = client.poll(1, 0).await.close().0;
        assert_eq!(gone, reason, "{what} in a request");
    }
    let counts = site.server.counts();
    assert_eq!(counts.violations().collect::<HashMap<_, u64>>(), expected);
    bystander.is_well(2).await;
}

#[tokio::test]
async fn what_came_before_the_end_is_handled() {
    let mut builder = Server::builder();
    let mut events = builder.stream::<Chat>();
    let site = Site::start(builder).await;
    let say = |text| data(0, 1, vec![event(SAY, text)]);
    let goodbye = || Frame::Close(Box::new(Close::new(CloseReason::Goodbye)));
    let broken = || Frame::Tables(vec![]);
    let mut handled = async || {
        let event = soon("the event", futures_util::StreamExt::next(&mut events)).await;
        let (_, Chat::Say { text }) = event.expect("the server is there") else {
            panic!("somebody says something");
        };
        text
    };
    for end in [goodbye, broken] {
        let (mut ws, _) = Ws::open(site.address, hello()).await;
        ws.send_together([encoded(&say("by socket")), encoded(&end())])
            .await;
        assert_eq!(handled().await, "by socket");
        let client = Poller::open(site.address, hello()).await;
        let _ = client.send(1, [say("by request"), end()]).await;
        assert_eq!(handled().await, "by request");
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_handled_harms_no_other() {
    let (site, mut bystander) = site().await;
    let (mut ws, _) = Ws::open(site.address, hello()).await;
    let undecodable = |event| Item::Call {
        event,
        remaining: Duration::from_secs(5),
        payload: bytes::Bytes::from_static(b"\xff\xff\xff"),
    };
    ws.send(&data(
        0,
        1,
        vec![
            call(77, "an event that there is not"),
            undecodable(ECHO),
            event(77, "an event that there is not"),
            event(common::SAID, "an event of the server"),
            call(ECHO, "fine"),
        ],
    ))
    .await;
    let failed = |call, failure| Item::Reply {
        call,
        outcome: Outcome::Failed(failure),
    };
    assert_eq!(ws.item().await, failed(1, Failure::Unsupported));
    assert_eq!(ws.item().await, failed(2, Failure::Malformed));
    assert_eq!(ws.item().await, reply(5, "fine"));
    bystander.is_well(2).await;
}

#[tokio::test]
async fn a_first_frame_that_is_no_hello_is_answered_and_closed() {
    let (site, mut bystander) = site().await;
    for (bytes, reason) in [
        (encoded(&data(0, 0, vec![])), CloseReason::Unexpected),
        (b"noise".to_vec(), CloseReason::Malformed),
        (vec![], CloseReason::Malformed),
        (vec![0x01; LIMITS.frame + 1], CloseReason::TooLarge),
    ] {
        let mut ws = Ws::dial(site.address).await;
        ws.send_bytes(bytes).await;
        assert_eq!(ws.closed().await.reason, reason);
        ws.hung_up().await;
    }
    for (bytes, reason) in [
        (body([data(0, 0, vec![])]), CloseReason::Unexpected),
        (vec![], CloseReason::Unexpected),
        (b"noise".to_vec(), CloseReason::Malformed),
    ] {
        let answer = http(site.address, "POST", &[BINARY], &bytes).await;
        assert_eq!((answer.status, answer.close().0), (400, reason));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let counts = site.server.counts();
    let closed = [
        CloseReason::Unexpected,
        CloseReason::Malformed,
        CloseReason::TooLarge,
    ];
    assert_eq!(closed.map(|reason| counts.closed(reason)), [3, 3, 1]);
    bystander.is_well(2).await;
}

#[tokio::test]
async fn no_hello_in_time_is_answered_and_closed() {
    let limit = Duration::from_millis(50);
    let site = Site::start(lobby().handshake_timeout(limit)).await;
    let mut ws = Ws::dial(site.address).await;
    assert_eq!(ws.closed().await.reason, CloseReason::HandshakeTimeout);
    ws.hung_up().await;
    let counts = site.server.counts();
    assert_eq!(counts.closed(CloseReason::HandshakeTimeout), 1);
}

#[tokio::test]
async fn a_session_that_is_not_confirmed_in_time_ends() {
    let limit = Duration::from_millis(500);
    let site = Site::start(lobby().handshake_timeout(limit)).await;
    let mut ws = Ws::dial(site.address).await;
    let welcome = ws.greet(hello()).await;
    assert_eq!(ws.closed().await.reason, CloseReason::Silent);
    has_ended(&site, &welcome, FreshReason::Expired).await;
}

#[tokio::test]
async fn a_wrong_version_or_codec_is_refused_with_what_there_is() {
    let (site, mut bystander) = site().await;
    let version = || Hello {
        version: VERSION + 1,
        ..hello()
    };
    let codec = || Hello {
        codec: "morse".to_owned(),
        ..hello()
    };
    for (hello, status, reason) in [
        (version(), 426, RefusedReason::Version),
        (codec(), 400, RefusedReason::Codec),
        (hello_of("mallory"), 403, RefusedReason::Forbidden),
    ] {
        let mut ws = Ws::dial(site.address).await;
        let frame = Frame::Hello(Box::new(hello));
        ws.send(&frame).await;
        let refused = ws.refused().await;
        assert_eq!((refused.status, refused.reason), (status, reason));
        ws.hung_up().await;
        let answer = post(site.address, [frame]).await;
        assert_eq!(answer.status, status);
        let refused = answer.refused();
        assert_eq!((refused.status, refused.reason), (status, reason));
        if reason == RefusedReason::Codec {
            // Those that it was built with.
            let offered: Vec<_> = Codec::ALL.iter().map(|codec| codec.name()).collect();
            assert_eq!(refused.codecs, offered);
        }
    }
    bystander.is_well(2).await;
}

#[tokio::test]
async fn a_wrong_secret_gets_a_fresh_session_and_the_right_one_goes_on() {
    let (site, mut bystander) = site().await;
    let (mut owner, welcome) = Ws::open(site.address, hello()).await;
    let mut thief = Ws::dial(site.address).await;
    let mut stolen = resuming(&welcome, 2, 0);
    if let Some(resume) = &mut stolen.resume {
        resume.secret = ResumeSecret::new(4711);
    }
    let own = thief.greet(stolen).await;
    assert_ne!(own.session, welcome.session);
    assert_eq!(own.fresh, Some(FreshReason::Restarted));
    owner.is_well(1).await;

    let client = Poller::open(site.address, hello()).await;
    let thief = Poller {
        secret: ResumeSecret::new(4711),
        ..client.clone()
    };
    assert_eq!(
        thief.poll(1, 0).await.close().0,
        CloseReason::UnknownSession
    );
    let unknown = Poller {
        session: SessionId::new(4711),
        ..client.clone()
    };
    assert_eq!(
        unknown.send(1, []).await.close().0,
        CloseReason::UnknownSession
    );
    let elsewhere = Poller {
        server: client.server + 1,
        ..unknown
    };
    assert_eq!(
        elsewhere.send(1, []).await.close().0,
        CloseReason::WrongServer
    );
    let counts = site.server.counts();
    let counted = [CloseReason::UnknownSession, CloseReason::WrongServer];
    assert_eq!(counted.map(|reason| counts.closed(reason)), [2, 1]);
    let _ = client.send(1, [data(0, 1, vec![call(ECHO, "mine")])]).await;
    assert_eq!(client.poll(1, 0).await.items(), [reply(1, "mine")]);
    bystander.is_well(2).await;
}

#[tokio::test]
async fn the_default_handler_is_told_of_what_reaches_no_handler() {
    let (told, mut hears) = mpsc::unbounded_channel();
    let site = Site::start(lobby().unhandled(move |peer, event| {
        let user = peer.user().map(str::to_owned);
        told.send((user, event)).expect("the test listens");
    }))
    .await;
    // Of the contract that it says it has, `chat/echo` has lost its text and `chat/typing` is its own.
    let table = |name: &str, to_server, fields| TableEvent {
        name: name.to_owned(),
        to_server,
        to_client: Way::Never,
        fields,
        required: 0,
        reply: None,
    };
    let mut older = hello_of("ann");
    older.namespaces[0].digest ^= 1;
    older.namespaces[0].events = 3;
    let name = older.namespaces[0].name.clone();
    let mut ws = Ws::dial(site.address).await;
    ws.greet(older).await;
    ws.send(&Frame::Tables(vec![Table {
        name,
        handshake: None,
        events: vec![
            table("chat/typing", Way::Event, vec![]),
            table("chat/echo", Way::Event, vec![]),
            table("chat/say", Way::Event, chat_fields("chat/say")),
        ],
    }]))
    .await;
    let undecodable = Item::Event {
        event: 2,
        payload: Bytes::from_static(&[0xff]),
    };
    let items = vec![event(0, ""), event(1, "a"), call(77, "abc"), undecodable];
    ws.send(&data(0, 1, items)).await;
    for (name, cause, is_call, size) in [
        (Some("chat/typing"), UnhandledCause::Unknown, false, 1),
        (Some("chat/echo"), UnhandledCause::Form, false, 2),
        (None, UnhandledCause::Unknown, true, 4),
        (Some("chat/say"), UnhandledCause::Malformed, false, 1),
    ] {
        let (user, event) = soon("what nobody handles", hears.recv())
            .await
            .expect("the server");
        assert_eq!(user.as_deref(), Some("ann"));
        assert_eq!(event.event.as_deref(), name);
        assert_eq!(
            (event.cause, event.is_call, event.size),
            (cause, is_call, size)
        );
    }
    let refused = Item::Reply {
        call: 3,
        outcome: Outcome::Failed(Failure::Unsupported),
    };
    assert_eq!(ws.item().await, refused);
    assert_eq!(
        site.server.connected().skewed()[0].peer.counts().skewed_in,
        3
    );
}

/// The fingerprints of an event's fields.
fn chat_fields(event: &str) -> Vec<u64> {
    let mut contract = Contract::default();
    let added = contract.add(<Chat as sente::Events>::NAMESPACE);
    added.expect("the only one");
    let tables = contract.tables(["chat"]);
    let found = tables[0].events.iter().find(|known| known.name == event);
    found.expect("it is one").fields.clone()
}

#[tokio::test]
async fn another_user_with_the_right_secret_ends_the_session_and_gets_none_of_it() {
    let (site, mut bystander) = site().await;
    let (mut first, welcome) = Ws::open(site.address, hello_of("ann")).await;
    first.is_well(1).await;
    let mut second = Ws::dial(site.address).await;
    let login = Hello {
        token: Some(Secret::new("bob".to_owned())),
        ..resuming(&welcome, 2, 0)
    };
    let other = second.greet(login).await;
    assert_ne!(other.session, welcome.session);
    assert_eq!(other.fresh, Some(FreshReason::UserChanged));
    assert_eq!(other.user.as_deref(), Some("bob"));
    assert_eq!(first.closed().await.reason, CloseReason::UserChanged);
    bystander.is_well(2).await;
}

#[tokio::test]
async fn a_lower_epoch_is_told_which_one_is_current() {
    let (site, mut bystander) = site().await;
    let (mut first, welcome) = Ws::open(
        site.address,
        Hello {
            epoch: 5,
            ..hello()
        },
    )
    .await;
    for epoch in [4, 5] {
        let mut late = Ws::dial(site.address).await;
        late.send(&Frame::Hello(Box::new(resuming(&welcome, epoch, 0))))
            .await;
        let close = late.closed().await;
        assert_eq!((close.reason, close.epoch), (CloseReason::Replaced, 5));
        let hello = Frame::Hello(Box::new(resuming(&welcome, epoch, 0)));
        let answer = post(site.address, [hello]).await;
        assert_eq!(
            (answer.status, answer.close()),
            (200, (CloseReason::Replaced, 5))
        );
    }
    first.is_well(1).await;
    bystander.is_well(2).await;
}

#[tokio::test]
async fn an_acknowledgement_from_the_future_in_a_hello_is_a_violation() {
    let (site, mut bystander) = site().await;
    let (ws, welcome) = Ws::open(site.address, hello()).await;
    ws.vanish();
    let mut ws = Ws::dial(site.address).await;
    ws.send(&Frame::Hello(Box::new(resuming(&welcome, 2, 1_000))))
        .await;
    assert_eq!(ws.closed().await.reason, CloseReason::AcknowledgedUnsent);
    has_ended(&site, &welcome, FreshReason::Violation).await;
    bystander.is_well(2).await;
}

#[tokio::test]
async fn a_flood_of_hellos_is_refused_and_confirmed_clients_go_on() {
    let caps = Caps {
        unconfirmed: 5,
        ..Caps::default()
    };
    let (site, mut bystander) = site_of(lobby().caps(caps)).await;
    let mut flood = Vec::new();
    for _ in 0..5 {
        let mut ws = Ws::dial(site.address).await;
        let _ = ws.greet(hello()).await;
        flood.push(ws);
    }
    let mut ws = Ws::dial(site.address).await;
    ws.send(&Frame::Hello(Box::new(hello()))).await;
    let refused = ws.refused().await;
    assert_eq!((refused.status, refused.reason), (503, RefusedReason::Full));
    let answer = post(site.address, [Frame::Hello(Box::new(hello()))]).await;
    // About 2 s, so that not all of them come back at the same moment.
    let retry_after = answer.header("retry-after");
    assert!(
        matches!(retry_after, Some("1" | "2" | "3")),
        "{retry_after:?}"
    );
    assert_eq!(answer.refused().reason, RefusedReason::Full);
    bystander.is_well(2).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_its_session_and_no_other_feels_it() {
    let builder = lobby().outbox(64 * 1024, 4096);
    let (site, mut bystander) = site_of(builder).await;
    let (mut deaf, welcome) = Ws::open(site.address, hello_of("deaf")).await;
    deaf.is_well(1).await;
    let mut presence = site.server.presence();
    let large = "x".repeat(16 * 1024);
    let mut queued = 0;
    // What the sockets take without being read is not the server's to bound.
    let pushing = async {
        loop {
            queued += Chat::to_clients(site.server.user("deaf")).said(large.clone());
            if site.server.user("deaf").count() == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the session", pushing).await;
    assert!(queued >= 4, "{queued}");
    let left = soon("the news", futures_util::StreamExt::next(&mut presence)).await;
    let sente_server::Presence::Left { reason, .. } = left.expect("the server is there") else {
        panic!("somebody left");
    };
    assert_eq!(reason, CloseReason::Overflow);
    let mut ws = Ws::dial(site.address).await;
    let again = Hello {
        token: Some(Secret::new("deaf".to_owned())),
        ..resuming(&welcome, 2, 0)
    };
    assert_eq!(ws.greet(again).await.fresh, Some(FreshReason::Overflow));
    bystander.is_well(2).await;
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_pinged_and_then_given_up() {
    let silence = Duration::from_secs(1);
    let site = Site::start(lobby().silence(silence)).await;
    let (mut ws, welcome) = Ws::open(site.address, hello()).await;
    ws.is_well(1).await;
    let mut pings = 0;
    let close = loop {
        match ws.frame().await {
            Frame::Ping(_) => pings += 1,
            Frame::Data(_) => {}
            Frame::Close(close) => break close,
            other => panic!("{}", kind(&other)),
        }
    };
    assert_eq!((close.reason, pings), (CloseReason::Silent, 1));
    goes_on(&site, &welcome).await;
}

#[tokio::test]
async fn a_session_whose_client_does_not_come_back_expires() {
    let window = Duration::from_millis(100);
    let site = Site::start(lobby().window(window)).await;
    let mut presence = site.server.presence();
    let (ws, _) = Ws::open(site.address, hello_of("ann")).await;
    let mut next = async || {
        let change = soon("a change", futures_util::StreamExt::next(&mut presence)).await;
        change.expect("the server is there")
    };
    use sente_server::Presence;
    assert!(matches!(next().await, Presence::UserConnected { user } if &*user == "ann"));
    assert!(matches!(next().await, Presence::Joined { .. }));
    ws.vanish();
    assert!(matches!(
        next().await,
        Presence::Moved { carrier: None, .. }
    ));
    let expired = CloseReason::Silent;
    assert!(matches!(next().await, Presence::Left { reason, .. } if reason == expired));
    assert!(matches!(next().await, Presence::UserDisconnected { reason, .. } if reason == expired));
}

#[tokio::test]
async fn a_request_that_is_none_is_answered() {
    let (site, mut bystander) = site().await;
    let hello = body([Frame::Hello(Box::new(hello()))]);
    let cases: [(&[(&str, &str)], u16); 4] = [
        (&[], 415),
        (&[("content-type", "text/plain")], 415),
        (&[("content-type", "application/json")], 415),
        (&[("content-type", "application/vnd.sente; charset=x")], 200),
    ];
    for (headers, status) in cases {
        let answer = http(site.address, "POST", headers, &hello).await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(http(site.address, "GET", &[BINARY], &[]).await.status, 405);
    let json = [("content-type", "application/vnd.sente+json")];
    let answer = http(site.address, "POST", &json, br#"{"hello":{"version":1}}"#).await;
    assert_eq!(answer.status, 400);
    bystander.is_well(2).await;
}

#[tokio::test]
async fn what_a_session_would_keep_of_its_handshake_may_not_be_large() {
    let (site, mut bystander) = site().await;
    let large = "x".repeat(33 * 1024);
    let headers = [("x-large", large.as_str())];
    let upgraded = Ws::dial_with(site.address, &headers).await;
    assert_eq!(upgraded.err(), Some(431));
    let frames = || body([Frame::Hello(Box::new(hello()))]);
    let answer = http(site.address, "POST", &[BINARY, headers[0]], &frames()).await;
    assert_eq!(answer.status, 431);
    let usual = "x".repeat(30 * 1024);
    let headers = [("x-large", usual.as_str())];
    let answer = http(site.address, "POST", &[BINARY, headers[0]], &frames()).await;
    assert_eq!(answer.status, 200);

    let on = |device: String| Hello {
        device: Some(device),
        ..hello()
    };
    let answer = post(site.address, [Frame::Hello(Box::new(on("x".repeat(257))))]).await;
    assert_eq!(answer.refused().reason, RefusedReason::Malformed);
    let mut ws = Ws::dial(site.address).await;
    let _ = ws.greet(on("x".repeat(256))).await;
    bystander.is_well(2).await;
}

#[tokio::test]
async fn requests_of_a_session_that_does_not_poll_end_it() {
    let (site, mut bystander) = site().await;
    let (mut ws, welcome) = Ws::open(site.address, hello()).await;
    let mut client = Poller {
        address: site.address,
        session: welcome.session,
        secret: welcome.secret.clone(),
        server: welcome.server,
        epoch: 7,
    };
    assert_eq!(client.poll(1, 0).await.close().0, CloseReason::Unexpected);
    assert_eq!(ws.closed().await.reason, CloseReason::Unexpected);
    client.epoch = 1;
    assert_eq!(client.poll(1, 0).await.close().0, CloseReason::Unexpected);
    bystander.is_well(2).await;
}

#[tokio::test]
async fn a_close_with_any_reason_is_taken_at_its_word() {
    let site = Site::start(lobby()).await;
    let (mut ws, welcome) = Ws::open(site.address, hello()).await;
    ws.send(&Frame::Close(Box::new(Close::new(CloseReason::Silent))))
        .await;
    ws.hung_up().await;
    goes_on(&site, &welcome).await;
    let (mut ws, welcome) = Ws::open(site.address, hello()).await;
    ws.send(&Frame::Close(Box::new(Close::new(CloseReason::Gap))))
        .await;
    ws.hung_up().await;
    has_ended(&site, &welcome, FreshReason::Violation).await;
}

#[tokio::test]
async fn credit_is_what_the_welcome_says_and_grows_as_handlers_finish() {
    let site = Site::start(lobby().max_handlers(2)).await;
    let mut ws = Ws::dial(site.address).await;
    let welcome = ws.greet(hello()).await;
    assert_eq!(welcome.acknowledge.credit, 2);
    for number in 1..=10 {
        ws.is_well(number).await;
    }
    // Two that never end use it up.
    ws.send(&data(
        ws.received,
        11,
        vec![event(SAY, "a"), event(SAY, "b")],
    ))
    .await;
    ws.send(&Frame::Ping(1)).await;
    let credit = loop {
        if let Frame::Data(Data {
            acknowledge:
                Some(Acknowledge {
                    received: 12,
                    credit,
                }),
            ..
        }) = ws.frame().await
        {
            break credit;
        }
    };
    assert_eq!(credit, 12);
    ws.send(&data(
        ws.received,
        13,
        vec![Item::Event {
            event: SAY,
            payload: text("c"),
        }],
    ))
    .await;
    assert_eq!(ws.closed().await.reason, CloseReason::CreditExceeded);
}
