//! The server's machine: what hellos open and resume, and who serves a session.

mod identity;
mod moves;
mod polls;

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::contract::{Contract, Event, Field, Namespace, Way};
use sente_proto::frame::{Acknowledge, Data, Frame, Hello, Item, Offer, Request, Resume, VERSION};
use sente_proto::schema::Type;
use sente_proto::server::{self, Caps, Due, Heard, Mappings, Opened, Seat, Sessions, Turn};
use sente_proto::session::{self, Delivery, Outgoing, Session};
use sente_proto::wire;
use sente_proto::{
    Carrier, Close, CloseReason, FreshReason, Limits, Refused, RefusedReason, ResumeSecret,
    SessionId, Time,
};

static CHAT: Namespace = Namespace {
    name: "chat",
    handshake: None,
    events: &[
        event("chat/post", Way::Event, Way::Never),
        event("chat/posted", Way::Never, Way::Event),
    ],
};

const FIELDS: &[Field] = &[Field {
    name: "text",
    ty: Type::of::<String>(),
    default: false,
}];

const fn event(name: &'static str, to_server: Way, to_client: Way) -> Event {
    Event {
        name,
        to_server,
        to_client,
        fields: FIELDS,
        reply: None,
    }
}

fn contract() -> Arc<Contract> {
    let mut contract = Contract::default();
    contract.add(&CHAT).expect("the only one");
    Arc::new(contract)
}

fn request(epoch: u64, number: u64, hold: bool, beside: u8) -> Request {
    Request {
        session: SessionId::new(1),
        secret: ResumeSecret::new(2),
        server: 3,
        epoch,
        number,
        hold,
        beside,
        brief: false,
    }
}

fn hello(attempt: u128, epoch: u64) -> Hello {
    Hello {
        version: VERSION,
        codec: "bincode".to_owned(),
        attempt,
        epoch,
        namespaces: contract().offers(),
        token: None,
        csrf: None,
        device: None,
        resume: None,
    }
}

fn resuming(attempt: u128, epoch: u64, session: SessionId, secret: &ResumeSecret) -> Hello {
    Hello {
        resume: Some(Resume {
            session,
            secret: secret.clone(),
            acknowledge: Acknowledge::default(),
        }),
        ..hello(attempt, epoch)
    }
}

fn seconds(seconds: u64) -> Time {
    Time::from_unix(Duration::from_secs(1_000_000 + seconds))
}

/// A registry whose sessions are numbered.
struct Registry {
    sessions: Sessions<u32>,
    made: u32,
    random: u128,
}

impl Registry {
    fn new(caps: Caps) -> Self {
        Self {
            sessions: Sessions::new(caps, Limits::default().window),
            made: 0,
            random: 0,
        }
    }

    fn open(
        &mut self,
        now: Time,
        hello: &Hello,
        user: Option<&str>,
    ) -> Result<Opened<u32>, Refused> {
        let user = user.map(Arc::from);
        let (made, random) = (&mut self.made, &mut self.random);
        self.sessions.open(
            now,
            hello,
            Codec::Bincode,
            user.as_ref(),
            || {
                *random += 1;
                *random
            },
            |_, _| {
                *made += 1;
                *made
            },
        )
    }

    fn must_open(&mut self, now: Time, hello: &Hello, user: Option<&str>) -> Opened<u32> {
        self.open(now, hello, user).expect("not refused")
    }
}

// ---- the registry ----

#[test]
fn the_same_attempt_of_the_same_identity_gives_the_same_session() {
    let mut registry = Registry::new(Caps::default());
    let first = registry.must_open(seconds(0), &hello(1, 1), Some("ann"));
    let again = registry.must_open(seconds(1), &hello(1, 2), Some("ann"));
    assert_eq!((again.value, again.id), (first.value, first.id));
    assert!(again.secret.matches(&first.secret));
    assert_eq!(again.fresh, Some(FreshReason::First));

    for (attempt, user) in [(1, Some("bob")), (1, None), (2, Some("ann"))] {
        let other = registry.must_open(seconds(2), &hello(attempt, 1), user);
        assert_ne!(other.id, first.id, "attempt {attempt} of {user:?}");
        assert!(!other.secret.matches(&first.secret));
    }
}

