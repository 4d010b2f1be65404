//! The server's machine.

use sente_proto::codec::Codec;
use sente_proto::frame::{Acknowledge, Hello, Request, Resume, VERSION};
use sente_proto::server::{Mappings, Seat, Turn, accept};
use sente_proto::{Carrier, Limits, RefusedReason, ResumeSecret, SessionId};

use super::{at, contract, data, session};

fn hello(resume: Option<Resume>) -> Hello {
    Hello {
        version: VERSION,
        codec: "bincode".to_owned(),
        attempt: 1,
        epoch: 5,
        namespaces: contract().offers(),
        token: None,
        csrf: None,
        device: None,
        resume,
    }
}

/// Profile lossy, seed 1, and most others: every client that came back after the end of its session
/// was told that it had acknowledged what was never sent.
#[test]
fn a_hello_for_a_session_that_has_ended_says_nothing_of_the_next_ones_numbers() {
    let hello = hello(Some(Resume {
        session: SessionId::new(7),
        secret: ResumeSecret::new(7),
        acknowledge: Acknowledge {
            received: 30,
            credit: 286,
        },
    }));
    let mut seat = Seat::new(SessionId::new(8), at(0));
    let mut session = session(Limits::default());
    let mappings = Mappings::new(contract());
    seat.attach(at(0), &mut session, &hello, Carrier::WebSocket, &mappings)
        .expect("the session is another");
}

/// Profile anything, seed 298: no seat takes a carrier of epoch 0, so the session that its hello
/// opened had nobody who would have ended it, and ten thousand of them kept everybody else out.
#[test]
fn a_hello_of_epoch_0_opens_nothing() {
    let hello = Hello {
        epoch: 0,
        ..hello(None)
    };
    let refused = accept(&hello, Codec::ALL).expect_err("epochs count from 1");
    assert_eq!(refused.reason, RefusedReason::Malformed);
}

/// Profile poll-only, seed 5156: of two answers to one request the client took the one that said
/// nothing, and waited for ever for the credit that the other had brought.
#[test]
fn what_an_answer_to_a_repeated_request_said_is_said_again() {
    let mut seat = Seat::new(SessionId::new(7), at(0));
    let mut session = session(Limits::default());
    let mappings = Mappings::new(contract());
    let hello = hello(None);
    seat.attach(at(0), &mut session, &hello, Carrier::Poll, &mappings)
        .unwrap();
    let mut request = |session: &mut _, number, hold| {
        let request = Request {
            session: SessionId::new(7),
            secret: ResumeSecret::new(7),
            server: 3,
            epoch: 5,
            number,
            hold,
            beside: 0,
            brief: false,
        };
        seat.handle_request(at(0), session, &request)
    };
    for hold in [false, true] {
        let first = if hold { Turn::Hold } else { Turn::Send };
        assert_eq!(request(&mut session, 1, hold), Ok(first));
        let _ = session.acknowledge(at(0));
        assert!(data(at(0), &mut session).is_none());
        assert_eq!(request(&mut session, 1, hold), Ok(Turn::Late));
        if hold {
            assert_eq!(request(&mut session, 2, hold), Ok(Turn::Hold));
        }
        let told = data(at(0), &mut session).expect("the next poll is answered at once");
        assert!(told.acknowledge.is_some());
    }
}
