//! Any frame. Payloads are JSON, which fits both encodings.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sente_proto::codec::Codec;
use sente_proto::contract::{Table, TableEvent, TableReply, Way};
use sente_proto::frame::{
    Acknowledge, Answer, Authenticate, Data, Failure, Frame, Hello, Item, Offer, Outcome, POLLS,
    Request, Resume, Terms, Welcome,
};
use sente_proto::{
    Close, CloseReason, FreshReason, Refused, RefusedReason, ResumeSecret, Secret, SessionId,
};

use super::encoded;

/// A frame that can be shown when a property fails: frames hold secrets and have no `Debug`.
pub(crate) struct Shown(pub(crate) Frame);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&encoded(Codec::Json, &self.0)))
    }
}

fn payload() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        Just(Bytes::from_static(b"[]")),
        any::<Vec<(String, u32)>>().prop_map(|value| Codec::Json.encode(&value).unwrap()),
    ]
}

fn milliseconds() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_millis)
}

fn acknowledge() -> impl Strategy<Value = Acknowledge> {
    any::<(u64, u64)>().prop_map(|(received, credit)| Acknowledge { received, credit })
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![Just(Way::Never), Just(Way::Event), Just(Way::Call),]
}

fn table() -> impl Strategy<Value = Table> {
    let event = (
        any::<(String, Vec<u64>, u32)>(),
        (way(), way()),
        any::<(u64, u64)>(),
    )
        .prop_map(
            |((name, fields, required), (to_server, to_client), (reply, error))| TableEvent {
                name,
                to_server,
                to_client,
                fields,
                required,
                reply: [to_server, to_client]
                    .contains(&Way::Call)
                    .then_some(TableReply { reply, error }),
            },
        );
    (any::<(String, Option<u64>)>(), vec(event, 0..4)).prop_map(|((name, handshake), events)| {
        Table {
            name,
            handshake,
            events,
        }
    })
}

fn hello() -> impl Strategy<Value = Shown> {
    let resume = (any::<(u128, u128)>(), acknowledge());
    let offer = any::<(String, u128, u32)>().prop_map(|(name, digest, events)| Offer {
        name,
        digest,
        events,
    });
    (
        any::<(String, u128, u64)>(),
        any::<[Option<String>; 3]>(),
        vec(offer, 0..4),
        option::of(resume),
    )
        .prop_map(
            |((codec, attempt, epoch), [token, csrf, device], namespaces, resume)| {
                Shown(Frame::Hello(Box::new(Hello {
                    version: 1,
                    codec,
                    attempt,
                    epoch,
                    namespaces,
                    token: token.map(Secret::new),
                    csrf: csrf.map(Secret::new),
                    device,
                    resume: resume.map(|((session, secret), acknowledge)| Resume {
                        session: SessionId::new(session),
                        secret: ResumeSecret::new(secret),
                        acknowledge,
                    }),
                })))
            },
        )
}

fn welcome() -> impl Strategy<Value = Shown> {
    let answer =
        (any::<(String, u32)>(), option::of(table())).prop_map(|((name, events), table)| Answer {
            name,
            events,
            table,
        });
    let terms = (any::<u32>(), milliseconds(), milliseconds(), milliseconds()).prop_map(
        |(max_message, window, silence, poll_hold)| Terms {
            max_message,
            window,
            silence,
            poll_hold,
        },
    );
    let fresh = option::of(prop::sample::select(vec![
        FreshReason::First,
        FreshReason::Restarted,
        FreshReason::Expired,
        FreshReason::Overflow,
        FreshReason::UserChanged,
        FreshReason::Replaced,
        FreshReason::Requested,
        FreshReason::Shutdown,
        FreshReason::Violation,
    ]));
    let about = (
        any::<(u128, u128, u64, u64)>(),
        fresh,
        any::<Option<String>>(),
        acknowledge(),
    );
    (
        about,
        terms,
        vec(answer, 0..3),
        vec((any::<String>(), payload()), 0..3),
    )
        .prop_map(
            |(
                ((session, secret, epoch, server), fresh, user, acknowledge),
                terms,
                namespaces,
                handshake,
            )| {
                Shown(Frame::Welcome(Box::new(Welcome {
                    session: SessionId::new(session),
                    secret: ResumeSecret::new(secret),
                    epoch,
                    server,
                    fresh,
                    user,
                    acknowledge,
                    terms,
                    namespaces,
                    handshake,
                })))
            },
        )
}