#[test]
fn a_session_is_resumed_by_its_secret_and_its_user() {
    let mut registry = Registry::new(Caps::default());
    let first = registry.must_open(seconds(0), &hello(1, 1), Some("ann"));
    let resumed = registry.must_open(
        seconds(1),
        &resuming(2, 2, first.id, &first.secret),
        Some("ann"),
    );
    assert_eq!((resumed.value, resumed.fresh), (first.value, None));
    assert_eq!(registry.sessions.len(), 1);
}

#[test]
fn a_wrong_secret_gives_a_fresh_session_and_harms_nobody() {
    let mut registry = Registry::new(Caps::default());
    let first = registry.must_open(seconds(0), &hello(1, 1), Some("ann"));
    let wrong = ResumeSecret::new(first.secret.reveal() ^ 1);
    for user in [Some("ann"), Some("mallory"), None] {
        let other = registry.must_open(seconds(1), &resuming(9, 2, first.id, &wrong), user);
        assert_ne!(other.id, first.id);
        assert_eq!(other.fresh, Some(FreshReason::Restarted));
        assert_eq!(other.ended, None);
    }
    assert!(registry.sessions.find(first.id, &wrong).is_none());
    assert_eq!(
        registry.sessions.find(first.id, &first.secret),
        Some(first.value)
    );
}

#[test]
fn another_user_with_the_right_secret_ends_the_session() {
    let mut registry = Registry::new(Caps::default());
    let first = registry.must_open(seconds(0), &hello(1, 1), None);
    let login = resuming(2, 2, first.id, &first.secret);
    let second = registry.must_open(seconds(1), &login, Some("ann"));
    assert_eq!(second.fresh, Some(FreshReason::UserChanged));
    assert_eq!(second.ended, Some(first.value));
    assert!(registry.sessions.get(first.id).is_none());

    // The answer was lost: the same hello gets the same one.
    let again = registry.must_open(seconds(2), &login, Some("ann"));
    assert_eq!(
        (again.id, again.fresh),
        (second.id, Some(FreshReason::UserChanged))
    );
    assert_eq!(again.ended, None);
}

#[test]
fn why_a_session_ended_is_told_for_one_window_to_who_has_its_secret() {
    let window = Limits::default().window.as_secs();
    let mut registry = Registry::new(Caps::default());
    let first = registry.must_open(seconds(0), &hello(1, 1), None);
    registry
        .sessions
        .remove(seconds(10), first.id, &Close::new(CloseReason::Overflow))
        .expect("it was there");
    let reason_of = |registry: &mut Registry, at, attempt, secret: &ResumeSecret| {
        let hello = resuming(attempt, 2, first.id, secret);
        registry.must_open(seconds(at), &hello, None).fresh
    };
    let wrong = ResumeSecret::new(99);
    assert_eq!(
        reason_of(&mut registry, 11, 2, &first.secret),
        Some(FreshReason::Overflow)
    );
    assert_eq!(
        reason_of(&mut registry, 11, 3, &wrong),
        Some(FreshReason::Restarted)
    );
    let later = 10 + window;
    assert_eq!(
        reason_of(&mut registry, later, 4, &first.secret),
        Some(FreshReason::Restarted)
    );
}

#[test]
fn no_more_ended_sessions_are_remembered_than_may_be() {
    let mut registry = Registry::new(Caps {
        remembered: 2,
        ..Caps::default()
    });
    let opened: Vec<_> = (0..3)
        .map(|attempt| registry.must_open(seconds(0), &hello(attempt, 1), None))
        .collect();
    for opened in &opened {
        registry
            .sessions
            .remove(seconds(1), opened.id, &Close::new(CloseReason::Goodbye));
    }
    let reasons: Vec<_> = (10..)
        .zip(&opened)
        .map(|(attempt, opened)| {
            let hello = resuming(attempt, 2, opened.id, &opened.secret);
            registry.must_open(seconds(2), &hello, None).fresh
        })
        .collect();
    use FreshReason::{Requested, Restarted};
    assert_eq!(reasons, [Some(Restarted), Some(Requested), Some(Requested)]);
}

