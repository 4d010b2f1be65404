//! Polls and sends: which one is held, which one is answered with what waits.

use sente_proto::server::Place;

use super::*;

#[test]
fn a_newer_poll_overtakes_and_brings_again_what_was_not_acknowledged() {
    let mut served = Served::attached(Carrier::Poll);
    assert_eq!(served.request(0, 1, 1, true), Ok(Turn::Hold));
    let _ = served.frame(0, 1, acknowledging(0));
    served.send(b"one");
    assert_eq!(served.cut(0), ["one"]);
    // That answer was lost.
    assert_eq!(served.request(1, 1, 2, true), Ok(Turn::Hold));
    let _ = served.frame(1, 1, acknowledging(0));
    assert_eq!(served.seat.place(1, 1), Place::Over);
    assert_eq!(served.seat.place(1, 2), Place::First);
    served.send(b"two");
    assert_eq!(served.cut(1), ["one", "two"]);
    // A late one brings nothing, and neither does a repeated one.
    assert_eq!(served.request(2, 1, 1, true), Ok(Turn::Late));
    assert_eq!(served.request(2, 1, 2, true), Ok(Turn::Late));
    assert_eq!(served.request(3, 1, 3, true), Ok(Turn::Hold));
    let _ = served.frame(3, 1, acknowledging(2));
    assert!(served.cut(3).is_empty());
}

#[test]
fn a_repeated_send_repeats_nothing() {
    let mut served = Served::attached(Carrier::Poll);
    for (at, turn) in [(0, Turn::Send), (1, Turn::Late), (2, Turn::Late)] {
        assert_eq!(served.request(at, 1, 1, false), Ok(turn));
        assert_eq!(served.frame(at, 1, posting(1)), Ok(Heard::Nothing));
    }
    let events = std::iter::from_fn(|| served.session.poll_event()).count();
    assert_eq!(events, 1);
    assert_eq!(served.session.acknowledge(seconds(3)).received, 1);
}

#[test]
fn requests_of_no_poll_carrier_are_answered_and_change_nothing() {
    let mut served = Served::attached(Carrier::WebSocket);
    assert_eq!(
        reason(served.request(0, 2, 1, true)),
        Some((CloseReason::Unexpected, 0))
    );
    assert_eq!(
        reason(served.request(0, 1, 1, true)),
        Some((CloseReason::Unexpected, 0))
    );
    assert!(!served.seat.is_confirmed());

    let mut served = Served::attached(Carrier::Poll);
    assert_eq!(served.request(0, 1, 1, true), Ok(Turn::Hold));
    assert_eq!(served.timeout(30), Some(Due::Silent));
    assert_eq!(
        reason(served.request(31, 1, 2, true)),
        Some((CloseReason::Silent, 0))
    );
}

/// One that was welcomed, had to give way to another, and that other is gone.
#[test]
fn requests_of_a_poll_carrier_that_is_forgotten_say_that_it_is_to_greet_again() {
    let mut served = Served::attached(Carrier::WebSocket);
    for (epoch, carrier) in [(2, Carrier::Poll), (3, Carrier::WebSocket)] {
        served
            .attach(1, &hello(1, epoch), carrier)
            .expect("it is newer");
    }
    assert!(
        !served.seat.detach(&mut served.session, 3),
        "it never served"
    );
    assert_eq!(
        reason(served.request(1, 2, 1, true)),
        Some((CloseReason::Replaced, 1))
    );
    assert_eq!(
        reason(served.request(1, 4, 1, true)),
        Some((CloseReason::Unexpected, 0))
    );
}

#[test]
fn polls_count_anew_on_a_new_carrier() {
    let mut served = Served::attached(Carrier::Poll);
    assert_eq!(served.request(0, 1, 7, true), Ok(Turn::Hold));
    served
        .attach(1, &hello(1, 2), Carrier::Poll)
        .expect("it is newer");
    assert_eq!(served.request(1, 2, 1, true), Ok(Turn::Hold));
    assert_eq!(served.seat.place(1, 7), Place::Over);
}

