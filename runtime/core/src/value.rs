//! Sending an event that is a value of its enum. It takes the road of the generated methods.

use std::sync::Arc;

use sente_proto::codec::FieldWriter;
use sente_proto::session::Delivery;

use crate::error::SendError;
use crate::port::Port;
use crate::target::{Outline, push, send};
use crate::{Events, Targets};

/// How an event is sent: its number within its namespace, and its class in each direction. For
/// generated code.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by generated code")]
pub struct Sending {
    /// The number.
    pub index: u32,
    /// Its class when a client sends it; `None` if clients do not.
    pub to_server: Option<Delivery>,
    /// Its class when the server sends it; `None` if the server does not.
    pub to_client: Option<Delivery>,
}

impl Sending {
    /// An event that is sent in no direction.
    pub const NOWHERE: Self = Self {
        index: 0,
        to_server: None,
        to_client: None,
    };

    fn outline<E: Events>(self, class: Option<Delivery>) -> Result<Outline, SendError> {
        let outline = Outline {
            namespace: E::NAMESPACE,
            index: self.index,
            delivery: class.unwrap_or(Delivery::Reliable),
        };
        match class {
            Some(_) => Ok(outline),
            None => Err(SendError::WrongDirection {
                event: outline.name(),
            }),
        }
    }
}

/// Sends a value to the server.
pub(crate) fn to_server<E: Events>(port: &Arc<Port>, event: &E) -> Result<(), SendError> {
    let sending = event.sending();
    send_value(port, sending.outline::<E>(sending.to_server)?, event)
}

/// Sends a value to one client.
pub(crate) fn to_client<E: Events>(port: &Arc<Port>, event: &E) -> Result<(), SendError> {
    let sending = event.sending();
    send_value(port, sending.outline::<E>(sending.to_client)?, event)
}

fn send_value<E: Events>(port: &Arc<Port>, outline: Outline, event: &E) -> Result<(), SendError> {
    let key = |fields: &mut FieldWriter| event.encode_key(fields);
    send(Some(port), &outline, key, |fields| event.encode(fields))
}

/// Sends a value to many clients; returns for how many it was queued.
///
/// # Errors
/// If the server does not send this event.
pub fn push_value<E: Events>(targets: &impl Targets, event: &E) -> Result<usize, SendError> {
    let sending = event.sending();
    let outline = sending.outline::<E>(sending.to_client)?;
    let key = |fields: &mut FieldWriter| event.encode_key(fields);
    Ok(push(targets, &outline, key, |fields| event.encode(fields)))
}
