//! What the simulator has found, each as a plain case beside the seed that met it first.

mod client;
mod server;
mod session;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::contract::{Contract, Event, Mapping, Namespace, Reply, Way};
use sente_proto::frame::{Data, Frame};
use sente_proto::schema::Type;
use sente_proto::session::{Delivery, Outgoing, Session};
use sente_proto::{Limits, Time, wire};

const SAY: u32 = 0;
const ASK: u32 = 1;

const fn declared(name: &'static str, reply: Option<Reply>) -> Event {
    Event {
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

fn contract() -> Arc<Contract> {
    let mut contract = Contract::default();
    contract.add(&NAMESPACE).unwrap();
    Arc::new(contract)
}

/// A session that knows the other side's numbers.
fn session(limits: Limits) -> Session {
    let contract = contract();
    let offers = contract.offers();
    let mapping = Mapping::of_server(&contract, &offers, &[], Codec::Bincode).unwrap();
    let mut session = Session::new(Arc::new(limits), contract, Codec::Bincode);
    assert!(session.map(Arc::new(mapping)).is_empty());
    session
}

fn event(event: u32) -> Outgoing {
    Outgoing {
        event,
        payload: Bytes::from_static(b"x"),
        delivery: Delivery::Reliable,
        key: Bytes::new(),
    }
}

const fn at(milliseconds: u64) -> Time {
    Time::from_unix(Duration::from_millis(milliseconds))
}

fn decode(frame: Vec<u8>) -> Frame {
    wire::decode(Codec::Bincode, &frame.into(), &Limits::default().wire()).unwrap()
}

/// The next frame of a session, which is data.
fn data(now: Time, session: &mut Session) -> Option<Data> {
    match decode(session.poll_data(now)?) {
        Frame::Data(data) => Some(data),
        _ => panic!("a session cuts data frames only"),
    }
}

fn connect(now: Time, one: &mut Session, two: &mut Session) {
    let (of_one, of_two) = (one.acknowledge(now), two.acknowledge(now));
    one.attach(of_two).unwrap();
    two.attach(of_one).unwrap();
}

const fn way(reply: Option<Reply>) -> Way {
    match reply {
        Some(_) => Way::Call,
        None => Way::Event,
    }
}
