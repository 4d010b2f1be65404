//! What becomes of calls whose callers, or whose sessions, are gone.

use super::*;

const SOON: Duration = Duration::from_secs(9);

#[test]
fn a_call_cut_in_the_moment_of_its_deadline_certainly_did_not_run() {
    let mut wire = Wire::new();
    wire.run();
    wire.cut();
    let deadline = wire.now + Duration::from_secs(1);
    let call = wire.one.call(wire.now, ask("q"), deadline).unwrap();
    // The carrier comes back in the very moment in which the timer is due.
    wire.now = deadline;
    wire.connect();
    wire.run();
    wire.pass(Duration::ZERO);
    assert_eq!(asked(&mut wire.two), []);
    let maybe_executed = false;
    assert_eq!(
        wire.one.take_result(call),
        Some(Err(CallFailure::TimedOut { maybe_executed }))
    );
}

#[test]
fn a_call_released_before_it_was_cut_goes_as_an_event() {
    let mut wire = Wire::new();
    wire.run();
    wire.cut();
    let call = wire.one.call(wire.now, ask("q"), wire.now + SOON).unwrap();
    assert_eq!(wire.one.release(wire.now, call), Ok(()));
    assert_eq!(wire.one.calls_in_flight(), 0);
    // Nothing has a deadline any more.
    wire.pass(2 * SOON);
    wire.connect();
    wire.run();
    assert_eq!(heard(&mut wire.two), ["q"]);
}

#[test]
fn a_call_released_after_it_was_cut_runs_on_and_its_reply_is_heard_by_nobody() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire.one.call(wire.now, ask("q"), wire.now + SOON).unwrap();
    wire.run();
    assert_eq!(wire.one.release(wire.now, call), Ok(()));
    // Another takes its place.
    let other = wire
        .one
        .call(wire.now, ask("other"), wire.now + SOON)
        .unwrap();
    wire.run();
    let calls = asked(&mut wire.two);
    assert_eq!(calls.len(), 2);
    assert!(wire.two.is_running(calls[0].0));
    let reply = |text| Outcome::Reply(Bytes::from_static(text));
    wire.two.reply(wire.now, calls[0].0, reply(b"to nobody"));
    wire.two.reply(wire.now, calls[1].0, reply(b"to the other"));
    wire.run();
    assert_eq!(
        wire.one.take_result(other),
        Some(Ok(Bytes::from_static(b"to the other")))
    );
}

#[test]
fn a_released_call_whose_frame_was_lost_goes_again() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire.one.call(wire.now, ask("q"), wire.now + SOON).unwrap();
    wire.one.poll_data(wire.now).unwrap();
    assert_eq!(wire.one.release(wire.now, call), Ok(()));
    wire.cut();
    wire.pass(2 * SOON);
    wire.connect();
    wire.run();
    assert_eq!(heard(&mut wire.two), ["q"]);
}

#[test]
fn a_released_call_that_is_not_confirmed_comes_back_as_an_event() {
    let mut wire = Wire::new();
    wire.run();
    wire.cut();
    let call = wire.one.call(wire.now, ask("q"), wire.now + SOON).unwrap();
    assert_eq!(wire.one.release(wire.now, call), Ok(()));
    let unconfirmed = wire.one.restart();
    assert_eq!(unconfirmed.events.len(), 1);
    assert_eq!(unconfirmed.events[0].event, ASK);
}

#[test]
fn a_call_released_while_it_waits_for_room_is_not_sent() {
    let mut wire = Wire::with(Limits {
        outbox_events: 1,
        ..Limits::default()
    });
    wire.run();
    wire.cut();
    wire.one.send(wire.now, say("a")).unwrap();
    let call = wire.one.call(wire.now, ask("q"), wire.now + SOON).unwrap();
    assert_eq!(wire.one.release(wire.now, call), Err(Refusal::Full));
    wire.connect();
    wire.run();
    assert_eq!(heard(&mut wire.two), ["a"]);
}

/// A handler may come to its end in the moment in which the session does, and a fresh session gives
/// the number of its call to another.
#[test]
fn a_reply_to_a_call_of_the_last_session_does_not_answer_one_of_the_next() {
    let mut wire = Wire::new();
    wire.run();
    let ask_once = |wire: &mut Wire| {
        let call = wire.one.call(wire.now, ask("q"), wire.now + SOON).unwrap();
        wire.run();
        (call, asked(&mut wire.two)[0].0)
    };
    let (_, before) = ask_once(&mut wire);
    for session in [&mut wire.one, &mut wire.two] {
        let _ = session.restart();
        let offers = session.contract().offers();
        let mapping =
            Mapping::of_server(session.contract(), &offers, &[], session.codec()).unwrap();
        let _ = session.map(Arc::new(mapping));
    }
    wire.connect();
    wire.run();
    while wire.two.poll_event().is_some() {}
    let (call, now) = ask_once(&mut wire);
    assert!(!wire.two.is_running(before) && wire.two.is_running(now));
    wire.two.reply(
        wire.now,
        before,
        Outcome::Reply(Bytes::from_static(b"late")),
    );
    wire.run();
    assert_eq!(wire.one.take_result(call), None);
    wire.two
        .reply(wire.now, now, Outcome::Reply(Bytes::from_static(b"right")));
    wire.run();
    assert_eq!(
        wire.one.take_result(call),
        Some(Ok(Bytes::from_static(b"right")))
    );
}

fn reply_to(number: u64) -> Data {
    Data {
        first: 1,
        items: vec![Item::Reply {
            call: number,
            outcome: Outcome::Reply(Bytes::new()),
        }],
        ..Data::default()
    }
}

#[test]
fn a_reply_to_what_was_an_event_is_passed_over() {
    let mut wire = Wire::new();
    wire.run();
    wire.one.send(wire.now, say("hi")).unwrap();
    wire.run();
    assert_eq!(wire.one.handle_data(wire.now, reply_to(1)), Ok(()));
    assert!(wire.one.poll_event().is_none());
}

#[test]
fn a_reply_to_a_call_that_has_ended_is_passed_over() {
    let mut wire = Wire::new();
    wire.run();
    let call = wire.one.call(wire.now, ask("q"), wire.now + SOON).unwrap();
    wire.run();
    wire.pass(SOON);
    assert!(wire.one.take_result(call).is_some());
    while wire.one.poll_event().is_some() {}
    assert_eq!(wire.one.handle_data(wire.now, reply_to(1)), Ok(()));
    assert!(wire.one.poll_event().is_none());
}
