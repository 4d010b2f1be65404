//! The contract of the simulated programs: one event for each class, in two versions.
//!
//! The second version has another order, and one event and one call that the first does not know, so
//! that tables have to be exchanged.

use std::sync::Arc;

use crate::plan::Skew;

use sente_proto::contract::{Contract, Event, Field, Namespace, Reply, Way};
use sente_proto::schema::Type;

/// What a simulated program sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Reliable,
    Latest,
    Volatile,
    Call,
    /// An event that the first version does not know.
    Novel,
    /// A call that the first version does not know.
    NovelCall,
}

/// One of the two versions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    First,
    Second,
}

const FIRST: &[Kind] = &[Kind::Reliable, Kind::Latest, Kind::Volatile, Kind::Call];
const SECOND: &[Kind] = &[
    Kind::Novel,
    Kind::Call,
    Kind::Volatile,
    Kind::NovelCall,
    Kind::Reliable,
    Kind::Latest,
];

impl Version {
    /// Those of the server and the clients.
    pub(crate) fn of(skew: Skew) -> (Self, Self) {
        match skew {
            Skew::None => (Self::First, Self::First),
            Skew::Clients => (Self::First, Self::Second),
            Skew::Server => (Self::Second, Self::First),
        }
    }

    pub(crate) fn contract(self) -> Arc<Contract> {
        let mut contract = Contract::default();
        contract
            .add(match self {
                Self::First => &FIRST_NAMESPACE,
                Self::Second => &SECOND_NAMESPACE,
            })
            .expect("there is but one namespace");
        Arc::new(contract)
    }

    /// The number of an event; `None` if this version does not have it.
    pub(crate) fn number(self, kind: Kind) -> Option<u32> {
        let kinds = self.kinds();
        let place = kinds.iter().position(|own| *own == kind)?;
        Some(place as u32)
    }

    pub(crate) fn kind(self, number: u32) -> Option<Kind> {
        self.kinds().get(number as usize).copied()
    }

    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::First => FIRST,
            Self::Second => SECOND,
        }
    }
}

static FIRST_NAMESPACE: Namespace = Namespace {
    name: "sim",
    handshake: None,
    events: &[
        event("sim/reliable", None),
        event("sim/latest", None),
        event("sim/volatile", None),
        event("sim/call", REPLY),
    ],
};

static SECOND_NAMESPACE: Namespace = Namespace {
    name: "sim",
    handshake: None,
    events: &[
        event("sim/novel", None),
        event("sim/call", REPLY),
        event("sim/volatile", None),
        event("sim/novel_call", REPLY),
        event("sim/reliable", None),
        event("sim/latest", None),
    ],
};

const REPLY: Option<Reply> = Some(Reply {
    reply: Type::of::<u8>(),
    error: Some(Type::of::<u16>()),
});

const FIELDS: &[Field] = &[Field {
    name: "tag",
    ty: Type::of::<u64>(),
    default: false,
}];

const fn event(name: &'static str, reply: Option<Reply>) -> Event {
    Event {
        name,
        to_server: way(reply),
        to_client: way(reply),
        fields: FIELDS,
        reply,
    }
}

const fn way(reply: Option<Reply>) -> Way {
    match reply {
        Some(_) => Way::Call,
        None => Way::Event,
    }
}
