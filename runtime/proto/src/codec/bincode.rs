//! The `bincode` codec: values one after the other, without names.
//!
//! Reading goes through [`guard`](super::guard): bincode reads the primitives and checks its limit,
//! the guard does everything that has a length or a depth.

use bincode::config::{Configuration, Limit};
use bincode::de::read::{BorrowReader, Reader as Read};
use bincode::de::{BorrowDecode, Decode, Decoder, DecoderImpl};
use bincode::enc::write::Writer as Write;
use bincode::error::{DecodeError, EncodeError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Message;
use super::guard::{Guard, Source};
use super::scratch;

/// Bincode counts here what it reads, by the size of the types rather than of the bytes, so this has
/// to lie well above any payload. It is a second wall: nothing that the guard lets through allocates
/// within bincode.
const CLAIMS: usize = 1 << 30;

const CONFIG: Configuration<bincode::config::LittleEndian, bincode::config::Varint, Limit<CLAIMS>> =
    bincode::config::standard().with_limit::<CLAIMS>();

pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            out: scratch::take(),
        }
    }

    pub(super) fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Message> {
        let before = self.out.len();
        bincode::serde::encode_into_writer(value, Sink(&mut self.out), CONFIG).map_err(|error| {
            self.out.truncate(before);
            encode_message(&error)
        })
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// A `Vec` that bincode writes into.
struct Sink<'a>(&'a mut Vec<u8>);

impl Write for Sink<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

pub(super) struct Reader<'a> {
    guard: Guard<Primitives<'a>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            guard: Guard::new(Primitives(DecoderImpl::new(Rest(bytes), CONFIG, ()))),
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

/// The bytes not yet read.
struct Rest<'a>(&'a [u8]);

impl Read for Rest<'_> {
    #[inline]
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), DecodeError> {
        bytes.copy_from_slice(self.take_bytes(bytes.len())?);
        Ok(())
    }

    #[inline]
    fn peek_read(&mut self, length: usize) -> Option<&[u8]> {
        self.0.get(..length)
    }

    #[inline]
    fn consume(&mut self, length: usize) {
        self.0 = self.0.get(length..).unwrap_or_default();
    }
}

impl<'a> BorrowReader<'a> for Rest<'a> {
    #[inline]
    fn take_bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.0.split_at_checked(length) else {
            return Err(DecodeError::UnexpectedEnd {
                additional: length - self.0.len(),
            });
        };
        self.0 = rest;
        Ok(taken)
    }
}

/// What bincode reads for the guard.
struct Primitives<'a>(
    DecoderImpl<
        Rest<'a>,
        Configuration<bincode::config::LittleEndian, bincode::config::Varint, Limit<CLAIMS>>,
        (),
    >,
);

macro_rules! primitives {
    ($($name:ident: $type:ty,)*) => {
        $(
            #[inline]
            fn $name(&mut self) -> Result<$type, Message> {
                <$type>::decode(&mut self.0).map_err(|error| decode_message(&error))
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
        present: bool, length: u64, variant: u32,
    }

    fn str(&mut self) -> Result<&'a str, Message> {
        <&str>::borrow_decode(&mut self.0).map_err(|error| decode_message(&error))
    }

    fn bytes(&mut self) -> Result<&'a [u8], Message> {
        <&[u8]>::borrow_decode(&mut self.0).map_err(|error| decode_message(&error))
    }

    fn remaining(&mut self) -> usize {
        self.0.reader().0.len()
    }
}

fn encode_message(error: &EncodeError) -> Message {
    match error {
        EncodeError::OtherString(message) => Message::new(message),
        EncodeError::Other(message) => Message::new(message),
        EncodeError::Serde(_) => {
            Message::new("a sequence or map has to know its length beforehand")
        }
        // Nothing here makes another. To show all that bincode knows would make pages larger.
        _ => Message::new("bincode has no form for it"),
    }
}

/// Says it in words; what the bytes were is nobody's business.
fn decode_message(error: &DecodeError) -> Message {
    Message::new(match error {
        DecodeError::UnexpectedEnd { .. } => "the bytes end early",
        DecodeError::LimitExceeded => "the value is larger than any may be",
        DecodeError::InvalidBooleanValue(_) => "a truth value is neither 0 nor 1",
        DecodeError::InvalidIntegerType { .. } => "a number is larger than its type",
        DecodeError::InvalidCharEncoding(_) | DecodeError::Utf8 { .. } => "a text is not UTF-8",
        // Nothing here makes another. To show all that bincode knows would make pages larger.
        _ => "they are no such value",
    })
}
