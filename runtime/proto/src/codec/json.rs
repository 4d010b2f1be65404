//! The `json` codec: a value is its JSON, the fields of an event are one array.
//!
//! `serde_json` allocates as it reads, never by a claimed length (JSON has none), and stops at a
//! depth of 128 by itself.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Message;

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Message> {
    serde_json::to_vec(value).map_err(Message::new)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Message> {
    serde_json::from_slice(bytes).map_err(Message::new)
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
        }
    }

    pub(super) fn field<T: DeserializeOwned>(&mut self) -> Result<T, Message> {
        if !self.more()? {
            return Err(Message::new("the fields end early"));
        }
        let mut values = serde_json::Deserializer::from_slice(self.rest).into_iter::<T>();
        let value = values
            .next()
            .ok_or_else(|| Message::new("the text ends early"))?
            .map_err(Message::new)?;
        self.rest = self.rest.get(values.byte_offset()..).unwrap_or_default();
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
