//! The `postcard` codec: values one after the other, without names.
//!
//! Reading goes through [`guard`](super::guard), as with bincode: postcard reads the primitives, and
//! none of those allocates.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};

use super::Message;
use super::guard::{Guard, Source};

pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            out: super::scratch::take(),
        }
    }

    pub(super) fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Message> {
        let before = self.out.len();
        postcard::serialize_with_flavor(value, Sink(&mut self.out)).map_err(|error| {
            self.out.truncate(before);
            message(error)
        })
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// A `Vec` that postcard writes into.
struct Sink<'a>(&'a mut Vec<u8>);

impl Flavor for Sink<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

pub(super) struct Reader<'a> {
    guard: Guard<Primitives<'a>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            guard: Guard::new(Primitives(bytes)),
        }
    }

    pub(super) fn field<T: DeserializeOwned>(&mut self) -> Result<T, Message> {
        T::deserialize(&mut self.guard)
    }

    pub(super) fn more(&mut self) -> Result<bool, Message> {
        Ok(self.guard.remaining() > 0)
    }

    pub(super) fn finish(self, exact: bool) -> Result<(), Message> {
        self.guard.finish(exact)
    }
}

/// What postcard reads for the guard: the bytes not yet read.
struct Primitives<'a>(&'a [u8]);

impl<'a> Primitives<'a> {
    #[inline]
    fn take<T: Deserialize<'a>>(&mut self) -> Result<T, Message> {
        let (value, rest) = postcard::take_from_bytes(self.0).map_err(message)?;
        self.0 = rest;
        Ok(value)
    }
}

macro_rules! primitives {
    ($($name:ident: $type:ty,)*) => {
        $(
            #[inline]
            fn $name(&mut self) -> Result<$type, Message> {
                self.take()
            }
        )*
    };
}

impl<'a> Source<'a> for Primitives<'a> {
    primitives! {
        bool: bool, char: char,
        u8: u8, u16: u16, u32: u32, u64: u64, u128: u128,
        i8: i8, i16: i16, i32: i32, i64: i64, i128: i128,
        f32: f32, f64: f64,
        length: u64, variant: u32,
        str: &'a str, bytes: &'a [u8],
    }

    fn present(&mut self) -> Result<bool, Message> {
        self.take().map(|option: Option<()>| option.is_some())
    }

    fn remaining(&mut self) -> usize {
        self.0.len()
    }
}

/// Says it in words; what the bytes were is nobody's business.
fn message(error: postcard::Error) -> Message {
    use postcard::Error;
    Message::new(match error {
        Error::DeserializeUnexpectedEnd => "the bytes end early",
        Error::DeserializeBadVarint => "a number is larger than its type",
        Error::DeserializeBadBool => "a truth value is neither 0 nor 1",
        Error::DeserializeBadOption => "an option is neither 0 nor 1",
        Error::DeserializeBadChar => "a character is none",
        Error::DeserializeBadUtf8 => "a text is not UTF-8",
        Error::SerdeSerCustom => "the `Serialize` of the value failed",
        Error::SerdeDeCustom => "the `Deserialize` of the value failed",
        Error::SerializeSeqLengthUnknown => "a sequence or map has to know its length beforehand",
        other => return Message::new(other),
    })
}