#[test]
fn a_flood_of_hellos_is_refused_and_confirmed_sessions_go_on() {
    let mut registry = Registry::new(Caps {
        unconfirmed: 3,
        ..Caps::default()
    });
    let known = registry.must_open(seconds(0), &hello(0, 1), None);
    assert!(registry.sessions.confirm(known.id));
    assert!(!registry.sessions.confirm(known.id), "only once");
    for attempt in 1..=3 {
        registry.must_open(seconds(0), &hello(attempt, 1), None);
    }
    let refused = registry
        .open(seconds(0), &hello(4, 1), None)
        .expect_err("a flood");
    assert_eq!((refused.status, refused.reason), (503, RefusedReason::Full));
    assert!(refused.retry_after.is_some());
    // Who was there before is not refused, nor is a repeated hello.
    registry.must_open(seconds(0), &resuming(5, 2, known.id, &known.secret), None);
    let unconfirmed = registry.must_open(seconds(0), &hello(3, 2), None);

    registry.sessions.remove(
        seconds(10),
        unconfirmed.id,
        &Close::new(CloseReason::Silent),
    );
    registry.must_open(seconds(10), &hello(6, 1), None);
}

#[test]
fn a_user_and_a_server_have_only_so_many_sessions() {
    let mut registry = Registry::new(Caps {
        sessions: 4,
        per_user: 2,
        ..Caps::default()
    });
    let ann = registry.must_open(seconds(0), &hello(1, 1), Some("ann"));
    registry.must_open(seconds(0), &hello(2, 1), Some("ann"));
    let refused = registry.open(seconds(0), &hello(3, 1), Some("ann"));
    assert_eq!(
        refused.expect_err("two are enough").reason,
        RefusedReason::Full
    );
    registry.must_open(seconds(0), &hello(3, 1), Some("bob"));
    registry.must_open(seconds(0), &hello(3, 1), None);
    let refused = registry.open(seconds(0), &hello(4, 1), None);
    assert_eq!(
        refused.expect_err("four are enough").reason,
        RefusedReason::Full
    );
    registry
        .sessions
        .remove(seconds(1), ann.id, &Close::new(CloseReason::Goodbye));
    registry.must_open(seconds(1), &hello(3, 1), Some("ann"));
}

#[test]
fn nothing_is_left_of_sessions_that_have_ended() {
    let mut registry = Registry::new(Caps::default());
    for (attempt, user) in [(1, Some("ann")), (2, Some("ann")), (3, None)] {
        let opened = registry.must_open(seconds(0), &hello(attempt, 1), user);
        assert!(!registry.sessions.is_empty());
        registry
            .sessions
            .remove(seconds(1), opened.id, &Close::new(CloseReason::Goodbye));
        assert!(registry.sessions.is_empty(), "{:?}", registry.sessions);
    }
}

#[test]
fn a_server_that_shuts_down_takes_no_fresh_sessions_and_resumes_old_ones() {
    let mut registry = Registry::new(Caps::default());
    let first = registry.must_open(seconds(0), &hello(1, 1), None);
    registry.sessions.close(Duration::from_secs(3));
    let mut moments = Vec::new();
    for attempt in 2..10 {
        let refused = registry
            .open(seconds(1), &hello(attempt, 1), None)
            .expect_err("closed");
        assert_eq!(refused.reason, RefusedReason::Shutdown);
        moments.push(refused.retry_after.expect("it may come back"));
    }
    let about = Duration::from_millis(1500)..=Duration::from_millis(4500);
    assert!(moments.iter().all(|moment| about.contains(moment)));
    moments.sort_unstable();
    moments.dedup();
    assert_eq!(moments.len(), 8, "not all at once");
    registry.must_open(seconds(1), &resuming(3, 2, first.id, &first.secret), None);
}

