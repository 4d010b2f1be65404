//! Sending: to the one side there is, to one client, to many.

use std::sync::Arc;

use bytes::Bytes;
use sente_proto::codec::{Codec, EncodeError, FieldWriter};
use sente_proto::contract::Namespace;
use sente_proto::session::{Delivery, Outgoing, Refusal};

use crate::Peer;
use crate::error::SendError;
use crate::port::Port;

/// One client as the target of events and calls: a `&Peer`, or what the server returns for one
/// session.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not one client",
    note = "a call goes to one client: give a `&Peer` or `server.session(id)`",
    note = "to send an event to many, use `to_clients`"
)]
pub trait One {
    /// The session, if it is still there.
    fn port(self) -> Option<Arc<Port>>;
}

impl One for &Peer {
    fn port(self) -> Option<Arc<Port>> {
        Some(Arc::clone(Peer::port(self)))
    }
}

/// Many clients as the target of events: `server.user(id)`, `.everyone()` and so on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of clients",
    note = "give what the server returns: `server.user(id)`, `server.room(name)`, `server.everyone()`"
)]
pub trait Targets {
    /// Offers the event to each session of the set; returns for how many it was queued.
    fn push(&self, push: &mut Push<'_>) -> usize;
}

/// An event, its class and its number within its namespace. For generated code.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by generated code")]
pub struct Outline {
    /// The namespace.
    pub namespace: &'static Namespace,
    /// The event's number within it.
    pub index: u32,
    /// Its delivery class.
    pub delivery: Delivery,
}

impl Outline {
    pub(crate) fn name(&self) -> &'static str {
        self.namespace
            .events
            .get(self.index as usize)
            .map_or("", |event| event.name)
    }
}

/// An event on its way to many sessions, encoded once for each codec among them.
pub struct Push<'a> {
    outline: Outline,
    key: &'a dyn Fn(&mut FieldWriter) -> Result<(), EncodeError>,
    write: &'a dyn Fn(&mut FieldWriter) -> Result<(), EncodeError>,
    encoded: Vec<(Codec, Option<(Bytes, Bytes)>)>,
}

impl Push<'_> {
    /// The event's id, for instance `chat/posted`.
    #[must_use]
    pub fn event(&self) -> &'static str {
        self.outline.name()
    }

    /// Offers the event to one session.
    ///
    /// # Errors
    /// As for a send to it alone.
    pub fn offer(&mut self, port: &Port) -> Result<(), SendError> {
        let event = number(port, &self.outline)?;
        let codec = port.codec();
        let (payload, key) = self.encoded(codec).ok_or(SendError::Unsupported {
            event: self.outline.name(),
        })?;
        let outgoing = Outgoing {
            event,
            payload,
            delivery: self.outline.delivery,
            key,
        };
        port.act(|now, session| session.send(now, outgoing))
            .map_err(|refusal| refused(refusal, self.outline.name()))
    }

    /// `None` if the codec cannot encode it, which is logged once a push.
    fn encoded(&mut self, codec: Codec) -> Option<(Bytes, Bytes)> {
        if let Some((_, encoded)) = self.encoded.iter().find(|(known, _)| *known == codec) {
            return encoded.clone();
        }
        let encoded = encode(codec, self.outline.delivery, self.key, self.write)
            .inspect_err(|error| {
                let event = self.outline.name();
                tracing::error!(event, "an event cannot be encoded and was not pushed");
                // Serde's errors may quote what they could not write.
                tracing::trace!(event, %error);
            })
            .ok();
        self.encoded.push((codec, encoded.clone()));
        encoded
    }
}

impl std::fmt::Debug for Push<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Push")
            .field("event", &self.event())
            .finish_non_exhaustive()
    }
}

/// Sends an event to one side. For generated code.
///
/// # Errors
/// If the event was not accepted.
pub fn send(
    port: Option<&Arc<Port>>,
    outline: &Outline,
    key: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
    write: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
) -> Result<(), SendError> {
    let port = port.ok_or(SendError::Ended)?;
    let outgoing = prepare(port, outline, key, write)?;
    port.act(|now, session| session.send(now, outgoing))
        .map_err(|refusal| refused(refusal, outline.name()))
}

/// Sends an event to many. For generated code.
pub fn push(
    targets: &impl Targets,
    outline: &Outline,
    key: impl Fn(&mut FieldWriter) -> Result<(), EncodeError>,
    write: impl Fn(&mut FieldWriter) -> Result<(), EncodeError>,
) -> usize {
    targets.push(&mut Push {
        outline: *outline,
        key: &key,
        write: &write,
        encoded: Vec::new(),
    })
}

pub(crate) fn prepare(
    port: &Port,
    outline: &Outline,
    key: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
    write: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
) -> Result<Outgoing, SendError> {
    let event = number(port, outline)?;
    let (payload, key) = encode(port.codec(), outline.delivery, key, write)?;
    Ok(Outgoing {
        event,
        payload,
        delivery: outline.delivery,
        key,
    })
}

fn number(port: &Port, outline: &Outline) -> Result<u32, SendError> {
    let event = outline.name();
    let contract = port.contract();
    let number = contract
        .number(outline.namespace, outline.index)
        .ok_or(SendError::Unsupported { event })?;
    // The codec would fail to encode it, or do so in vain.
    if contract.is_carried(number, port.codec()) {
        Ok(number)
    } else {
        port.with(|_, session| session.refuse_skewed());
        Err(SendError::Incompatible { event })
    }
}

/// All fields, and those that tell events of `delivery = latest` apart.
fn encode(
    codec: Codec,
    delivery: Delivery,
    key: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
    write: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
) -> Result<(Bytes, Bytes), EncodeError> {
    let key = if delivery == Delivery::Latest {
        fields(codec, key)?
    } else {
        Bytes::new()
    };
    Ok((fields(codec, write)?, key))
}

fn fields(
    codec: Codec,
    write: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
) -> Result<Bytes, EncodeError> {
    let mut writer = codec.writer();
    write(&mut writer)?;
    Ok(writer.finish())
}

pub(crate) fn refused(refusal: Refusal, event: &'static str) -> SendError {
    match refusal {
        Refusal::Full => SendError::Full,
        Refusal::TooLarge { size, limit } => SendError::TooLarge { size, limit },
        Refusal::Unsupported => SendError::Unsupported { event },
        Refusal::Incompatible => SendError::Incompatible { event },
        Refusal::Ended => SendError::Ended,
        Refusal::Unconfirmed => SendError::Unconfirmed,
    }
}
