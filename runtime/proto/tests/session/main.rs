//! Two sessions back to back: what arrives, in what order, how often.

mod calls;
mod room;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::contract::{Contract, Event as Declared, Mapping, Namespace, Reply, Way};
use sente_proto::frame::{Acknowledge, Data, Failure, Frame, Item, Outcome};
use sente_proto::schema::Type;
use sente_proto::session::{
    CallFailure, CallId, Delivery, Event, IncomingCall, Outgoing, Refusal, Session,
};
use sente_proto::{CloseReason, Limits, Time, wire};

const SAY: u32 = 0;
const ASK: u32 = 1;

const fn declared(name: &'static str, reply: Option<Reply>) -> Declared {
    Declared {
        name,
        to_server: way(reply),
        to_client: way(reply),
        fields: &[],
        reply,
    }
}

static NAMESPACE: Namespace = Namespace {
    name: "test",
    handshake: None,
    events: &[
        declared("test/say", None),
        declared(
            "test/ask",
            Some(Reply {
                reply: Type::of::<u8>(),
                error: Some(Type::of::<u16>()),
            }),
        ),
    ],
};

fn session(limits: Limits) -> Session {
    session_by(limits, Codec::Bincode)
}

fn session_by(limits: Limits, codec: Codec) -> Session {
    let mut contract = Contract::default();
    contract.add(&NAMESPACE).unwrap();
    let mut session = Session::new(Arc::new(limits), Arc::new(contract), codec);
    let offers = session.contract().offers();
    let mapping = Mapping::of_server(session.contract(), &offers, &[], codec).unwrap();
    assert!(session.map(Arc::new(mapping)).is_empty());
    session
}

fn say(payload: &str) -> Outgoing {
    Outgoing {
        event: SAY,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        delivery: Delivery::Reliable,
        key: Bytes::new(),
    }
}

fn latest(key: &str, payload: &str) -> Outgoing {
    Outgoing {
        delivery: Delivery::Latest,
        key: Bytes::copy_from_slice(key.as_bytes()),
        ..say(payload)
    }
}

fn ask(payload: &str) -> Outgoing {
    Outgoing {
        event: ASK,
        ..say(payload)
    }
}

/// Two ends, and the frames between them.
struct Wire {
    now: Time,
    one: Session,
    two: Session,
}

impl Wire {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let mut wire = Self {
            now: Time::default(),
            one: session(limits.clone()),
            two: session(limits),
        };
        wire.connect();
        wire
    }

    fn connect(&mut self) {
        let (one, two) = (
            self.one.acknowledge(self.now),
            self.two.acknowledge(self.now),
        );
        self.one.attach(two).unwrap();
        self.two.attach(one).unwrap();
    }

    fn cut(&mut self) {
        self.one.detach();
        self.two.detach();
    }

    /// Carries frames both ways until nothing waits.
    fn run(&mut self) {
        // Far more rounds than any test needs.
        for _ in 0..10_000 {
            if !(self.carry_one() | self.carry_two()) {
                return;
            }
        }
        panic!("both sides go on for ever");
    }

    fn carry_one(&mut self) -> bool {
        carry(self.now, &mut self.one, &mut self.two)
    }

    fn carry_two(&mut self) -> bool {
        carry(self.now, &mut self.two, &mut self.one)
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.one.handle_timeout(self.now);
        self.two.handle_timeout(self.now);
    }
}

fn carry(now: Time, from: &mut Session, to: &mut Session) -> bool {
    let Some(frame) = from.poll_data(now) else {
        return false;
    };
    to.handle_data(now, decode(frame)).unwrap();
    true
}

fn decode(frame: Vec<u8>) -> Data {
    decode_by(Codec::Bincode, frame)
}

fn decode_by(codec: Codec, frame: Vec<u8>) -> Data {
    match wire::decode(codec, &frame.into(), &Limits::default().wire()).unwrap() {
        Frame::Data(data) => data,
        _ => panic!("a session cuts data frames only"),
    }
}

