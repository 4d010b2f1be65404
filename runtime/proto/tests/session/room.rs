//! Outboxes that are full: what is refused, what waits, and what comes back.

use std::str::from_utf8;

use super::*;

const SOON: Duration = Duration::from_secs(9);

/// Two ends without a carrier, and the outbox of the first has room for two.
fn full() -> Wire {
    let mut wire = Wire::with(Limits {
        outbox_events: 2,
        ..Limits::default()
    });
    wire.run();
    wire.cut();
    wire.one.send(wire.now, say("a")).unwrap();
    wire.one.send(wire.now, say("b")).unwrap();
    wire
}

impl Wire {
    fn ask(&mut self, question: &str, within: Duration) -> CallId {
        let deadline = self.now + within;
        self.one.call(self.now, ask(question), deadline).unwrap()
    }

    /// The carrier is back, and everything is acknowledged and heard. Returns what came.
    fn settle(&mut self) -> Vec<String> {
        self.connect();
        let mut came = Vec::new();
        for _ in 0..8 {
            self.run();
            self.pass(Duration::from_millis(20));
            self.run();
            while self.one.poll_event().is_some() {}
            while let Some(event) = self.two.poll_event() {
                let (Event::Event(arrival) | Event::Call { arrival, .. }) = event else {
                    continue;
                };
                came.push(from_utf8(&arrival.payload).unwrap().to_owned());
            }
        }
        came
    }
}

#[test]
fn a_full_outbox_refuses_events_and_lets_calls_wait_in_their_turn() {
    let mut wire = full();
    assert_eq!(wire.one.send(wire.now, say("c")), Err(Refusal::Full));
    wire.ask("one", SOON);
    wire.ask("two", SOON);
    assert_eq!(wire.one.queued(), 4);
    assert_eq!(wire.one.queued_bytes(), 2, "they are not in the outbox");
    assert_eq!(wire.settle(), ["a", "b", "one", "two"]);
}

#[test]
fn no_more_calls_wait_for_room_than_there_would_be_room_for() {
    let mut wire = full();
    wire.ask("one", SOON);
    let two = wire.ask("two", SOON);
    let deadline = wire.now + SOON;
    let third = wire.one.call(wire.now, ask("three"), deadline);
    assert_eq!(third, Err(Refusal::Full));
    assert_eq!(wire.one.counts().refused_full, 1);
    // By bytes, too: the last one that waits may go beyond.
    wire.one.cancel(wire.now, two);
    let mut wire = Wire::with(Limits {
        outbox_bytes: 100,
        ..Limits::default()
    });
    wire.run();
    wire.cut();
    wire.one.send(wire.now, say(&"a".repeat(100))).unwrap();
    let before = wire.one.queued_memory();
    wire.ask(&"b".repeat(100), SOON);
    assert!(wire.one.queued_memory() >= before + 100);
    let third = wire.one.call(wire.now, ask("c"), deadline);
    assert_eq!(third, Err(Refusal::Full));
}

/// An event of any class keeps its place behind them.
#[test]
fn a_volatile_event_does_not_overtake_a_call_that_waits_for_room() {
    let mut wire = full();
    wire.ask("one", SOON);
    wire.connect();
    wire.run();
    wire.pass(Duration::from_millis(20));
    let volatile = Outgoing {
        delivery: Delivery::Volatile,
        ..say("v")
    };
    assert_eq!(wire.one.send(wire.now, volatile), Ok(()));
    assert_eq!(wire.one.counts().dropped_volatile, 1);
}

/// Calls that wait would else have to see events pass by for ever.
#[test]
fn an_event_does_not_overtake_a_call_that_waits_for_room() {
    let mut wire = full();
    let call = wire.ask("one", SOON);
    wire.connect();
    wire.run();
    wire.pass(Duration::from_millis(20));
    wire.run();
    assert_eq!(wire.one.queued(), 1, "all else is acknowledged");
    assert_eq!(wire.one.send(wire.now, say("c")), Err(Refusal::Full));
    assert!(wire.one.poll_event().is_none());
    assert_eq!(wire.one.send(wire.now, say("c")), Ok(()));
    wire.one.cancel(wire.now, call);
    assert_eq!(wire.settle(), ["a", "b", "c"]);
}

#[test]
fn a_call_that_finds_no_room_by_its_deadline_fails_and_leaves_its_turn() {
    let mut wire = full();
    let short = wire.ask("one", Duration::from_secs(1));
    wire.ask("two", SOON);
    wire.pass(Duration::from_secs(1));
    assert_eq!(wire.one.take_result(short), Some(Err(CallFailure::Full)));
    assert_eq!(wire.settle(), ["a", "b", "two"]);
}

#[test]
fn a_call_that_expires_in_the_outbox_leaves_its_room_to_one_that_waits() {
    let mut wire = Wire::with(Limits {
        outbox_events: 1,
        ..Limits::default()
    });
    wire.run();
    wire.cut();
    wire.ask("expires", Duration::from_secs(1));
    wire.ask("waits", SOON);
    wire.pass(Duration::from_secs(1));
    assert_eq!(wire.settle(), ["waits"]);
}

#[test]
fn a_call_that_waits_for_room_and_is_cancelled_is_not_sent() {
    let mut wire = full();
    let call = wire.ask("one", SOON);
    wire.one.cancel(wire.now, call);
    assert_eq!(wire.settle(), ["a", "b"]);
}

