//! The session.

use std::sync::Arc;

use bytes::Bytes;
use sente_proto::Limits;
use sente_proto::session::{CallFailure, Delivery, Outgoing};

use super::{ASK, SAY, at, connect, data, event, session};

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
    let back = one.set_limits(Arc::new(Limits {
        max_message: 100,
        ..Limits::default()
    }));
    assert_eq!(back.len(), 1);
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