#[test]
fn a_brief_poll_is_not_held_and_overtakes_as_others_do() {
    let mut served = Served::attached(Carrier::Poll);
    let limits = served.session.limits().clone();
    assert_eq!(served.request(0, 1, 1, true), Ok(Turn::Hold));
    assert_eq!(served.seat.hold(1, &limits), limits.poll_hold);
    let brief = Request {
        brief: true,
        ..request(1, 2, true, 0)
    };
    assert_eq!(served.handle(1, &brief), Ok(Turn::Hold));
    assert_eq!(served.seat.hold(2, &limits), Duration::ZERO);
    assert_eq!(served.seat.place(1, 1), Place::Over);
    assert_eq!(served.seat.place(1, 2), Place::First);
    assert_eq!(served.request(2, 1, 3, true), Ok(Turn::Hold));
    assert_eq!(served.seat.hold(3, &limits), limits.poll_hold);
}

// ---- several at a time ----

impl Served {
    /// A poll beside others that are awaited.
    fn poll(&mut self, number: u64, beside: u8) -> Turn {
        self.request_beside(0, 1, number, true, beside)
            .expect("its carrier serves the session")
    }

    fn places(&self, numbers: [u64; 3]) -> [Place; 3] {
        numbers.map(|number| self.seat.place(1, number))
    }
}

#[test]
fn what_waits_goes_with_the_oldest_poll_that_is_held() {
    let mut served = Served::attached(Carrier::Poll);
    for (number, beside) in [(1, 0), (2, 1), (3, 2)] {
        assert_eq!(served.poll(number, beside), Turn::Hold);
    }
    assert_eq!(
        served.places([1, 2, 3]),
        [Place::First, Place::Behind, Place::Behind]
    );
    // The second client has gone, and then the first is answered.
    assert!(!served.seat.answered(1, 2));
    assert!(served.seat.answered(1, 1), "the third is first now");
    assert_eq!(
        served.places([1, 2, 3]),
        [Place::Over, Place::Over, Place::First]
    );
    assert!(!served.seat.answered(1, 3));
}

#[test]
fn a_poll_beside_others_brings_nothing_again_that_they_may_have_brought() {
    let mut served = Served::attached(Carrier::Poll);
    assert_eq!(served.poll(1, 0), Turn::Hold);
    let _ = served.frame(0, 1, acknowledging(0));
    assert_eq!(served.poll(2, 1), Turn::Hold);
    served.send(b"one");
    assert_eq!(served.cut(0), ["one"]);
    let _ = served.seat.answered(1, 1);
    // It is still on its way when the next poll leaves.
    assert_eq!(served.poll(3, 2), Turn::Hold);
    assert!(served.cut(0).is_empty());
    // One that awaits no other has seen all that there was.
    assert_eq!(served.poll(4, 0), Turn::Hold);
    assert_eq!(
        served.places([2, 3, 4]),
        [Place::Over, Place::Over, Place::First]
    );
    assert_eq!(served.cut(0), ["one"]);
}

#[test]
fn a_poll_that_comes_twice_has_its_answer_brought_again_by_those_beside_it() {
    let mut served = Served::attached(Carrier::Poll);
    assert_eq!(served.poll(1, 0), Turn::Hold);
    let _ = served.frame(0, 1, acknowledging(0));
    assert_eq!(served.poll(2, 1), Turn::Hold);
    served.send(b"one");
    assert_eq!(served.cut(0), ["one"]);
    let _ = served.seat.answered(1, 1);
    assert_eq!(served.poll(1, 0), Turn::Late);
    assert_eq!(served.cut(0), ["one"], "the client may take the empty one");
    // While it is held, nothing more goes with either.
    assert_eq!(served.poll(2, 1), Turn::Late);
    assert_eq!(served.seat.place(1, 2), Place::Over);
}

#[test]
fn a_poll_with_newer_ones_behind_it_is_held_for_a_moment_only() {
    let mut served = Served::attached(Carrier::Poll);
    let limits = Limits::default();
    assert_eq!(served.poll(1, 0), Turn::Hold);
    assert_eq!(served.seat.hold(1, &limits), limits.poll_hold);
    assert_eq!(served.poll(2, 1), Turn::Hold);
    assert_eq!(served.seat.hold(1, &limits), Duration::from_secs(2));
    assert_eq!(served.seat.hold(2, &limits), limits.poll_hold);
}
