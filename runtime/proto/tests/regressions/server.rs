//! The server's machine.

use sente_proto::frame::{Acknowledge, Hello, Resume, VERSION};
use sente_proto::server::{Carrier, Mappings, Seat};
use sente_proto::{Limits, ResumeSecret, SessionId};

use super::{at, contract, session};

/// Profile lossy, seed 1, and most others: every client that came back after the end of its session
/// was told that it had acknowledged what was never sent.
#[test]
fn a_hello_for_a_session_that_has_ended_says_nothing_of_the_next_ones_numbers() {
    let hello = Hello {
        version: VERSION,
        codec: "bincode".to_owned(),
        attempt: 1,
        epoch: 5,
        namespaces: contract().offers(),
        token: None,
        csrf: None,
        device: None,
        resume: Some(Resume {
            session: SessionId::new(7),
            secret: ResumeSecret::new(7),
            acknowledge: Acknowledge {
                received: 30,
                credit: 286,
            },
        }),
    };
    let mut seat = Seat::new(SessionId::new(8), at(0));
    let mut session = session(Limits::default());
    let mappings = Mappings::new(contract());
    seat.attach(at(0), &mut session, &hello, Carrier::WebSocket, &mappings)
        .expect("the session is another");
}
