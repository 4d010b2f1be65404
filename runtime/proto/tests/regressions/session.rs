//! The session.

use std::sync::Arc;

use bytes::Bytes;
use sente_proto::Limits;
use sente_proto::session::{CallFailure, Delivery, Event, Outgoing, Refusal, Session};

use super::{ASK, SAY, at, connect, data, event, session};

fn full(limits: Limits) -> Session {
    let mut session = session(limits);
    while session.send(at(0), event(SAY)).is_ok() {}
    session
}

fn rooms(session: &mut Session) -> usize {
    std::iter::from_fn(|| session.poll_event())
        .filter(|event| matches!(event, Event::Room))
        .count()
}

/// Profile calm, seed 2: room was told of after an acknowledgement only.
#[test]
fn a_call_is_told_of_the_room_that_an_expired_one_leaves() {
    let mut session = session(Limits {
        outbox_events: 1,
        ..Limits::default()
    });
    session.call(at(0), event(ASK), at(100)).unwrap();
    assert_eq!(session.call(at(0), event(ASK), at(200)), Err(Refusal::Full));
    let waits = session.wait_for_room(at(200));
    session.handle_timeout(at(100));
    assert_eq!(rooms(&mut session), 1);
    session.call_with_room(at(100), event(ASK), waits).unwrap();
}

/// Profile crowded: of two calls that waited, one took the room and the other was never told again.
#[test]
fn a_call_that_finds_the_room_taken_is_told_of_the_next() {
    let limits = Limits {
        outbox_events: 1,
        ..Limits::default()
    };
    let (mut one, mut two) = (full(limits.clone()), session(limits));
    connect(at(0), &mut one, &mut two);
    let (first, second) = (one.wait_for_room(at(900)), one.wait_for_room(at(900)));
    for call in [first, second] {
        while let Some(data) = data(at(0), &mut one) {
            two.handle_data(at(0), data).unwrap();
        }
        let acknowledge = two.acknowledge(at(0));
        one.handle_data(
            at(0),
            sente_proto::frame::Data {
                acknowledge: Some(acknowledge),
                ..Default::default()
            },
        )
        .unwrap();
        assert_eq!(rooms(&mut one), 1);
        one.call_with_room(at(0), event(ASK), call).unwrap();
        if call == first {
            assert_eq!(
                one.call_with_room(at(0), event(ASK), second),
                Err(Refusal::Full)
            );
        }
    }
}

/// Profile calm, seed 7: the handlers of the last session ran on, and the fresh one let the other
/// side start as many again.
#[test]
fn handlers_of_the_last_session_count_in_the_fresh_one() {
    let limits = Limits {
        handlers: 4,
        ..Limits::default()
    };
    let (mut one, mut two) = (session(limits.clone()), session(limits));
    connect(at(0), &mut one, &mut two);
    for _ in 0..3 {
        one.send(at(0), event(SAY)).unwrap();
    }
    two.handle_data(at(0), data(at(0), &mut one).unwrap())
        .unwrap();
    assert_eq!(two.handlers_running(), 3);
    let _ = two.restart();
    assert_eq!(two.handlers_running(), 3);
    assert_eq!(two.acknowledge(at(0)).credit, 1);
    for _ in 0..3 {
        two.finished();
    }
    assert_eq!(two.handlers_running(), 0);
    assert_eq!(two.acknowledge(at(0)).credit, 4);
}

/// A caller without credit waited for the next ping when its calls had expired at the callee.
#[test]
fn credit_of_expired_handlers_is_given_at_once() {
    let limits = Limits {
        handlers: 1,
        ..Limits::default()
    };
    let (mut one, mut two) = (session(limits.clone()), session(limits));
    connect(at(0), &mut one, &mut two);
    one.call(at(0), event(ASK), at(100)).unwrap();
    two.handle_data(at(0), data(at(0), &mut one).unwrap())
        .unwrap();
    while data(at(50), &mut two).is_some() {}
    two.handle_timeout(at(100));
    assert_eq!(
        two.poll_timeout().map(|due| due <= at(100)),
        Some(true),
        "the driver is told to ask"
    );
    let told = data(at(100), &mut two).and_then(|data| data.acknowledge);
    assert_eq!(told.map(|acknowledge| acknowledge.credit), Some(2));
}

/// Profile calm, seed 14: the server ended the session for what its client had accepted before it
/// knew better.
#[test]
fn what_turns_out_to_be_too_large_is_not_sent() {
    let large = |number| Outgoing {
        payload: Bytes::from(vec![0; 101]),
        ..event(number)
    };
    let (mut one, mut two) = (session(Limits::default()), session(Limits::default()));
    one.send(at(0), large(SAY)).unwrap();
    let call = one.call(at(0), large(ASK), at(100)).unwrap();
    one.send(at(0), event(SAY)).unwrap();
    one.set_limits(Arc::new(Limits {
        max_message: 100,
        ..Limits::default()
    }));
    connect(at(0), &mut one, &mut two);
    assert_eq!(data(at(0), &mut one).unwrap().items.len(), 1);
    assert_eq!(one.take_result(call), Some(Err(CallFailure::TooLarge)));
    assert_eq!(one.counts().too_large, 2);
}

/// Profile poll-only, seed 22: an event that waited for a poll went by the carrier after that one.
#[test]
fn a_volatile_event_does_not_outlive_the_carrier_that_it_waits_for() {
    let (mut one, mut two) = (session(Limits::default()), session(Limits::default()));
    connect(at(0), &mut one, &mut two);
    let volatile = Outgoing {
        delivery: Delivery::Volatile,
        ..event(SAY)
    };
    one.send(at(0), volatile).unwrap();
    connect(at(900), &mut one, &mut two);
    let items = std::iter::from_fn(|| data(at(900), &mut one)).map(|data| data.items.len());
    assert_eq!(items.sum::<usize>(), 0);
    assert_eq!(one.counts().dropped_volatile, 1);
}