/// The payloads of the events that have come in. Their handlers finish at once.
fn heard(session: &mut Session) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(event) = session.poll_event() {
        if let Event::Event(arrival) = event {
            session.finished();
            heard.push(String::from_utf8(arrival.payload.to_vec()).unwrap());
        }
    }
    heard
}

/// The calls that have come in, with their payloads.
fn asked(session: &mut Session) -> Vec<(IncomingCall, String)> {
    std::iter::from_fn(|| session.poll_event())
        .filter_map(|event| match event {
            Event::Call { call, arrival, .. } => {
                Some((call, String::from_utf8(arrival.payload.to_vec()).unwrap()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn events_come_in_order_and_in_one_frame() {
    let mut wire = Wire::new();
    wire.run();
    for text in ["a", "b", "c"] {
        wire.one.send(wire.now, say(text)).unwrap();
    }
    assert!(wire.carry_one());
    assert!(!wire.carry_one());
    assert_eq!(heard(&mut wire.two), ["a", "b", "c"]);
}

#[test]
fn what_was_cut_into_a_lost_frame_comes_again_once() {
    let mut wire = Wire::new();
    wire.run();
    wire.one.send(wire.now, say("a")).unwrap();
    assert!(wire.carry_one());
    wire.one.send(wire.now, say("b")).unwrap();
    let lost = wire.one.poll_data(wire.now);
    assert!(lost.is_some());
    wire.cut();
    wire.one.send(wire.now, say("c")).unwrap();
    wire.connect();
    wire.run();
    assert_eq!(heard(&mut wire.two), ["a", "b", "c"]);
}

#[test]
fn a_repeated_frame_repeats_nothing_and_is_acknowledged_at_once() {
    let mut wire = Wire::new();
    wire.run();
    wire.one.send(wire.now, say("a")).unwrap();
    let frame = decode(wire.one.poll_data(wire.now).unwrap());
    wire.two.handle_data(wire.now, frame.clone()).unwrap();
    wire.pass(Duration::from_millis(20));
    wire.two.poll_data(wire.now).unwrap();
    wire.two.handle_data(wire.now, frame).unwrap();
    assert_eq!(heard(&mut wire.two), ["a"]);
    assert_eq!(
        decode(wire.two.poll_data(wire.now).unwrap())
            .acknowledge
            .unwrap()
            .received,
        1
    );
}

#[test]
fn an_acknowledgement_waits_for_something_to_ride_on_but_not_for_long() {
    let mut wire = Wire::new();
    wire.run();
    wire.one.send(wire.now, say("a")).unwrap();
    wire.carry_one();
    assert!(wire.two.poll_data(wire.now).is_none());
    assert_eq!(
        wire.two.poll_timeout(),
        Some(wire.now + Duration::from_millis(20))
    );
    wire.pass(Duration::from_millis(20));
    assert!(wire.carry_two());
    assert_eq!(wire.one.queued(), 0);
}

#[test]
fn a_call_is_answered() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire
        .one
        .call(wire.now, ask("name?"), wire.now + Duration::from_secs(5))
        .unwrap();
    wire.run();
    let [(call_there, question)] = &asked(&mut wire.two)[..] else {
        panic!("one call was made")
    };
    assert_eq!(question, "name?");
    wire.two.reply(
        wire.now,
        *call_there,
        Outcome::Reply(Bytes::from_static(b"two")),
    );
    wire.run();
    assert!(matches!(wire.one.poll_event(), Some(Event::Completed(done)) if done == call));
    assert_eq!(
        wire.one.take_result(call),
        Some(Ok(Bytes::from_static(b"two")))
    );
    assert_eq!(wire.one.calls_in_flight(), 0);
}

#[test]
fn a_call_in_flight_survives_a_cut_and_runs_once() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire
        .one
        .call(wire.now, ask("once"), wire.now + Duration::from_secs(5))
        .unwrap();
    wire.run();
    let calls = asked(&mut wire.two);
    wire.cut();
    wire.two
        .reply(wire.now, calls[0].0, Outcome::Reply(Bytes::new()));
    wire.connect();
    wire.run();
    assert_eq!(asked(&mut wire.two), []);
    assert_eq!(wire.one.take_result(call), Some(Ok(Bytes::new())));
}

#[test]
fn a_reply_that_a_carrier_has_lost_comes_again() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire
        .one
        .call(wire.now, ask("q"), wire.now + Duration::from_secs(5))
        .unwrap();
    wire.run();
    let calls = asked(&mut wire.two);
    wire.two
        .reply(wire.now, calls[0].0, Outcome::Reply(Bytes::new()));
    wire.two.poll_data(wire.now).expect("the reply goes out");
    wire.cut();
    wire.connect();
    wire.run();
    assert_eq!(wire.one.take_result(call), Some(Ok(Bytes::new())));
}

#[test]
fn the_callee_gets_the_remaining_time_anew_after_a_cut() {
    let mut wire = Wire::new();
    wire.run();
    wire.one
        .call(wire.now, ask("q"), wire.now + Duration::from_secs(5))
        .unwrap();
    wire.one.poll_data(wire.now).unwrap();
    wire.cut();
    wire.pass(Duration::from_secs(3));
    wire.connect();
    let frame = decode(wire.one.poll_data(wire.now).unwrap());
    assert!(
        matches!(&frame.items[..], [Item::Call { remaining, .. }] if *remaining == Duration::from_secs(2))
    );
}

#[test]
fn a_call_that_never_left_certainly_did_not_run() {
    let mut wire = Wire::new();
    wire.run();
    wire.cut();
    let call = wire
        .one
        .call(wire.now, ask("q"), wire.now + Duration::from_secs(1))
        .unwrap();
    wire.pass(Duration::from_secs(1));
    assert_eq!(
        wire.one.take_result(call),
        Some(Err(CallFailure::TimedOut {
            maybe_executed: false
        }))
    );
    wire.connect();
    wire.run();
    assert_eq!(asked(&mut wire.two), []);
}

#[test]
fn a_call_that_left_may_have_run_when_its_deadline_passes_on_both_sides() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire
        .one
        .call(wire.now, ask("q"), wire.now + Duration::from_secs(1))
        .unwrap();
    wire.run();
    let calls = asked(&mut wire.two);
    wire.pass(Duration::from_secs(1));
    assert_eq!(
        wire.one.take_result(call),
        Some(Err(CallFailure::TimedOut {
            maybe_executed: true
        }))
    );
    assert!(matches!(wire.two.poll_event(), Some(Event::Cancelled { call }) if call == calls[0].0));
    assert_eq!(wire.two.handlers_running(), 0);
    // The handler's late answer is nobody's.
    wire.two
        .reply(wire.now, calls[0].0, Outcome::Reply(Bytes::new()));
    wire.run();
}

#[test]
fn a_cancelled_call_stops_its_handler() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire
        .one
        .call(wire.now, ask("q"), wire.now + Duration::from_secs(9))
        .unwrap();
    wire.run();
    let calls = asked(&mut wire.two);
    wire.one.cancel(wire.now, call);
    wire.run();
    assert!(matches!(wire.two.poll_event(), Some(Event::Cancelled { call }) if call == calls[0].0));
}

#[test]
fn a_call_cancelled_before_it_was_cut_is_never_sent() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire
        .one
        .call(wire.now, ask("q"), wire.now + Duration::from_secs(9))
        .unwrap();
    wire.one.cancel(wire.now, call);
    wire.run();
    assert_eq!(asked(&mut wire.two), []);
    assert_eq!(wire.one.queued(), 0);
}

