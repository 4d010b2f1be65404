//! A contract as text: what is printed, locked and compared.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use sente::Events;
use sente_proto::contract;
use sente_proto::session::Delivery;
use serde::{Deserialize, Serialize};

use crate::types::{Definition, Types};

/// The form of the file. Another form has another number.
pub const VERSION: u32 = 1;
/// The name of the file, where a program does not say another.
pub const LOCK_FILE: &str = "sente.lock.json";

/// A contract: all namespaces of a program, with the types in their events.
///
/// ```
/// use sente_schema::Contract;
///
/// #[sente::events]
/// pub enum Chat {
///     #[to_server(reply = u64)]
///     Post { room: String, #[default] loud: bool },
/// }
///
/// let contract = Contract::of::<Chat>();
/// let text = contract.to_string();
/// assert!(text.contains("post(room: String, #[default] loud: bool) -> u64"), "{text}");
///
/// // As a file, and back.
/// assert_eq!(Contract::parse(&contract.to_json())?.to_json(), contract.to_json());
/// # Ok::<(), sente_schema::ReadError>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Contract {
    /// The form of the file: [`VERSION`].
    pub sente_schema: u32,
    /// The namespaces by their names.
    pub namespaces: BTreeMap<String, Namespace>,
    /// The types with names that stand in events, by these names.
    pub types: BTreeMap<String, Definition>,
}

/// Collects the namespaces of a contract: [`Contract::builder`].
#[derive(Default)]
pub struct ContractBuilder {
    namespaces: BTreeMap<String, Namespace>,
    types: Types,
}

/// One enum of events.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Namespace {
    /// What the server tells a client when it connects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Typed>,
    /// Its events, in the order of the enum.
    pub events: Vec<Event>,
}

/// One event.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// Its name on the wire, for instance `chat/post`.
    pub name: String,
    /// How clients send it, if they may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_server: Option<Sent>,
    /// How servers send it, if they may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_client: Option<Sent>,
    /// Its fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// The reply of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Typed>,
    /// The error of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Typed>,
    /// Its comment; not in the file.
    #[serde(skip)]
    pub docs: String,
    /// Where its variant stands, as `src/lib.rs:31`; not in the file.
    #[serde(skip)]
    pub place: Option<String>,
}

/// How an event is sent in one direction.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sent {
    /// Its delivery class: `reliable`, `volatile` or `latest`.
    pub delivery: String,
    /// Whether its sender waits for a reply.
    #[serde(default, skip_serializing_if = "is_false")]
    pub call: bool,
    /// How long a caller waits, in milliseconds, where the contract says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// One field of an event.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Field {
    /// Its name, or its place.
    pub name: String,
    /// Its type.
    #[serde(flatten)]
    pub typed: Typed,
    /// Whether a sender may leave it out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub default: bool,
    /// Whether it is a `#[key]`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub key: bool,
}

/// A type: as people read it, and the number that programs compare.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Typed {
    /// Its text, for instance `Vec<Line>`.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its fingerprint: 16 hex digits.
    pub fingerprint: String,
    /// Whether only codecs that write names can carry it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub self_describing: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A file could not be read as a contract.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It could not be opened.
    #[error("cannot read `{}`: {error}; `lock` writes it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is no contract.
    #[error("this is not a locked contract: {0}; write it anew with `lock`")]
    Malformed(serde_json::Error),
    /// It has the form of another version of this crate.
    #[error(
        "the contract was locked in form {0}, and this program knows form {VERSION}: use the `sente-schema` that wrote it, or `lock` it anew"
    )]
    OtherVersion(u32),
}

impl Contract {
    /// A contract of one namespace.
    #[must_use]
    pub fn of<E: Events>() -> Self {
        Self::builder().namespace::<E>().build()
    }

    /// Begins a contract of several namespaces.
    ///
    /// ```
    /// # #[sente::events] pub enum Chat { #[to_server] Post { text: String } }
    /// # #[sente::events] pub enum Game { #[to_server] Move { x: u8, y: u8 } }
    /// use sente_schema::Contract;
    ///
    /// let contract = Contract::builder().namespace::<Chat>().namespace::<Game>().build();
    /// assert_eq!(contract.namespaces.len(), 2);
    /// ```
    #[must_use]
    pub fn builder() -> ContractBuilder {
        ContractBuilder::default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// If it is something else, or written by another version.
    pub fn parse(json: &str) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Head {
            sente_schema: u32,
        }
        let head: Head = serde_json::from_str(json).map_err(ReadError::Malformed)?;
        if head.sente_schema != VERSION {
            return Err(ReadError::OtherVersion(head.sente_schema));
        }
        serde_json::from_str(json).map_err(ReadError::Malformed)
    }

    /// Reads a locked contract.
    ///
    /// # Errors
    /// If there is none, or it is something else.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|error| ReadError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text)
    }

    /// The contract as JSON, to be committed: the same contract gives the same text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // All keys are strings, and no value has a type of a user's: it does not fail.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

impl ContractBuilder {
    /// Adds the namespace that is the enum `E`.
    #[must_use]
    pub fn namespace<E: Events>(mut self) -> Self {
        let namespace = Namespace::read(E::NAMESPACE, E::ABOUT, &mut self.types);
        self.namespaces
            .insert(E::NAMESPACE.name.to_owned(), namespace);
        self
    }

    /// Takes all together.
    #[must_use]
    pub fn build(self) -> Contract {
        Contract {
            sente_schema: VERSION,
            namespaces: self.namespaces,
            types: self.types.definitions,
        }
    }
}

impl fmt::Debug for ContractBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.namespaces.keys()).finish()
    }
}

impl Namespace {
    fn read(namespace: &contract::Namespace, about: &contract::About, types: &mut Types) -> Self {
        let events = namespace.events.iter().zip(about.events);
        let events = events.map(|(event, about_event)| Event {
            name: event.name.to_owned(),
            to_server: Sent::of(event.to_server, about_event.to_server),
            to_client: Sent::of(event.to_client, about_event.to_client),
            fields: (0..)
                .zip(event.fields)
                .map(|(place, field)| Field {
                    name: field.name.to_owned(),
                    typed: types.typed(field.ty),
                    default: field.default,
                    key: about_event.keys.contains(&place),
                })
                .collect(),
            reply: event.reply.map(|reply| types.typed(reply.reply)),
            error: event
                .reply
                .and_then(|reply| reply.error)
                .map(|error| types.typed(error)),
            docs: about_event.docs.to_owned(),
            place: Some(format!("{}:{}", about.file, about_event.line)),
        });
        Self {
            events: events.collect(),
            handshake: namespace.handshake.map(|ty| types.typed(ty)),
        }
    }
}

impl Sent {
    fn of(way: contract::Way, sent: Option<contract::Sent>) -> Option<Self> {
        let sent = sent?;
        let delivery = match sent.delivery {
            Delivery::Reliable => "reliable",
            Delivery::Volatile => "volatile",
            Delivery::Latest => "latest",
        };
        Some(Self {
            delivery: delivery.to_owned(),
            call: way == contract::Way::Call,
            timeout_ms: sent.timeout.map(|timeout| timeout.as_millis() as u64),
        })
    }
}
