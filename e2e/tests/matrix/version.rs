//! One version of one contract: how its events are sent, and what its handlers understand.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use sente::{Events, Routes, ToClient};
use sente_client::{CallError, Client, Codec, SendError};
use sente_schema::Contract;
use sente_server::{Builder, Peer};
use serde::Serialize;

/// What handlers have understood and answered, as JSON, by namespace.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<HashMap<String, Record>>>);

/// What the last handler of a namespace has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Record {
    pub(crate) understood: Option<String>,
    pub(crate) answered: Option<String>,
}

impl Recorder {
    pub(crate) fn heard(&self, namespace: &str, what: &str) {
        self.record(namespace, |record| {
            record.understood = Some(what.to_owned());
        });
    }

    pub(crate) fn answered(&self, namespace: &str, what: &str) {
        self.record(namespace, |record| record.answered = Some(what.to_owned()));
    }

    pub(crate) fn take(&self, namespace: &str) -> Record {
        self.0.lock().unwrap().remove(namespace).unwrap_or_default()
    }

    fn record(&self, namespace: &str, write: impl FnOnce(&mut Record)) {
        write(
            self.0
                .lock()
                .unwrap()
                .entry(namespace.to_owned())
                .or_default(),
        );
    }
}

/// A version of a contract.
pub(crate) struct Version {
    pub(crate) namespace: &'static str,
    pub(crate) serve: fn(Builder, Recorder) -> Builder,
    pub(crate) client: fn(Recorder) -> Routes<ToClient>,
    /// An event and a call that one version or both have.
    pub(crate) tell: Option<Sends>,
    pub(crate) ask: Option<Sends>,
    /// A call that has not changed.
    pub(crate) still: Sends,
    /// What the client was told at the handshake, as JSON.
    pub(crate) told: fn(&Client) -> Option<String>,
    /// As text.
    pub(crate) contract: fn() -> Contract,
}

/// How something is sent.
pub(crate) struct Sends {
    pub(crate) to_server: Option<fn(&Client) -> BoxFuture<'static, Outcome>>,
    pub(crate) to_client: Option<fn(&Peer) -> BoxFuture<'static, Outcome>>,
    /// What is sent, as JSON.
    pub(crate) text: fn() -> String,
    /// Its fields, encoded.
    pub(crate) encode: fn(Codec) -> Option<Vec<u8>>,
    /// What this version makes of such fields, whoever wrote them; nothing if they cannot be read.
    pub(crate) decode: fn(Codec, &[u8]) -> Option<String>,
}

/// What became of it, as the sender sees it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It was accepted.
    Sent,
    /// It was answered, with this as JSON.
    Answered(String),
    Incompatible,
    Unsupported,
    /// Whatever else must not be.
    Failed,
}

impl From<Result<(), SendError>> for Outcome {
    fn from(result: Result<(), SendError>) -> Self {
        match result {
            Ok(()) => Self::Sent,
            Err(SendError::Incompatible { .. }) => Self::Incompatible,
            Err(SendError::Unsupported { .. }) => Self::Unsupported,
            Err(_) => Self::Failed,
        }
    }
}

impl<T: Serialize, E: fmt::Debug> From<Result<T, CallError<E>>> for Outcome {
    fn from(result: Result<T, CallError<E>>) -> Self {
        match result {
            Ok(reply) => Self::Answered(json(&reply)),
            Err(CallError::Rejected(error)) => Self::Answered(format!("{{\"Err\":{error:?}}}")),
            Err(CallError::Incompatible) => Self::Incompatible,
            Err(CallError::Unsupported) => Self::Unsupported,
            Err(_) => Self::Failed,
        }
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("JSON has all of these")
}

pub(crate) fn encode<E: Events>(codec: Codec, event: &E) -> Option<Vec<u8>> {
    let mut writer = codec.writer();
    event.encode(&mut writer).ok()?;
    Some(writer.finish().to_vec())
}

pub(crate) fn decode<E: Events>(codec: Codec, index: u32, bytes: &[u8]) -> Option<E> {
    E::decode(index, codec.reader(bytes), false)?.ok()
}
