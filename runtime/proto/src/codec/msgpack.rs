//! The `msgpack` codec: a value is its MessagePack, with structs as maps by their fields' names; the
//! fields of an event are one array.
//!
//! `rmp_serde` believes claimed lengths and does not count every recursion, so reading goes through
//! [`bounded`](super::bounded).

use rmp_serde::decode::{Error as DecodeError, ReadRefReader};
use rmp_serde::encode::Error as EncodeError;
use rmp_serde::{Deserializer, Serializer};
use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};

use super::Message;
use super::bounded::{Bounded, Bounds};

/// The first byte of an array of up to 15 elements, to which their number is added.
const SHORT_ARRAY: u8 = 0x90;
const SHORT: u16 = 15;
/// The first byte of an array whose length follows in two bytes.
const ARRAY: u8 = 0xdc;

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Message> {
    let mut out = super::scratch::take();
    put(value, &mut out)?;
    Ok(out)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Message> {
    let mut values = Values::new(bytes);
    let value = values.next()?;
    values.end()?;
    Ok(value)
}

fn put<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Message> {
    value
        .serialize(&mut Serializer::new(out).with_struct_map())
        .map_err(|error| match error {
            EncodeError::Syntax(message) => Message::new(message),
            other => Message::new(other),
        })
}

pub(super) struct Writer {
    /// Begins with a byte for the array, to be set when the number of fields is known.
    out: Vec<u8>,
    fields: u16,
}

impl Writer {
    pub(super) fn new() -> Self {
        let mut out = super::scratch::take();
        out.push(SHORT_ARRAY);
        Self { out, fields: 0 }
    }

    pub(super) fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Message> {
        let before = self.out.len();
        let Some(fields) = self.fields.checked_add(1) else {
            return Err(Message::new("an event has more than 65,535 fields"));
        };
        put(value, &mut self.out).inspect_err(|_| self.out.truncate(before))?;
        self.fields = fields;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.fields <= SHORT {
            self.out[0] = SHORT_ARRAY | self.fields as u8;
        } else {
            let [high, low] = self.fields.to_be_bytes();
            self.out.splice(..1, [ARRAY, high, low]);
        }
        self.out
    }
}

pub(super) struct Reader<'a> {
    values: Values<'a>,
    /// How many fields are still to come; `None` if the payload does not begin with an array.
    left: Option<u16>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (left, fields) = match *bytes {
            [first, ref fields @ ..] if first & !0x0f == SHORT_ARRAY => {
                (Some(u16::from(first & 0x0f)), fields)
            }
            [ARRAY, high, low, ref fields @ ..] => (Some(u16::from_be_bytes([high, low])), fields),
            _ => (None, &[][..]),
        };
        Self {
            values: Values::new(fields),
            left,
        }
    }

    pub(super) fn field<T: DeserializeOwned>(&mut self) -> Result<T, Message> {
        let Some(left) = self.left()?.checked_sub(1) else {
            return Err(Message::new("the fields end early"));
        };
        let value = self.values.next()?;
        self.left = Some(left);
        Ok(value)
    }

    pub(super) fn more(&mut self) -> Result<bool, Message> {
        self.left().map(|left| left > 0)
    }

    pub(super) fn finish(self, exact: bool) -> Result<(), Message> {
        match self.left()? {
            _ if !exact => Ok(()),
            0 => self.values.end(),
            left => Err(Message::new(format_args!("{left} fields are left over"))),
        }
    }

    fn left(&self) -> Result<u16, Message> {
        self.left
            .ok_or_else(|| Message::new("the fields are no array"))
    }
}

/// Values one after the other.
struct Values<'a> {
    deserializer: Deserializer<ReadRefReader<'a, [u8]>>,
    bounds: Bounds,
}

impl<'a> Values<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            deserializer: Deserializer::from_read_ref(bytes),
            // There is no element without a byte.
            bounds: Bounds::new(bytes.len()),
        }
    }

    fn next<T: DeserializeOwned>(&mut self) -> Result<T, Message> {
        T::deserialize(Bounded::new(&mut self.deserializer, &self.bounds)).map_err(decode_message)
    }

    /// Says that no value follows.
    fn end(mut self) -> Result<(), Message> {
        // How far it has read it does not tell; but only at the end there is no marker.
        match u8::deserialize(&mut self.deserializer) {
            Err(DecodeError::InvalidMarkerRead(_)) => Ok(()),
            _ => Err(Message::new("something follows the value")),
        }
    }
}

/// Says it in words; what the bytes were is nobody's business.
fn decode_message(error: DecodeError) -> Message {
    match error {
        DecodeError::InvalidMarkerRead(_) | DecodeError::InvalidDataRead(_) => {
            Message::new("the bytes end early")
        }
        DecodeError::Syntax(message) => Message::new(message),
        other => Message::new(other),
    }
}