#[test]
fn only_the_newest_of_a_latest_key_is_sent_and_it_goes_last() {
    let mut wire = Wire::new();
    wire.run();
    wire.one.send(wire.now, latest("k", "old")).unwrap();
    wire.one.send(wire.now, say("between")).unwrap();
    wire.one.send(wire.now, latest("other", "kept")).unwrap();
    wire.one.send(wire.now, latest("k", "new")).unwrap();
    wire.run();
    assert_eq!(heard(&mut wire.two), ["between", "kept", "new"]);
}

#[test]
fn a_latest_that_is_overwritten_for_ever_takes_no_more_room() {
    let mut wire = Wire::new();
    wire.run();
    wire.cut();
    for number in 0..100_000 {
        wire.one
            .send(wire.now, latest("k", &number.to_string()))
            .unwrap();
        assert_eq!(wire.one.queued(), 1);
    }
    wire.connect();
    wire.run();
    assert_eq!(heard(&mut wire.two), ["99999"]);
}

#[test]
fn a_latest_that_was_superseded_after_a_lost_frame_is_skipped() {
    let mut wire = Wire::new();
    wire.run();
    wire.one.send(wire.now, latest("k", "old")).unwrap();
    wire.one.poll_data(wire.now).unwrap();
    wire.cut();
    wire.one.send(wire.now, latest("k", "new")).unwrap();
    wire.connect();
    wire.run();
    assert_eq!(heard(&mut wire.two), ["new"]);
    wire.pass(Duration::from_millis(20));
    wire.run();
    assert_eq!(wire.one.queued(), 0);
}

