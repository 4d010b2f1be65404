//! The shapes of text frames, for serde to derive from, and how they become frames and back.

use std::time::Duration;

use bytes::Bytes;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::payload;
use crate::contract::{Table, TableEvent, TableReply, Way};
use crate::frame::{
    Acknowledge, Answer, Authenticate, Hello, Offer, POLLS, Request, Resume, Terms, Welcome,
};
use crate::reason::{Close, Refused};
use crate::wire::primitive::milliseconds;
use crate::wire::words::Word;
use crate::wire::{WireError, WireLimits};
use crate::{CloseReason, FreshReason, RefusedReason, ResumeSecret, Secret, SessionId};

/// The part of a hello that every version has.
#[derive(Deserialize)]
pub(super) struct HelloPrefix {
    pub(super) version: u16,
    codec: String,
}

impl From<HelloPrefix> for Hello {
    fn from(HelloPrefix { version, codec }: HelloPrefix) -> Self {
        Self {
            version,
            codec,
            attempt: 0,
            epoch: 0,
            namespaces: Vec::new(),
            token: None,
            csrf: None,
            device: None,
            resume: None,
        }
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct HelloForm {
    version: u16,
    codec: String,
    attempt: Hex<u128>,
    epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resume: Option<ResumeForm>,
    namespaces: Vec<OfferForm>,
}

#[derive(Deserialize, Serialize)]
struct ResumeForm {
    session: Hex<u128>,
    secret: Hex<u128>,
    ack: Ack,
}

#[derive(Deserialize, Serialize)]
struct OfferForm {
    name: String,
    digest: Hex<u128>,
    events: u32,
}

impl From<&Hello> for HelloForm {
    fn from(hello: &Hello) -> Self {
        Self {
            version: hello.version,
            codec: hello.codec.clone(),
            attempt: Hex(hello.attempt),
            epoch: hello.epoch,
            token: reveal(hello.token.as_ref()),
            csrf: reveal(hello.csrf.as_ref()),
            device: hello.device.clone(),
            resume: hello.resume.as_ref().map(|resume| ResumeForm {
                session: Hex(resume.session.bits()),
                secret: Hex(resume.secret.reveal()),
                ack: resume.acknowledge.into(),
            }),
            namespaces: hello
                .namespaces
                .iter()
                .map(
                    |Offer {
                         name,
                         digest,
                         events,
                     }| OfferForm {
                        name: name.clone(),
                        digest: Hex(*digest),
                        events: *events,
                    },
                )
                .collect(),
        }
    }
}

impl From<HelloForm> for Hello {
    fn from(form: HelloForm) -> Self {
        Self {
            version: form.version,
            codec: form.codec,
            attempt: form.attempt.0,
            epoch: form.epoch,
            namespaces: form
                .namespaces
                .into_iter()
                .map(
                    |OfferForm {
                         name,
                         digest,
                         events,
                     }| Offer {
                        name,
                        digest: digest.0,
                        events,
                    },
                )
                .collect(),
            token: form.token.map(Secret::new),
            csrf: form.csrf.map(Secret::new),
            device: form.device,
            resume: form.resume.map(|resume| Resume {
                session: SessionId::new(resume.session.0),
                secret: ResumeSecret::new(resume.secret.0),
                acknowledge: resume.ack.into(),
            }),
        }
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct AuthenticateForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
}

impl From<&Authenticate> for AuthenticateForm {
    fn from(shown: &Authenticate) -> Self {
        Self {
            token: reveal(shown.token.as_ref()),
            csrf: reveal(shown.csrf.as_ref()),
        }
    }
}

impl From<AuthenticateForm> for Authenticate {
    fn from(form: AuthenticateForm) -> Self {
        Self {
            token: form.token.map(Secret::new),
            csrf: form.csrf.map(Secret::new),
        }
    }
}

fn reveal(secret: Option<&Secret<String>>) -> Option<String> {
    secret.map(|secret| secret.reveal().clone())
}

#[derive(Deserialize, Serialize)]
pub(super) struct WelcomeForm<'a> {
    session: Hex<u128>,
    secret: Hex<u128>,
    epoch: u64,
    server: Hex<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fresh: Option<InWord<FreshReason>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    ack: Ack,
    terms: TermsForm,
    namespaces: Vec<AnswerForm>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    handshake: Vec<(String, &'a RawValue)>,
}

#[derive(Deserialize, Serialize)]
struct TermsForm {
    max_message: u32,
    window: u64,
    silence: u64,
    poll_hold: u64,
}

#[derive(Deserialize, Serialize)]
struct AnswerForm {
    name: String,
    events: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<TableForm>,
}

impl<'a> From<&'a Welcome> for WelcomeForm<'a> {
    fn from(welcome: &'a Welcome) -> Self {
        Self {
            session: Hex(welcome.session.bits()),
            secret: Hex(welcome.secret.reveal()),
            epoch: welcome.epoch,
            server: Hex(welcome.server),
            fresh: welcome.fresh.map(InWord),
            user: welcome.user.clone(),
            ack: welcome.acknowledge.into(),
            terms: TermsForm {
                max_message: welcome.terms.max_message,
                window: milliseconds(welcome.terms.window),
                silence: milliseconds(welcome.terms.silence),
                poll_hold: milliseconds(welcome.terms.poll_hold),
            },
            namespaces: welcome
                .namespaces
                .iter()
                .map(
                    |Answer {
                         name,
                         events,
                         table,
                     }| AnswerForm {
                        name: name.clone(),
                        events: *events,
                        table: table.as_ref().map(Into::into),
                    },
                )
                .collect(),
            handshake: welcome
                .handshake
                .iter()
                // What the codec did not make has no place in the text.
                .filter_map(|(name, value)| {
                    Some((name.clone(), serde_json::from_slice(value).ok()?))
                })
                .collect(),
        }
    }
}

impl WelcomeForm<'_> {
    pub(super) fn decode(self, bytes: &Bytes, limits: &WireLimits) -> Result<Welcome, WireError> {
        Ok(Welcome {
            session: SessionId::new(self.session.0),
            secret: ResumeSecret::new(self.secret.0),
            epoch: self.epoch,
            server: self.server.0,
            fresh: self.fresh.map(|InWord(reason)| reason),
            user: self.user,
            acknowledge: self.ack.into(),
            terms: Terms {
                max_message: self.terms.max_message,
                window: Duration::from_millis(self.terms.window),
                silence: Duration::from_millis(self.terms.silence),
                poll_hold: Duration::from_millis(self.terms.poll_hold),
            },
            namespaces: self
                .namespaces
                .into_iter()
                .map(
                    |AnswerForm {
                         name,
                         events,
                         table,
                     }| Answer {
                        name,
                        events,
                        table: table.map(Into::into),
                    },
                )
                .collect(),
            handshake: self
                .handshake
                .into_iter()
                .map(|(name, value)| Ok((name, payload(value, bytes, limits)?)))
                .collect::<Result<_, WireError>>()?,
        })
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct RefusedForm {
    status: u16,
    reason: InWord<RefusedReason>,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    codecs: Vec<String>,
}

impl From<&Refused> for RefusedForm {
    fn from(refused: &Refused) -> Self {
        Self {
            status: refused.status,
            reason: InWord(refused.reason),
            message: refused.message.clone(),
            retry_after: refused.retry_after.map(milliseconds),
            codecs: refused.codecs.clone(),
        }
    }
}

impl From<RefusedForm> for Refused {
    fn from(form: RefusedForm) -> Self {
        Self {
            status: form.status,
            reason: form.reason.0,
            message: form.message,
            retry_after: form.retry_after.map(Duration::from_millis),
            codecs: form.codecs,
        }
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct TableForm {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handshake: Option<Hex<u64>>,
    events: Vec<TableEventForm>,
}

#[derive(Deserialize, Serialize)]
struct TableEventForm {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_server: Option<WayForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_client: Option<WayForm>,
    fields: Vec<Hex<u64>>,
    required: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<(Hex<u64>, Hex<u64>)>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum WayForm {
    Event,
    Call,
}

impl WayForm {
    fn of(way: Way) -> Option<Self> {
        match way {
            Way::Never => None,
            Way::Event => Some(Self::Event),
            Way::Call => Some(Self::Call),
        }
    }
}

impl From<WayForm> for Way {
    fn from(form: WayForm) -> Self {
        match form {
            WayForm::Event => Self::Event,
            WayForm::Call => Self::Call,
        }
    }
}

impl From<&Table> for TableForm {
    fn from(table: &Table) -> Self {
        let events = table.events.iter().map(|event| TableEventForm {
            name: event.name.clone(),
            to_server: WayForm::of(event.to_server),
            to_client: WayForm::of(event.to_client),
            fields: event.fields.iter().copied().map(Hex).collect(),
            required: event.required,
            reply: event
                .reply
                .map(|TableReply { reply, error }| (Hex(reply), Hex(error))),
        });
        Self {
            name: table.name.clone(),
            handshake: table.handshake.map(Hex),
            events: events.collect(),
        }
    }
}

impl From<TableForm> for Table {
    fn from(form: TableForm) -> Self {
        let events = form.events.into_iter().map(|event| TableEvent {
            name: event.name,
            to_server: event.to_server.map_or(Way::Never, WayForm::into),
            to_client: event.to_client.map_or(Way::Never, WayForm::into),
            fields: event.fields.into_iter().map(|Hex(field)| field).collect(),
            required: event.required,
            reply: event
                .reply
                .map(|(Hex(reply), Hex(error))| TableReply { reply, error }),
        });
        Self {
            name: form.name,
            handshake: form.handshake.map(|Hex(handshake)| handshake),
            events: events.collect(),
        }
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct RequestForm {
    session: Hex<u128>,
    secret: Hex<u128>,
    server: Hex<u64>,
    epoch: u64,
    number: u64,
    hold: bool,
    #[serde(default, skip_serializing_if = "Beside::is_none")]
    beside: Beside,
    #[serde(default, skip_serializing_if = "is_false")]
    brief: bool,
}

/// How many polls before this one are awaited.
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(try_from = "u8")]
struct Beside(u8);

impl Beside {
    fn is_none(&self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<u8> for Beside {
    type Error = &'static str;

    fn try_from(count: u8) -> Result<Self, Self::Error> {
        if count < POLLS {
            Ok(Self(count))
        } else {
            Err("a client awaits too many polls")
        }
    }
}

impl From<&Request> for RequestForm {
    fn from(request: &Request) -> Self {
        Self {
            session: Hex(request.session.bits()),
            secret: Hex(request.secret.reveal()),
            server: Hex(request.server),
            epoch: request.epoch,
            number: request.number,
            hold: request.hold,
            beside: Beside(request.beside),
            brief: request.brief,
        }
    }
}

impl From<RequestForm> for Request {
    fn from(form: RequestForm) -> Self {
        Self {
            session: SessionId::new(form.session.0),
            secret: ResumeSecret::new(form.secret.0),
            server: form.server.0,
            epoch: form.epoch,
            number: form.number,
            hold: form.hold,
            beside: if form.hold { form.beside.0 } else { 0 },
            brief: form.hold && form.brief && form.beside.is_none(),
        }
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct CloseForm {
    reason: InWord<CloseReason>,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    epoch: u64,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<&Close> for CloseForm {
    fn from(close: &Close) -> Self {
        Self {
            reason: InWord(close.reason),
            message: close.message.clone(),
            retry_after: close.retry_after.map(milliseconds),
            epoch: close.epoch,
        }
    }
}

impl From<CloseForm> for Close {
    fn from(form: CloseForm) -> Self {
        Self {
            reason: form.reason.0,
            message: form.message,
            retry_after: form.retry_after.map(Duration::from_millis),
            epoch: form.epoch,
        }
    }
}

/// `[received, credit]`.
#[derive(Deserialize, Serialize)]
pub(super) struct Ack(u64, u64);

impl From<Acknowledge> for Ack {
    fn from(Acknowledge { received, credit }: Acknowledge) -> Self {
        Self(received, credit)
    }
}

impl From<Ack> for Acknowledge {
    fn from(Ack(received, credit): Ack) -> Self {
        Self { received, credit }
    }
}

/// A reason as its word.
struct InWord<T>(T);

impl<T: Word> Serialize for InWord<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de, T: Word> Deserialize<'de> for InWord<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::from_word(&String::deserialize(deserializer)?)))
    }
}

/// Bits as hex digits, all of them: the numbers of JavaScript are too small for them.
struct Hex<T>(T);

macro_rules! hex {
    ($($type:ident, $digits:literal;)*) => {
        $(
            impl Serialize for Hex<$type> {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(&format_args!("{:0digits$x}", self.0, digits = $digits))
                }
            }

            impl<'de> Deserialize<'de> for Hex<$type> {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    let digits = text.len() == $digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                    let value = if digits { $type::from_str_radix(&text, 16).ok() } else { None };
                    value.map(Self).ok_or_else(|| D::Error::custom("not as many hex digits as it has to be"))
                }
            }
        )*
    };
}

hex! {
    u64, 16;
    u128, 32;
}