#[test]
fn another_version_or_codec_is_refused_with_what_there_is() {
    let version = Hello {
        version: VERSION + 1,
        ..hello(1, 1)
    };
    let refused = server::accept(&version, Codec::ALL).expect_err("a newer client");
    assert_eq!(
        (refused.status, refused.reason),
        (426, RefusedReason::Version)
    );

    let codec = Hello {
        codec: "morse".to_owned(),
        ..hello(1, 1)
    };
    let refused = server::accept(&codec, &[Codec::Bincode]).expect_err("no morse");
    assert_eq!(
        (refused.status, refused.reason),
        (400, RefusedReason::Codec)
    );
    assert_eq!(refused.codecs, ["bincode"]);
    assert_eq!(
        server::accept(&hello(1, 1), Codec::ALL).ok(),
        Some(Codec::Bincode)
    );
}

// ---- the seat ----

struct Served {
    seat: Seat,
    session: Session,
    mappings: Mappings,
}

impl Served {
    fn new() -> Self {
        let contract = contract();
        Self {
            seat: Seat::new(SessionId::new(1), seconds(0)),
            session: Session::new(Arc::default(), Arc::clone(&contract), Codec::Bincode),
            mappings: Mappings::new(contract),
        }
    }

    fn attached(carrier: Carrier) -> Self {
        let mut served = Self::new();
        served.attach(0, &hello(1, 1), carrier).expect("the first");
        // As the welcome does.
        let _ = served.session.acknowledge(seconds(0));
        served
    }

    fn attach(&mut self, at: u64, hello: &Hello, carrier: Carrier) -> Result<(), Close> {
        self.seat.attach(
            seconds(at),
            &mut self.session,
            hello,
            carrier,
            &self.mappings,
        )
    }

    fn frame(&mut self, at: u64, epoch: u64, frame: Frame) -> Result<Heard, Close> {
        self.seat
            .handle_frame(seconds(at), &mut self.session, &self.mappings, epoch, frame)
    }

    fn request(&mut self, at: u64, epoch: u64, number: u64, hold: bool) -> Result<Turn, Close> {
        self.request_beside(at, epoch, number, hold, 0)
    }

    fn request_beside(
        &mut self,
        at: u64,
        epoch: u64,
        number: u64,
        hold: bool,
        beside: u8,
    ) -> Result<Turn, Close> {
        self.handle(at, &request(epoch, number, hold, beside))
    }

    fn handle(&mut self, at: u64, request: &Request) -> Result<Turn, Close> {
        self.seat
            .handle_request(seconds(at), &mut self.session, request)
    }

    fn timeout(&mut self, at: u64) -> Option<Due> {
        self.seat.handle_timeout(seconds(at), &mut self.session)
    }

    fn send(&mut self, text: &'static [u8]) {
        let event = Outgoing {
            event: 1,
            payload: Bytes::from_static(text),
            delivery: Delivery::Reliable,
            key: Bytes::new(),
        };
        self.session.send(seconds(0), event).expect("there is room");
    }

    /// The events of all frames that are cut now.
    fn cut(&mut self, at: u64) -> Vec<Bytes> {
        let mut payloads = Vec::new();
        while let Some(frame) = self.session.poll_data(seconds(at)) {
            let limits = self.session.limits().wire();
            let frame = wire::decode(Codec::Bincode, &frame.into(), &limits).expect("a frame");
            let data = match frame {
                Frame::Data(data) => data,
                Frame::Ping(_) => continue,
                _ => panic!("a session cuts data and pings only"),
            };
            payloads.extend(data.items.into_iter().filter_map(|item| match item {
                Item::Event { payload, .. } => Some(payload),
                _ => None,
            }));
        }
        payloads
    }
}

/// Acknowledges up to `received` and gives plenty of credit.
fn acknowledging(received: u64) -> Frame {
    Frame::Data(Data {
        acknowledge: Some(Acknowledge {
            received,
            credit: 100,
        }),
        ..Data::default()
    })
}

fn posting(first: u64) -> Frame {
    Frame::Data(Data {
        first,
        items: vec![Item::Event {
            event: 0,
            payload: Bytes::from_static(b"hi"),
        }],
        ..Data::default()
    })
}

fn reason<T>(result: Result<T, Close>) -> Option<(CloseReason, u64)> {
    result.err().map(|close| (close.reason, close.epoch))
}

