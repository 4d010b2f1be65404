//! The `json` codec: a value is its JSON, the fields of an event are one array.
//!
//! `serde_json` allocates as it reads, never by a claimed length (JSON has none), and stops where
//! arrays and objects nest deeper than 128. It does not count what writes no brackets, options and
//! newtypes, so reading goes through [`bounded`](super::bounded).

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Message;
use super::bounded::{Bounded, Bounds};

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Message> {
    serde_json::to_vec(value).map_err(Message::new)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Message> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let bounds = Bounds::new(bytes.len());
    let value = T::deserialize(Bounded::new(&mut deserializer, &bounds)).map_err(Message::new)?;
    deserializer.end().map_err(Message::new)?;
    Ok(value)
}

pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { out: vec![b'['] }
    }

    pub(super) fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Message> {
        let before = self.out.len();
        if before > 1 {
            self.out.push(b',');
        }
        serde_json::to_writer(&mut self.out, value).map_err(|error| {
            self.out.truncate(before);
            Message::new(error)
        })
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.push(b']');
        self.out
    }
}

/// Reads an array element by element, each as its own type and without a tree of values between.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    place: Place,
    /// There is no element without a byte.
    bounds: Bounds,
}

#[derive(Clone, Copy)]
enum Place {
    /// Before the `[`.
    Start,
    /// Before an element.
    Element,
    /// Behind an element.
    Behind,
    /// Behind the `]`.
    End,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            place: Place::Start,
            bounds: Bounds::new(bytes.len()),
        }
    }

    pub(super) fn field<T: DeserializeOwned>(&mut self) -> Result<T, Message> {
        if !self.more()? {
            return Err(Message::new("the fields end early"));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(self.rest);
        let value =
            T::deserialize(Bounded::new(&mut deserializer, &self.bounds)).map_err(Message::new)?;
        // How far it has read only the iterator tells.
        let read = deserializer.into_iter::<IgnoredAny>().byte_offset();
        self.rest = self.rest.get(read..).unwrap_or_default();
        self.place = Place::Behind;
        Ok(value)
    }

    /// Goes to the next element, if there is one.
    pub(super) fn more(&mut self) -> Result<bool, Message> {
        let mut next = match (self.place, self.peek()) {
            (Place::Element, _) => return Ok(true),
            (Place::End, _) => return Ok(false),
            (Place::Start, Some(b'[')) => Place::Element,
            (Place::Start, _) => return Err(Message::new("the fields are no array")),
            (Place::Behind, Some(b',')) => Place::Element,
            (Place::Behind, Some(b']')) => Place::End,
            (Place::Behind, _) => {
                return Err(Message::new(
                    "a field is not followed by a comma or the end",
                ));
            }
        };
        self.skip();
        // Only an array without elements may end right behind its `[`.
        if matches!(self.place, Place::Start) && self.peek() == Some(b']') {
            self.skip();
            next = Place::End;
        }
        self.place = next;
        Ok(matches!(next, Place::Element))
    }

    pub(super) fn finish(mut self, exact: bool) -> Result<(), Message> {
        if !exact {
            return self.more().map(|_| ());
        }
        if self.more()? {
            return Err(Message::new("fields are left over"));
        }
        if self.peek().is_some() {
            return Err(Message::new("something follows the fields"));
        }
        Ok(())
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }
}