#[test]
fn a_volatile_goes_only_while_a_carrier_is_up() {
    let mut wire = Wire::new();
    wire.run();
    let volatile = |text| Outgoing {
        delivery: Delivery::Volatile,
        ..say(text)
    };
    wire.one.send(wire.now, volatile("a")).unwrap();
    wire.run();
    wire.one
        .send(wire.now, volatile("lost on the way"))
        .unwrap();
    wire.one.poll_data(wire.now).unwrap();
    wire.cut();
    wire.one.send(wire.now, volatile("dropped")).unwrap();
    wire.connect();
    wire.run();
    wire.one.send(wire.now, volatile("b")).unwrap();
    wire.run();
    assert_eq!(heard(&mut wire.two), ["a", "b"]);
    assert_eq!(wire.one.counts().dropped_volatile, 1);
}

#[test]
fn no_more_handlers_start_than_the_credit_allows_and_replies_need_none() {
    let mut wire = Wire::with(Limits {
        handlers: 2,
        ..Limits::default()
    });
    wire.run();
    for text in ["1", "2", "3"] {
        wire.one
            .call(wire.now, ask(text), wire.now + Duration::from_secs(9))
            .unwrap();
    }
    let back = wire
        .two
        .call(wire.now, ask("back"), wire.now + Duration::from_secs(9))
        .unwrap();
    wire.run();
    let calls = asked(&mut wire.two);
    assert_eq!(calls.len(), 2);
    let asked_back = asked(&mut wire.one);
    wire.one
        .reply(wire.now, asked_back[0].0, Outcome::Reply(Bytes::new()));
    wire.run();
    assert!(wire.two.take_result(back).is_some());
    wire.two
        .reply(wire.now, calls[0].0, Outcome::Reply(Bytes::new()));
    wire.run();
    assert_eq!(asked(&mut wire.two).len(), 1);
}

#[test]
fn more_than_the_credit_is_a_violation() {
    let mut two = session(Limits {
        handlers: 2,
        ..Limits::default()
    });
    let now = Time::default();
    let _ = two.acknowledge(now);
    let items = vec![
        Item::Event {
            event: SAY,
            payload: Bytes::new()
        };
        3
    ];
    let data = Data {
        first: 1,
        items,
        ..Data::default()
    };
    assert_eq!(two.handle_data(now, data), Err(CloseReason::CreditExceeded));
}

#[test]
fn credit_is_withheld_above_the_rate_and_given_later() {
    let limits = Limits {
        handlers: 4,
        rate: 4,
        ..Limits::default()
    };
    let mut wire = Wire::with(limits);
    wire.run();
    for number in 0..12 {
        wire.one.send(wire.now, say(&number.to_string())).unwrap();
    }
    let mut seconds = 0;
    let mut heard_in_all = Vec::new();
    while heard_in_all.len() < 12 {
        wire.run();
        let heard = heard(&mut wire.two);
        heard_in_all.extend(heard);
        let due = wire.two.poll_timeout().expect("more credit is due");
        let step = (due - wire.now).max(Duration::from_millis(1));
        wire.pass(step);
        seconds += 1;
        assert!(seconds < 100, "credit must come back");
    }
    assert!(
        wire.now - Time::default() >= Duration::from_millis(1_900),
        "{:?}",
        wire.now
    );
}