#[test]
fn a_call_that_waits_for_room_is_told_at_once_that_it_is_too_large() {
    let mut wire = full();
    let call = wire.ask("what is this?", SOON);
    let limits = Arc::new(Limits {
        max_message: 4,
        ..Limits::default()
    });
    assert!(wire.one.set_limits(limits).is_empty());
    assert_eq!(wire.one.take_result(call), Some(Err(CallFailure::TooLarge)));
    assert_eq!(wire.one.counts().too_large, 1);
}

#[test]
fn a_session_that_ends_ends_the_calls_that_wait_for_room() {
    let mut wire = full();
    let call = wire.ask("one", SOON);
    let _ = wire.one.restart();
    let maybe_executed = false;
    assert_eq!(
        wire.one.take_result(call),
        Some(Err(CallFailure::Disconnected { maybe_executed }))
    );
    assert!(wire.one.send(wire.now, say("c")).is_ok());
}

#[test]
fn events_that_turn_out_too_large_come_back_and_volatile_ones_do_not() {
    let mut wire = Wire::new();
    wire.run();
    wire.one.send(wire.now, say("large")).unwrap();
    let volatile = Outgoing {
        delivery: Delivery::Volatile,
        ..say("volatile")
    };
    wire.one.send(wire.now, volatile).unwrap();
    wire.one.send(wire.now, latest("k", "newest")).unwrap();
    wire.one.send(wire.now, say("ok")).unwrap();
    let limits = Arc::new(Limits {
        max_message: 4,
        ..Limits::default()
    });
    let back = wire.one.set_limits(limits);
    let back: Vec<_> = back
        .iter()
        .map(|event| (from_utf8(&event.payload).unwrap(), event.refusal))
        .collect();
    let too_large = |size| Some(Refusal::TooLarge { size, limit: 4 });
    assert_eq!(back, [("large", too_large(5)), ("newest", too_large(6))]);
    assert_eq!(wire.one.counts().too_large, 3);
    wire.run();
    assert_eq!(heard(&mut wire.two), ["ok"]);
}

#[test]
fn events_that_the_other_side_turns_out_not_to_know_come_back() {
    let mut contract = Contract::default();
    contract.add(&NAMESPACE).unwrap();
    let contract = Arc::new(contract);
    let mut session = Session::new(Arc::default(), Arc::clone(&contract), Codec::Bincode);
    session.send(Time::default(), say("a")).unwrap();
    let answers = Contract::default().answers(&contract.offers());
    let back = session.map(Arc::new(Mapping::of_client(
        &contract,
        &answers,
        session.codec(),
    )));
    let refusals: Vec<_> = back.iter().map(|event| event.refusal).collect();
    assert_eq!(refusals, [Some(Refusal::Unsupported)]);
    assert_eq!(session.queued(), 0);
}

/// A client that calls and does not read what it is answered.
#[test]
fn replies_that_nobody_reads_have_as_much_room_again_as_all_else() {
    let mut wire = Wire::new();
    wire.run();
    for _ in 0..256 {
        wire.ask("q", SOON);
    }
    while wire.carry_one() {}
    wire.cut();
    let large = Bytes::from(vec![0; 256 * 1024]);
    for (call, _) in asked(&mut wire.two) {
        wire.two
            .reply(wire.now, call, Outcome::Reply(large.clone()));
    }
    let limits = Limits::default();
    let most = 2 * limits.outbox_bytes + limits.max_message;
    let waiting = wire.two.queued_bytes();
    assert!(waiting <= most, "{waiting} bytes wait, {most} may");
    assert_eq!(wire.two.queued(), 256, "each call is answered");
    assert_eq!(wire.two.counts().refused_replies, 256 - 8);
}

#[test]
fn a_reply_that_is_empty_needs_no_room() {
    let mut wire = Wire::with(Limits {
        outbox_bytes: 1,
        ..Limits::default()
    });
    wire.run();
    for _ in 0..3 {
        wire.ask("", SOON);
    }
    while wire.carry_one() {}
    for (call, _) in asked(&mut wire.two) {
        wire.two.reply(wire.now, call, Outcome::Reply(Bytes::new()));
    }
    assert_eq!(wire.two.counts().refused_replies, 0);
}

/// Profile unread, seed 1795672358463: both outboxes were full of events that waited for credit, and a side
/// with a full outbox gave none.
#[test]
fn two_sides_that_are_full_of_events_do_not_wait_for_each_other() {
    let mut wire = Wire::with(Limits {
        handlers: 2,
        outbox_events: 3,
        ..Limits::default()
    });
    wire.run();
    let mut sent = 0;
    let mut fill = |wire: &mut Wire| {
        for _ in 0..3 {
            sent += u32::from(wire.one.send(wire.now, say("up")).is_ok());
            sent += u32::from(wire.two.send(wire.now, say("down")).is_ok());
        }
    };
    fill(&mut wire);
    for _ in 0..4 {
        wire.run();
        wire.pass(Duration::from_millis(20));
    }
    // Handlers run for all that has come, and what is sent now waits for credit.
    fill(&mut wire);
    let mut came = 0;
    for _ in 0..20 {
        came += heard(&mut wire.one).len() + heard(&mut wire.two).len();
        wire.run();
        wire.pass(Duration::from_millis(20));
    }
    assert_eq!(came as u32, sent);
    assert_eq!(sent, 10);
}
