//! The contract as data: what the macro writes down about each namespace, and the table that travels.

/// One namespace, as the macro writes it down.
#[derive(Debug)]
pub struct Namespace {
    /// Its name, for instance `chat`.
    pub name: &'static str,
    /// The type of what a server tells each client when it connects.
    pub handshake: Option<Type>,
    /// Its events, in the order of the enum; an event's place is its number within the namespace.
    pub events: &'static [Event],
}

/// One event of a namespace.
#[derive(Debug)]
pub struct Event {
    /// The full id, for instance `chat/post`.
    pub name: &'static str,
    /// How clients send it.
    pub to_server: Way,
    /// How servers send it.
    pub to_client: Way,
    /// Its fields, in order.
    pub fields: &'static [Field],
    /// The reply and error of a call; `None` for an event that is none in either direction.
    pub reply: Option<Reply>,
}

/// How an event goes in one direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "written by generated code")]
pub enum Way {
    /// Not at all.
    #[default]
    Never,
    /// As an event: its sender wants no reply.
    Event,
    /// As a call: its sender wants one.
    Call,
}

/// One field of an event.
#[derive(Debug)]
pub struct Field {
    /// Its name, or its place for tuple variants.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Whether a sender may leave it out (`#[default]`, at the end only).
    pub default: bool,
}

/// What a call brings back.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    /// The reply's type.
    pub reply: Type,
    /// The error's type; `None` for a call that cannot be rejected.
    pub error: Option<Type>,
}

/// What people want to know of a namespace and no peer does. Programs that do not ask for it are
/// linked without it.
#[derive(Debug)]
pub struct About {
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// Its events, in the order of the enum.
    pub events: &'static [AboutEvent],
}

/// What people want to know of an event.
#[derive(Debug)]
pub struct AboutEvent {
    /// The line of the variant, from 1.
    pub line: u32,
    /// The comment on the variant.
    pub docs: &'static str,
    /// How clients send it, if they may.
    pub to_server: Option<Sent>,
    /// How servers send it, if they may.
    pub to_client: Option<Sent>,
    /// The places of the fields with `#[key]`.
    pub keys: &'static [u32],
}

/// How an event is sent in one direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sent {
    /// Its delivery class.
    pub delivery: Delivery,
    /// How long a caller waits for the reply; `None` for the default.
    pub timeout: Option<Duration>,
}

/// A namespace as it travels when the digests differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Table {
    /// The namespace's name.
    pub name: String,
    /// The fingerprint of the handshake's type, if there is one.
    pub handshake: Option<u64>,
    /// Its events, in the order of the sender's numbers.
    pub events: Vec<TableEvent>,
}

/// One event of a [`Table`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableEvent {
    /// The id within the namespace's table, for instance `chat/post`.
    pub name: String,
    /// How clients send it.
    pub to_server: Way,
    /// How servers send it.
    pub to_client: Way,
    /// One [fingerprint a field](field_fingerprint).
    pub fields: Vec<u64>,
    /// How many of the fields must be there.
    pub required: u32,
    /// The reply and error of a call.
    pub reply: Option<TableReply>,
}

/// The fingerprints of what a call brings back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TableReply {
    /// That of the reply's type.
    pub reply: u64,
    /// That of the error's type; 0 for a call that cannot be rejected.
    pub error: u64,
}

mod fit;
mod skew;

pub(crate) use fit::Offered;
pub use fit::{Fit, Inbound, Mapping, Side, fit};
pub use skew::{Skew, SkewCause};

use std::hash::Hasher;
use std::time::Duration;

use crate::codec::Codec;
use crate::fnv::Fnv;
use crate::frame::{Answer, Offer};
use crate::schema::{Known, Print, Type};
use crate::session::Delivery;

/// The namespaces that a program speaks, each event with one number.
///
/// An event's number is its place within its namespace plus the namespace's base; namespaces
/// follow each other in the order in which they were given to the builder.
#[derive(Debug, Default)]
pub struct Contract {
    entries: Vec<Entry>,
    /// Whether only a codec that writes names can carry some of the events.
    self_describing: bool,
}

#[derive(Debug)]
struct Entry {
    namespace: &'static Namespace,
    base: u32,
    /// What travels, with the fingerprints of all types.
    table: Table,
    digest: u128,
    /// Of each event, whether only a codec that writes names can carry it.
    self_describing: Vec<bool>,
    /// The same of the handshake data.
    self_describing_handshake: bool,
}

