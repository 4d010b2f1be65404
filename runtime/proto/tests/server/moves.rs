//! One carrier takes over from another: never before its client has shown that it got the welcome.

use sente_proto::server::{Greeting, Standing, welcome};

use super::*;

/// Polling serves since 0 s, and at 1 s a WebSocket of the same client has been welcomed.
fn upgrading() -> Served {
    let mut served = Served::attached(Carrier::Poll);
    assert_eq!(served.request(0, 1, 1, true), Ok(Turn::Hold));
    assert_eq!(served.frame(0, 1, acknowledging(0)), Ok(Heard::Nothing));
    served
        .attach(1, &hello(1, 3), Carrier::WebSocket)
        .expect("it is newer");
    served
}

fn standing(served: &Served, epoch: u64) -> Standing {
    served.seat.standing(epoch, served.session.limits())
}

#[test]
fn where_no_carrier_serves_the_first_that_says_hello_does() {
    let mut served = Served::new();
    served
        .attach(0, &hello(1, 1), Carrier::WebSocket)
        .expect("it is the first");
    assert_eq!(standing(&served, 1), Standing::Serves);
    assert!(served.seat.detach(&mut served.session, 1));
    assert_eq!(standing(&served, 1), Standing::Over);
    served
        .attach(1, &hello(1, 2), Carrier::Poll)
        .expect("it is newer");
    assert_eq!(standing(&served, 2), Standing::Serves);
}

#[test]
fn a_newer_carrier_takes_over_with_its_clients_first_frame_after_the_welcome() {
    let mut served = upgrading();
    served.send(b"hi");
    assert_eq!(served.frame(2, 3, acknowledging(0)), Ok(Heard::Nothing));
    assert_eq!(standing(&served, 3), Standing::Serves);
    assert_eq!(standing(&served, 1), Standing::Over);
    assert_eq!(served.seat.carrier(), Some(Carrier::WebSocket));
    assert_eq!(served.cut(2), ["hi"]);
    // The old carrier learns of it, and what it brings is not taken in.
    let replaced = Some((CloseReason::Replaced, 3));
    assert_eq!(reason(served.request(2, 1, 2, true)), replaced);
    assert_eq!(reason(served.frame(2, 1, posting(1))), replaced);
    assert_eq!(served.session.acknowledge(seconds(2)).received, 0);
    assert!(!served.seat.detach(&mut served.session, 1));
    assert!(served.session.is_attached());
    assert!(served.seat.detach(&mut served.session, 3));
    assert!(!served.session.is_attached());
}

#[test]
fn a_poll_carrier_takes_over_with_its_first_request() {
    let mut served = Served::attached(Carrier::WebSocket);
    served
        .attach(1, &hello(1, 2), Carrier::Poll)
        .expect("it is newer");
    assert_eq!(standing(&served, 1), Standing::Serves);
    assert_eq!(served.request(2, 2, 1, true), Ok(Turn::Hold));
    assert_eq!(standing(&served, 2), Standing::Serves);
}

#[test]
fn a_welcome_that_is_swallowed_changes_nothing() {
    let mut served = upgrading();
    let until = seconds(11);
    assert_eq!(standing(&served, 3), Standing::Welcomed { until });
    // All goes on by polling, both ways.
    served.send(b"one");
    assert_eq!(served.cut(2), ["one"]);
    assert_eq!(served.request(2, 1, 2, true), Ok(Turn::Hold));
    assert_eq!(served.frame(2, 1, acknowledging(1)), Ok(Heard::Nothing));
    assert_eq!(served.frame(2, 1, posting(1)), Ok(Heard::Nothing));
    served.send(b"two");
    assert_eq!(served.cut(2), ["two"], "and nothing comes twice");
    assert!(
        !served.seat.detach(&mut served.session, 3),
        "that did not serve"
    );
    assert_eq!(standing(&served, 3), Standing::Over);
    assert_eq!(standing(&served, 1), Standing::Serves);
    assert!(served.session.is_attached());
}

#[test]
fn what_a_welcome_says_that_may_be_swallowed_the_serving_carrier_says_too() {
    let mut served = Served::attached(Carrier::Poll);
    assert_eq!(served.request(0, 1, 1, true), Ok(Turn::Hold));
    assert_eq!(served.frame(0, 1, posting(1)), Ok(Heard::Nothing));
    let upgrade = hello(1, 3);
    served
        .attach(0, &upgrade, Carrier::WebSocket)
        .expect("it is newer");
    let greeting = Greeting {
        session: SessionId::new(1),
        secret: ResumeSecret::new(2),
        fresh: None,
        server: 0,
        user: None,
        handshake: Vec::new(),
    };
    let said = welcome(
        seconds(0),
        &served.seat,
        &mut served.session,
        &upgrade,
        greeting,
    );
    assert_eq!(said.acknowledge.received, 1);
    assert!(served.session.has_data(seconds(0)));
}

#[test]
fn a_lower_or_equal_epoch_does_not_take_over_and_a_higher_one_has_the_next_turn() {
    let mut served = upgrading();
    for epoch in [1, 2, 3] {
        let late = served.attach(2, &hello(1, epoch), Carrier::Poll);
        assert_eq!(
            reason(late),
            Some((CloseReason::Replaced, 3)),
            "epoch {epoch}"
        );
    }
    served
        .attach(2, &hello(1, 4), Carrier::Poll)
        .expect("it is newer");
    assert_eq!(standing(&served, 3), Standing::Over);
    assert_eq!(
        reason(served.frame(2, 3, acknowledging(0))),
        Some((CloseReason::Replaced, 4))
    );
    assert_eq!(standing(&served, 1), Standing::Serves);
    assert_eq!(served.request(3, 4, 1, true), Ok(Turn::Hold));
    assert_eq!(standing(&served, 4), Standing::Serves);
}

#[test]
fn a_welcomed_carrier_takes_over_from_one_that_is_gone_too() {
    let mut served = upgrading();
    assert!(served.seat.detach(&mut served.session, 1));
    assert!(matches!(standing(&served, 3), Standing::Welcomed { .. }));
    assert_eq!(served.frame(2, 3, acknowledging(0)), Ok(Heard::Nothing));
    assert_eq!(standing(&served, 3), Standing::Serves);
}
