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
    /// Whether clients may send it.
    pub to_server: bool,
    /// Whether servers may send it.
    pub to_client: bool,
    /// Its fields, in order.
    pub fields: &'static [Field],
    /// The reply and error of a call; `None` for an event that wants no reply.
    pub reply: Option<Reply>,
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
    /// Whether clients may send it.
    pub to_server: bool,
    /// Whether servers may send it.
    pub to_client: bool,
    /// One fingerprint a field.
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

pub(crate) use fit::Offered;
pub use fit::{Fit, Inbound, Mapping, Side, fit};

use std::collections::HashMap;
use std::hash::Hasher;
use std::time::Duration;

use crate::fnv::Fnv;
use crate::frame::{Answer, Offer};
use crate::schema::Type;
use crate::session::Delivery;

/// The namespaces that a program speaks, each event with one number.
///
/// An event's number is its place within its namespace plus the namespace's base; namespaces
/// follow each other in the order in which they were given to the builder.
#[derive(Debug, Default)]
pub struct Contract {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    namespace: &'static Namespace,
    base: u32,
    /// What travels, with the fingerprints of all types.
    table: Table,
    digest: u128,
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
        let table = namespace.table();
        let digest = table.digest();
        if let Some(entry) = self
            .entries
            .iter()
            .find(|entry| entry.namespace.name == namespace.name)
        {
            return if entry.digest == digest {
                Ok(())
            } else {
                Err(DuplicateNamespace(namespace.name))
            };
        }
        self.entries.push(Entry {
            namespace,
            base: self.events(),
            table,
            digest,
        });
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
            .filter_map(|name| {
                self.entries
                    .iter()
                    .find(|entry| entry.namespace.name == name)
            })
            .map(|entry| entry.table.clone())
            .collect()
    }
}

impl Namespace {
    fn table(&self) -> Table {
        let mut known = HashMap::new();
        let mut fingerprint = |ty: Type| ty.print_once(&mut known).fingerprint;
        let events = self.events.iter().map(|event| TableEvent {
            name: event.name.to_owned(),
            to_server: event.to_server,
            to_client: event.to_client,
            fields: event
                .fields
                .iter()
                .map(|field| fingerprint(field.ty))
                .collect(),
            required: event.fields.iter().filter(|field| !field.default).count() as u32,
            reply: event.reply.map(|reply| TableReply {
                reply: fingerprint(reply.reply),
                error: reply.error.map_or(0, &mut fingerprint),
            }),
        });
        let events = events.collect();
        Table {
            name: self.name.to_owned(),
            handshake: self.handshake.map(fingerprint),
            events,
        }
    }
}

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
                hasher.write_u8(u8::from(event.to_server) | u8::from(event.to_client) << 1);
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