fn refused() -> impl Strategy<Value = Shown> {
    let reason = prop::sample::select(vec![
        RefusedReason::Unauthorized,
        RefusedReason::Forbidden,
        RefusedReason::Origin,
        RefusedReason::Csrf,
        RefusedReason::Version,
        RefusedReason::Codec,
        RefusedReason::Full,
        RefusedReason::Shutdown,
        RefusedReason::Malformed,
    ]);
    (
        any::<(u16, String, Vec<String>)>(),
        reason,
        option::of(milliseconds()),
    )
        .prop_map(|((status, message, codecs), reason, retry_after)| {
            Shown(Frame::Refused(Box::new(Refused {
                status,
                reason,
                message,
                retry_after,
                codecs,
            })))
        })
}

fn close() -> impl Strategy<Value = Shown> {
    let reason = prop::sample::select(vec![
        CloseReason::Goodbye,
        CloseReason::Replaced,
        CloseReason::Shutdown,
        CloseReason::Overflow,
        CloseReason::Kicked,
        CloseReason::UnknownSession,
        CloseReason::UserChanged,
        CloseReason::Malformed,
        CloseReason::TooLarge,
        CloseReason::Unexpected,
        CloseReason::Gap,
        CloseReason::CreditExceeded,
        CloseReason::AcknowledgedUnsent,
        CloseReason::UnknownCall,
        CloseReason::HandshakeTimeout,
        CloseReason::Silent,
        CloseReason::IdentityExpired,
    ]);
    (any::<(String, u64)>(), reason, option::of(milliseconds())).prop_map(
        |((message, epoch), reason, retry_after)| {
            Shown(Frame::Close(Box::new(Close {
                reason,
                message,
                retry_after,
                epoch,
            })))
        },
    )
}

fn authenticate() -> impl Strategy<Value = Shown> {
    any::<(Option<String>, Option<String>)>().prop_map(|(token, csrf)| {
        Shown(Frame::Authenticate(Authenticate {
            token: token.map(Secret::new),
            csrf: csrf.map(Secret::new),
        }))
    })
}

fn request() -> impl Strategy<Value = Shown> {
    let numbers = any::<(u128, u128, u64, u64, u64)>();
    (numbers, option::of(0..=POLLS)).prop_map(
        |((session, secret, server, epoch, number), beside)| {
            Shown(Frame::Request(Request {
                session: SessionId::new(session),
                secret: ResumeSecret::new(secret),
                server,
                epoch,
                number,
                hold: beside.is_some(),
                beside: beside.unwrap_or_default() % POLLS,
                brief: beside == Some(POLLS),
            }))
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    let failure = prop::sample::select(vec![
        Failure::Unsupported,
        Failure::Incompatible,
        Failure::Malformed,
        Failure::Internal,
        Failure::TooLarge,
    ]);
    let outcome = prop_oneof![
        payload().prop_map(Outcome::Reply),
        payload().prop_map(Outcome::Rejected),
        failure.prop_map(Outcome::Failed),
    ];
    prop_oneof![
        (any::<u32>(), payload()).prop_map(|(event, payload)| Item::Event { event, payload }),
        (any::<u32>(), milliseconds(), payload()).prop_map(|(event, remaining, payload)| {
            Item::Call {
                event,
                remaining,
                payload,
            }
        }),
        (any::<u64>(), outcome).prop_map(|(call, outcome)| Item::Reply { call, outcome }),
        any::<u64>().prop_map(|call| Item::Cancel { call }),
        (1..=u64::from(u32::MAX)).prop_map(|count| Item::Skip { count }),
    ]
}

pub(crate) fn data() -> impl Strategy<Value = Data> {
    (
        option::of(acknowledge()),
        1..=1_u64 << 60,
        vec(item(), 0..16),
    )
        .prop_map(|(acknowledge, first, items)| {
            let first = if items.is_empty() { 0 } else { first };
            Data {
                acknowledge,
                first,
                items,
            }
        })
}

pub(crate) fn frame() -> impl Strategy<Value = Shown> {
    prop_oneof![
        hello(),
        welcome(),
        refused(),
        vec(table(), 0..3).prop_map(|tables| Shown(Frame::Tables(tables))),
        request(),
        close(),
        authenticate(),
        milliseconds().prop_map(|after| Shown(Frame::Expires(after))),
        any::<u64>().prop_map(|number| Shown(Frame::Ping(number))),
        any::<u64>().prop_map(|number| Shown(Frame::Pong(number))),
        data().prop_map(|data| Shown(Frame::Data(data))),
    ]
}