#[test]
fn a_gap_an_early_acknowledgement_and_a_reply_to_no_call_are_violations() {
    let now = Time::default();
    let with = |data| {
        let mut two = session(Limits::default());
        let _ = two.acknowledge(now);
        two.handle_data(now, data)
    };
    let say = Item::Event {
        event: SAY,
        payload: Bytes::new(),
    };
    assert_eq!(
        with(Data {
            first: 2,
            items: vec![say],
            ..Data::default()
        }),
        Err(CloseReason::Gap)
    );
    let acknowledge = Some(Acknowledge {
        received: 1,
        credit: 9,
    });
    assert_eq!(
        with(Data {
            acknowledge,
            ..Data::default()
        }),
        Err(CloseReason::AcknowledgedUnsent)
    );
    let reply = Item::Reply {
        call: 1,
        outcome: Outcome::Reply(Bytes::new()),
    };
    assert_eq!(
        with(Data {
            first: 1,
            items: vec![reply],
            ..Data::default()
        }),
        Err(CloseReason::UnknownCall)
    );
}

#[test]
fn skipped_numbers_count_against_the_credit() {
    let mut two = session(Limits {
        handlers: 2,
        ..Limits::default()
    });
    let now = Time::default();
    let _ = two.acknowledge(now);
    let flood = Data {
        first: 1,
        items: vec![Item::Skip {
            count: u64::MAX - 1,
        }],
        ..Data::default()
    };
    assert_eq!(
        two.handle_data(now, flood),
        Err(CloseReason::CreditExceeded)
    );
}

#[test]
fn no_frame_is_larger_than_every_side_takes_whatever_is_asked_for() {
    let limits = Limits {
        frame_size: 1024 * 1024,
        outbox_events: 100_000,
        handlers: 50_000,
        ..Limits::default()
    };
    for codec in [Codec::Bincode, Codec::Json] {
        // One makes calls, whose heads are long in text where their numbers are; two answers them.
        let (mut one, mut two) = (
            session_by(limits.clone(), codec),
            session_by(limits.clone(), codec),
        );
        let mut wire = [Vec::new(), Vec::new()];
        let now = Time::default();
        let (of_one, of_two) = (one.acknowledge(now), two.acknowledge(now));
        one.attach(of_two).unwrap();
        two.attach(of_one).unwrap();
        for _ in 0..20_000 {
            let question = codec.encode("x").unwrap();
            let question = Outgoing {
                payload: question,
                ..ask("")
            };
            one.call(now, question, now + Duration::from_secs(60))
                .unwrap();
        }
        for _ in 0..20 {
            while let Some(frame) = one.poll_data(now) {
                wire[0].push(frame.len());
                two.handle_data(now, decode_by(codec, frame)).unwrap();
            }
            while let Some(event) = two.poll_event() {
                let Event::Call { call, .. } = event else {
                    continue;
                };
                two.reply(now, call, Outcome::Failed(Failure::Unsupported));
            }
            while let Some(frame) = two.poll_data(now) {
                wire[1].push(frame.len());
                one.handle_data(now, decode_by(codec, frame)).unwrap();
            }
        }
        for sizes in wire {
            assert!(
                sizes.iter().any(|size| *size > wire::MAX_FRAME / 2),
                "{sizes:?}"
            );
            assert!(
                sizes.iter().all(|size| *size <= wire::MAX_FRAME),
                "{sizes:?}"
            );
        }
    }
}