#[test]
fn an_unconfirmed_session_lives_for_ten_seconds_whatever_comes() {
    let mut served = Served::attached(Carrier::WebSocket);
    served
        .attach(9, &hello(1, 2), Carrier::WebSocket)
        .expect("it is newer");
    assert_eq!(served.timeout(9), None);
    assert_eq!(served.seat.poll_timeout(&served.session), seconds(10));
    assert_eq!(served.timeout(10), Some(Due::Expired));

    let mut served = Served::attached(Carrier::WebSocket);
    let heard = served.frame(9, 1, acknowledging(0));
    assert_eq!(heard, Ok(Heard::Nothing));
    assert!(served.seat.is_confirmed());
    assert_eq!(served.timeout(10), None);
}

#[test]
fn a_silent_websocket_is_pinged_and_then_dead_and_the_session_waits() {
    let mut served = Served::attached(Carrier::WebSocket);
    let _ = served.frame(1, 1, acknowledging(0));
    let _ = served.cut(1);
    assert_eq!(served.timeout(15), None);
    assert_eq!(served.timeout(16), Some(Due::Ping));
    assert!(served.session.has_data(seconds(16)), "the ping");
    assert_eq!(served.timeout(16), None);
    // Writing to it is no sign of life.
    served.send(b"one");
    let _ = served.cut(20);
    assert_eq!(served.timeout(30), None);
    assert_eq!(served.timeout(31), Some(Due::Silent));
    assert_eq!(served.seat.carrier(), None);
    assert!(!served.session.is_attached());
    // The window counts from the last received byte.
    assert_eq!(served.timeout(120), None);
    assert_eq!(served.timeout(121), Some(Due::Expired));
}

#[test]
fn bytes_that_are_no_frame_are_a_sign_of_life() {
    let mut served = Served::attached(Carrier::WebSocket);
    let _ = served.frame(1, 1, acknowledging(0));
    served.seat.handle_bytes(seconds(10), 1);
    assert_eq!(served.timeout(24), None);
    assert_eq!(served.timeout(25), Some(Due::Ping));
    served.seat.handle_bytes(seconds(26), 1);
    assert_eq!(served.timeout(40), None);
    assert_eq!(served.timeout(41), Some(Due::Ping));
}

#[test]
fn frames_that_may_not_come_are_violations() {
    for frame in [
        Frame::Hello(Box::new(hello(1, 2))),
        Frame::Tables(Vec::new()),
        Frame::Request(Request {
            session: SessionId::new(1),
            secret: ResumeSecret::new(2),
            server: 3,
            epoch: 1,
            number: 1,
            hold: true,
            beside: 0,
            brief: false,
        }),
    ] {
        let mut served = Served::attached(Carrier::WebSocket);
        let close = served.frame(0, 1, frame).expect_err("it may not come");
        assert_eq!(close.reason, CloseReason::Unexpected);
        assert!(close.reason.is_violation());
    }
}

#[test]
fn a_client_ends_its_session_or_only_leaves_its_carrier() {
    let close = |reason| Frame::Close(Box::new(Close::new(reason)));
    let mut served = Served::attached(Carrier::WebSocket);
    let heard = served.frame(0, 1, close(CloseReason::Goodbye));
    assert_eq!(heard, Ok(Heard::Ends(CloseReason::Goodbye)));
    let heard = served.frame(0, 1, close(CloseReason::Gap));
    assert_eq!(heard, Ok(Heard::Ends(CloseReason::Gap)));
    let heard = served.frame(0, 1, close(CloseReason::Silent));
    assert_eq!(heard, Ok(Heard::Leaves));
}