/// Two namespaces of one program have the same name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "two different namespaces are called `{0}`: give one of them another name by `namespace = \"…\"`"
)]
pub struct DuplicateNamespace(pub &'static str);

impl Contract {
    /// Adds `namespace`; one that is there already is not added again.
    ///
    /// # Errors
    /// If a different namespace of the same name is there.
    pub fn add(&mut self, namespace: &'static Namespace) -> Result<(), DuplicateNamespace> {
        let entry = Entry::new(namespace, self.events());
        match self.place(namespace.name) {
            None => {
                self.self_describing |= entry.self_describing.contains(&true);
                self.entries.push(entry);
            }
            Some(known) if self.entries[known].digest == entry.digest => {}
            Some(_) => return Err(DuplicateNamespace(namespace.name)),
        }
        Ok(())
    }

    /// How many numbers there are.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.entries
            .last()
            .map_or(0, |last| last.base + last.namespace.events.len() as u32)
    }

    /// The number of event `index` of `namespace`.
    #[must_use]
    #[inline]
    pub fn number(&self, namespace: &'static Namespace, index: u32) -> Option<u32> {
        self.entries
            .iter()
            .find(|entry| {
                std::ptr::eq(entry.namespace, namespace) || entry.namespace.name == namespace.name
            })
            .map(|entry| entry.base + index)
    }

    /// The namespace of event `number`, as its place among the namespaces, and the event's place.
    #[must_use]
    pub fn locate(&self, number: u32) -> Option<(usize, u32)> {
        let place = self
            .entries
            .partition_point(|entry| entry.base <= number)
            .checked_sub(1)?;
        let entry = &self.entries[place];
        let index = number - entry.base;
        (index < entry.namespace.events.len() as u32).then_some((place, index))
    }

    /// Event `number`.
    #[must_use]
    pub fn event(&self, number: u32) -> Option<&'static Event> {
        let (place, index) = self.locate(number)?;
        self.entries[place].namespace.events.get(index as usize)
    }

    /// Whether `codec` can carry event `number`: all of its types, and those of its reply and error.
    #[must_use]
    #[inline]
    pub fn is_carried(&self, number: u32, codec: Codec) -> bool {
        !self.self_describing
            || codec.is_self_describing()
            || self
                .locate(number)
                .is_some_and(|(place, index)| self.entries[place].is_carried(index as usize, codec))
    }

    /// Whether `codec` can carry the handshake data of the namespace of that name.
    #[must_use]
    pub fn is_handshake_carried(&self, namespace: &str, codec: Codec) -> bool {
        self.place(namespace)
            .is_some_and(|place| self.entries[place].is_handshake_carried(codec))
    }

    /// The namespaces in the order of their numbers.
    pub fn namespaces(&self) -> impl ExactSizeIterator<Item = &'static Namespace> {
        self.entries.iter().map(|entry| entry.namespace)
    }

    /// What a hello says of them.
    #[must_use]
    pub fn offers(&self) -> Vec<Offer> {
        self.entries
            .iter()
            .map(|entry| Offer {
                name: entry.namespace.name.to_owned(),
                digest: entry.digest,
                events: entry.namespace.events.len() as u32,
            })
            .collect()
    }

    /// The place of the namespace with this name.
    fn place(&self, name: &str) -> Option<usize> {
        let mut entries = self.entries.iter();
        entries.position(|entry| entry.namespace.name == name)
    }

    /// What a welcome answers to `offers`: own tables only where digests differ.
    #[must_use]
    pub fn answers(&self, offers: &[Offer]) -> Vec<Answer> {
        self.entries
            .iter()
            .map(|entry| {
                let offer = offers
                    .iter()
                    .find(|offer| offer.name == entry.namespace.name);
                Answer {
                    name: entry.namespace.name.to_owned(),
                    events: entry.namespace.events.len() as u32,
                    table: offer
                        .is_some_and(|offer| offer.digest != entry.digest)
                        .then(|| entry.table.clone()),
                }
            })
            .collect()
    }

    /// The tables of the namespaces with these names.
    #[must_use]
    pub fn tables<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<Table> {
        names
            .into_iter()
            .filter_map(|name| Some(self.entries[self.place(name)?].table.clone()))
            .collect()
    }
}

