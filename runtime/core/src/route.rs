//! From an incoming event to its handler: the traits that generated code implements.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use sente_proto::codec::{Codec, DecodeError, EncodeError, FieldReader, FieldWriter};
use sente_proto::contract::{About, Namespace};
use sente_proto::frame::{Failure, Outcome};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RouteError;
use crate::send::{MaybeSend, MaybeSendFuture, MaybeSync, SendFuture};
use crate::value::Sending;
use crate::{Link, Peer};

/// An enum with `#[sente::events]`: one namespace of events.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a namespace of events",
    note = "put `#[sente::events]` on the enum"
)]
pub trait Events: Sized + Send + 'static {
    /// The namespace as data.
    const NAMESPACE: &'static Namespace;

    /// What its source says beside that.
    const ABOUT: &'static About;

    /// What the server tells a client when it connects; `()` where the contract names nothing.
    type Handshake: Serialize + DeserializeOwned + Send + 'static;

    /// The event with number `index` as a value; `None` if there is no such event.
    fn decode(
        index: u32,
        fields: FieldReader<'_>,
        exact: bool,
    ) -> Option<Result<Self, DecodeError>>;

    /// How this event is sent.
    fn sending(&self) -> Sending;

    /// Writes the fields, as [`decode`](Self::decode) reads them.
    ///
    /// # Errors
    /// If the codec cannot encode one.
    fn encode(&self, _fields: &mut FieldWriter) -> Result<(), EncodeError> {
        Ok(())
    }

    /// Writes the fields with `#[key]`.
    ///
    /// # Errors
    /// If the codec cannot encode one.
    fn encode_key(&self, _fields: &mut FieldWriter) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// Who sends: the direction of an event.
pub trait Direction: Sized + 'static {
    /// The sender, as the handler sees it.
    type From: Clone + Send + Sync + 'static;
    /// A handler at work. It ends with the outcome of a call, or with nothing after an event.
    type Work: Future<Output = Option<Outcome>> + Unpin + MaybeSend + 'static;

    /// Puts work into the form in which it is kept.
    fn work(work: impl Future<Output = Option<Outcome>> + Send + 'static) -> Self::Work;
}

/// The direction of events that clients send.
#[derive(Debug)]
pub enum ToServer {}

impl Direction for ToServer {
    type From = Peer;
    type Work = SendFuture<Option<Outcome>>;

    fn work(work: impl Future<Output = Option<Outcome>> + Send + 'static) -> Self::Work {
        Box::pin(work)
    }
}

/// The direction of events that servers send.
#[derive(Debug)]
pub enum ToClient {}

impl Direction for ToClient {
    type From = Link;
    type Work = MaybeSendFuture<Option<Outcome>>;

    fn work(work: impl Future<Output = Option<Outcome>> + Send + 'static) -> Self::Work {
        Box::pin(work)
    }
}

/// An event that has arrived and waits for its handler.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Its number within its namespace.
    pub index: u32,
    /// Its fields, encoded.
    pub payload: Bytes,
    /// By this codec.
    pub codec: Codec,
    /// Whether sender and receiver have the same form of it.
    pub exact: bool,
    /// Whether the sender waits for a reply.
    pub is_call: bool,
}

impl Arrived {
    /// Reads the fields.
    #[must_use]
    pub fn fields(&self) -> FieldReader<'_> {
        self.codec.reader(&self.payload)
    }
}

/// Finds the handler of an event and sets it to work. Generated code implements it.
pub trait Route<D: Direction>: MaybeSend + MaybeSync + 'static {
    /// Decodes the fields and makes the handler's future, which has not begun to run.
    ///
    /// # Errors
    /// If there is no such handler, or the fields could not be decoded.
    fn route(&self, from: &D::From, event: &Arrived) -> Result<D::Work, RouteError>;
}

/// The handlers of one namespace, ready to be served: what `Chat::server(handler)` returns.
pub struct Routes<D: Direction> {
    pub(crate) namespace: &'static Namespace,
    pub(crate) route: Arc<dyn Route<D>>,
    pub(crate) sequential: bool,
}

impl<D: Direction> Routes<D> {
    /// Wraps what generated code made.
    pub fn new(namespace: &'static Namespace, route: impl Route<D>) -> Self {
        Self {
            namespace,
            route: Arc::new(route),
            sequential: false,
        }
    }

    /// Starts each handler only when the last one of the same session has finished.
    ///
    /// By default handlers are *started* in order and run concurrently once they wait.
    #[must_use]
    pub fn sequential(mut self) -> Self {
        self.sequential = true;
        self
    }

    /// The namespace that is served.
    #[must_use]
    pub fn namespace(&self) -> &'static Namespace {
        self.namespace
    }
}

impl<D: Direction> std::fmt::Debug for Routes<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes")
            .field("namespace", &self.namespace.name)
            .finish_non_exhaustive()
    }
}

/// The outcome of a handler that cannot reject.
pub fn reply<T: Serialize>(codec: Codec, event: &'static str, reply: &T) -> Outcome {
    encoded(codec, event, reply).map_or_else(Outcome::Failed, Outcome::Reply)
}

/// The outcome of a handler that may reject.
pub fn result<T: Serialize, E: Serialize>(
    codec: Codec,
    event: &'static str,
    result: &Result<T, E>,
) -> Outcome {
    match result {
        Ok(value) => reply(codec, event, value),
        Err(error) => encoded(codec, event, error).map_or_else(Outcome::Failed, Outcome::Rejected),
    }
}

fn encoded<T: Serialize>(codec: Codec, event: &'static str, value: &T) -> Result<Bytes, Failure> {
    codec.encode(value).map_err(|error| {
        tracing::error!(
            event,
            "a reply cannot be encoded; the caller is told that the handler failed"
        );
        // Serde's errors may quote what they could not write.
        tracing::trace!(event, %error);
        Failure::Internal
    })
}