#[test]
fn nothing_is_cut_or_taken_in_before_the_tables_that_were_asked_for() {
    let other = Hello {
        namespaces: vec![Offer {
            name: "chat".to_owned(),
            digest: 1,
            events: 2,
        }],
        ..hello(1, 1)
    };
    let mut served = Served::new();
    served
        .attach(0, &other, Carrier::WebSocket)
        .expect("the first");
    assert_eq!(served.frame(0, 1, acknowledging(0)), Ok(Heard::Nothing));
    served.send(b"one");
    assert!(served.cut(0).is_empty());
    assert_eq!(
        reason(served.frame(0, 1, posting(1))),
        Some((CloseReason::Unexpected, 0))
    );

    // The other side counts the same events the other way round.
    let mut table = contract().tables(["chat"]).remove(0);
    table.events.reverse();
    let tables = || Frame::Tables(vec![table.clone()]);
    assert_eq!(served.frame(0, 1, tables()), Ok(Heard::Nothing));
    assert_eq!(served.cut(0), ["one"]);
    let _ = served.frame(0, 1, posting(1));
    assert_eq!(served.session.counts().skewed_in, 1, "0 is `posted` there");

    // It goes on with what it has; a client that is asked again may answer again.
    let other = Hello { epoch: 2, ..other };
    served
        .attach(1, &other, Carrier::WebSocket)
        .expect("it is newer");
    assert_eq!(served.frame(1, 2, tables()), Ok(Heard::Nothing));
    assert_eq!(served.cut(1), ["one"]);
}

#[test]
fn clients_of_the_same_contract_share_one_mapping() {
    let contract = contract();
    let mappings = Mappings::new(Arc::clone(&contract));
    let of = |offers: &[Offer]| {
        mappings
            .of(offers, Codec::Bincode)
            .expect("no tables needed")
    };
    let (one, two) = (of(&contract.offers()), of(&contract.offers()));
    assert!(Arc::ptr_eq(&one, &two));
    assert!(!Arc::ptr_eq(&one, &of(&[])));

    // Whoever offers the same again and again, in many ways, does not push out what others use.
    let repeated = |count| vec![contract.offers().remove(0); count];
    for count in 2..200 {
        of(&repeated(count));
        assert!(Arc::ptr_eq(&one, &of(&contract.offers())));
    }
    for count in 2..200 {
        of(&repeated(count));
    }
    let (one, two) = (of(&contract.offers()), of(&contract.offers()));
    assert!(Arc::ptr_eq(&one, &two));
}

#[test]
fn a_namespace_that_the_server_does_not_know_takes_numbers_and_no_memory() {
    let unknown = Offer {
        name: "unknown".to_owned(),
        digest: 7,
        events: 3_000_000,
    };
    let mut other = hello(1, 1);
    other.namespaces.insert(0, unknown);
    let mut served = Served::new();
    served
        .attach(0, &other, Carrier::WebSocket)
        .expect("the first");
    let _ = served.session.acknowledge(seconds(0));
    let events = [0, 2_999_999, 3_000_000, 3_000_002, u32::MAX].map(|event| Item::Event {
        event,
        payload: Bytes::new(),
    });
    let data = Data {
        first: 1,
        items: events.into(),
        ..Data::default()
    };
    let heard = served.frame(0, 1, Frame::Data(data));
    assert_eq!(heard, Ok(Heard::Nothing));
    let arrived = iter::from_fn(|| served.session.poll_event()).map(|event| match event {
        session::Event::Event(arrival) => Some(arrival.event),
        session::Event::Refused { is_known, .. } if !is_known => None,
        other => panic!("{other:?}"),
    });
    let arrived: Vec<_> = arrived.collect();
    assert_eq!(arrived.iter().flatten().collect::<Vec<_>>(), [&0]);
    assert_eq!(arrived.len(), 5);
    assert_eq!(served.session.counts().skewed_in, 4);
}

#[test]
fn the_first_credit_reaches_a_client_with_its_welcome() {
    let mut served = Served::new();
    served
        .attach(0, &hello(1, 1), Carrier::Poll)
        .expect("the first");
    let greeting = server::Greeting {
        session: SessionId::new(1),
        secret: ResumeSecret::new(2),
        fresh: Some(FreshReason::First),
        server: 3,
        user: None,
        handshake: Vec::new(),
    };
    let welcome = server::welcome(
        seconds(0),
        &served.seat,
        &mut served.session,
        &hello(1, 1),
        greeting,
    );
    assert_eq!(welcome.epoch, 1);
    assert_eq!(welcome.acknowledge.credit, 256);
    assert!(!served.session.has_data(seconds(0)), "all is said");
}