impl Entry {
    /// With the fingerprints of all types, which are computed here and nowhere else.
    fn new(namespace: &'static Namespace, base: u32) -> Self {
        let mut known = Known::default();
        let mut print = |ty: Type| ty.print_once(&mut known);
        let mut self_describing = Vec::new();
        let mut events = Vec::new();
        for event in namespace.events {
            let fields: Vec<Print> = event.fields.iter().map(|field| print(field.ty)).collect();
            let reply = event.reply.map(|reply| print(reply.reply));
            let error = event.reply.and_then(|reply| reply.error).map(&mut print);
            let mut all = fields.iter().chain(&reply).chain(&error);
            self_describing.push(all.any(|print| print.self_describing));
            let both = event.fields.iter().zip(&fields);
            events.push(TableEvent {
                name: event.name.to_owned(),
                to_server: event.to_server,
                to_client: event.to_client,
                fields: both
                    .map(|(field, print)| field_fingerprint(field.name, print.fingerprint))
                    .collect(),
                required: event.fields.iter().filter(|field| !field.default).count() as u32,
                reply: reply.map(|reply| TableReply {
                    reply: reply.fingerprint,
                    error: error.map_or(0, |error| error.fingerprint),
                }),
            });
        }
        let handshake = namespace.handshake.map(print);
        let table = Table {
            name: namespace.name.to_owned(),
            handshake: handshake.map(|print| print.fingerprint),
            events,
        };
        Self {
            namespace,
            base,
            digest: table.digest(),
            table,
            self_describing,
            self_describing_handshake: handshake.is_some_and(|print| print.self_describing),
        }
    }

    fn is_carried(&self, index: usize, codec: Codec) -> bool {
        codec.is_self_describing() || !self.self_describing[index]
    }

    fn is_handshake_carried(&self, codec: Codec) -> bool {
        codec.is_self_describing() || !self.self_describing_handshake
    }
}

/// The fingerprint of an event's field, from its name and the fingerprint of its type. Names are not
/// sent, but two fields of one type that have changed places would be read without a word.
#[must_use]
pub fn field_fingerprint(name: &str, of_type: u64) -> u64 {
    let mut hasher = Fnv::default();
    hasher.text(name);
    hasher.write_u64(of_type);
    hasher.finish()
}

impl TableEvent {
    /// How it goes in both directions, as in binary tables.
    pub(crate) fn flags(&self) -> u8 {
        let flags = |way, event, call| match way {
            Way::Never => 0,
            Way::Event => event,
            Way::Call => event | call,
        };
        flags(self.to_server, TO_SERVER, CALLS_SERVER)
            | flags(self.to_client, TO_CLIENT, CALLS_CLIENT)
    }

    /// To the server and to the client, from [flags](Self::flags); `None` for a call that does not go.
    pub(crate) fn ways(flags: u8) -> Option<(Way, Way)> {
        let way = |event, call| match (flags & event != 0, flags & call != 0) {
            (false, false) => Some(Way::Never),
            (true, false) => Some(Way::Event),
            (true, true) => Some(Way::Call),
            (false, true) => None,
        };
        Some((way(TO_SERVER, CALLS_SERVER)?, way(TO_CLIENT, CALLS_CLIENT)?))
    }
}

const TO_SERVER: u8 = 1;
const TO_CLIENT: u8 = 2;
const CALLS_SERVER: u8 = 4;
const CALLS_CLIENT: u8 = 8;
/// All flags of an event in a table.
pub(crate) const EVENT_FLAGS: u8 = TO_SERVER | TO_CLIENT | CALLS_SERVER | CALLS_CLIENT;

impl Table {
    /// A digest of all that matters for whether both sides understand each other: FNV-1a, 64 bits
    /// forth and 64 bits with another start.
    ///
    /// It guards against mistakes, not against forgery: a peer that lies about its contract only
    /// gets its own events wrong.
    #[must_use]
    pub fn digest(&self) -> u128 {
        let half = |start: u64| {
            let mut hasher = Fnv::starting_at(start);
            hasher.text(&self.name);
            hasher.write_u64(self.handshake.unwrap_or_default());
            for event in &self.events {
                hasher.text(&event.name);
                hasher.write_u8(event.flags());
                hasher.write_u32(event.fields.len() as u32);
                for field in &event.fields {
                    hasher.write_u64(*field);
                }
                hasher.write_u32(event.required);
                if let Some(reply) = event.reply {
                    hasher.write_u64(reply.reply);
                    hasher.write_u64(reply.error);
                }
            }
            hasher.finish()
        };
        u128::from(half(0xcbf2_9ce4_8422_2325)) << 64 | u128::from(half(0x6c62_272e_07bb_0142))
    }
}