#[test]
fn an_unknown_call_is_answered_and_an_unknown_event_counted() {
    let mut wire = Wire::new();
    wire.run();
    let items = vec![
        Item::Event {
            event: 77,
            payload: Bytes::new(),
        },
        Item::Call {
            event: 78,
            remaining: Duration::from_secs(1),
            payload: Bytes::new(),
        },
    ];
    wire.two
        .handle_data(
            wire.now,
            Data {
                first: 1,
                items,
                ..Data::default()
            },
        )
        .unwrap();
    assert_eq!(wire.two.counts().skewed_in, 2);
    assert_eq!(wire.two.handlers_running(), 0);
    let reply = decode(wire.two.poll_data(wire.now).unwrap());
    assert!(matches!(
        reply.items[..],
        [Item::Reply {
            call: 2,
            outcome: Outcome::Failed(_)
        }]
    ));
}

#[test]
fn an_end_fails_calls_at_once_and_gives_back_what_was_not_confirmed() {
    let mut wire = Wire::new();
    wire.run();
    wire.one.send(wire.now, say("confirmed")).unwrap();
    wire.run();
    wire.pass(Duration::from_millis(20));
    wire.run();
    wire.one.send(wire.now, say("on its way")).unwrap();
    let sent = wire
        .one
        .call(wire.now, ask("sent"), wire.now + Duration::from_secs(9))
        .unwrap();
    wire.one.poll_data(wire.now).unwrap();
    wire.cut();
    wire.one.send(wire.now, say("waiting")).unwrap();
    let unsent = wire
        .one
        .call(wire.now, ask("unsent"), wire.now + Duration::from_secs(9))
        .unwrap();
    let unconfirmed = wire.one.restart();
    let back: Vec<_> = unconfirmed
        .events
        .iter()
        .map(|event| {
            (
                std::str::from_utf8(&event.payload).unwrap(),
                event.maybe_received,
            )
        })
        .collect();
    assert_eq!(back, [("on its way", true), ("waiting", false)]);
    let failed = |wire: &mut Wire, call: CallId| wire.one.take_result(call);
    assert_eq!(
        failed(&mut wire, sent),
        Some(Err(CallFailure::Disconnected {
            maybe_executed: true
        }))
    );
    assert_eq!(
        failed(&mut wire, unsent),
        Some(Err(CallFailure::Disconnected {
            maybe_executed: false
        }))
    );
}

#[test]
fn a_large_event_goes_alone_and_one_too_large_not_at_all() {
    let mut wire = Wire::new();
    wire.run();
    let large = "x".repeat(100 * 1024);
    wire.one.send(wire.now, say("small")).unwrap();
    wire.one.send(wire.now, say(&large)).unwrap();
    wire.one.send(wire.now, say("after")).unwrap();
    let sizes: Vec<_> = std::iter::from_fn(|| wire.one.poll_data(wire.now))
        .map(|frame| frame.len())
        .collect();
    assert_eq!(sizes.len(), 3);
    let too_large = "x".repeat(256 * 1024 + 1);
    assert!(matches!(
        wire.one.send(wire.now, say(&too_large)),
        Err(Refusal::TooLarge { .. })
    ));
}

#[test]
fn acknowledgements_go_out_during_a_long_read() {
    let mut wire = Wire::new();
    wire.run();
    for number in 0..200 {
        wire.one.send(wire.now, say(&number.to_string())).unwrap();
    }
    wire.carry_one();
    assert_eq!(heard(&mut wire.two).len(), 200);
    assert!(
        decode(wire.two.poll_data(wire.now).unwrap())
            .acknowledge
            .unwrap()
            .received
            == 200
    );
}

#[test]
fn a_delay_gathers_more_into_a_frame() {
    let mut wire = Wire::with(Limits {
        max_delay: Some(Duration::from_millis(5)),
        ..Limits::default()
    });
    wire.run();
    wire.one.send(wire.now, say("a")).unwrap();
    assert!(wire.one.poll_data(wire.now).is_none());
    assert_eq!(
        wire.one.poll_timeout(),
        Some(wire.now + Duration::from_millis(5))
    );
    wire.one.send(wire.now, say("b")).unwrap();
    wire.pass(Duration::from_millis(5));
    assert!(wire.carry_one());
    assert_eq!(heard(&mut wire.two), ["a", "b"]);
}

const fn way(reply: Option<Reply>) -> Way {
    match reply {
        Some(_) => Way::Call,
        None => Way::Event,
    }
}
