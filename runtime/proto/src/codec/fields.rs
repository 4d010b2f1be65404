//! The fields of an event, one after the other, by any codec.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "custom")]
use super::custom;
#[cfg(feature = "json")]
use super::json;
#[cfg(feature = "msgpack")]
use super::msgpack;
#[cfg(feature = "postcard")]
use super::postcard;
use super::{Codec, DecodeError, EncodeError, bincode, scratch};

/// Does the same with whichever codec's writer or reader it is.
macro_rules! each {
    ($on:expr, $enum:ident, $inner:ident => $do:expr) => {
        match $on {
            $enum::Bincode($inner) => $do,
            #[cfg(feature = "json")]
            $enum::Json($inner) => $do,
            #[cfg(feature = "msgpack")]
            $enum::MsgPack($inner) => $do,
            #[cfg(feature = "postcard")]
            $enum::Postcard($inner) => $do,
            #[cfg(feature = "custom")]
            $enum::Custom($inner) => $do,
        }
    };
}

/// Writes the fields of one event, one after the other.
pub struct FieldWriter {
    codec: Codec,
    writer: Writer,
}

enum Writer {
    Bincode(bincode::Writer),
    #[cfg(feature = "json")]
    Json(json::Writer),
    #[cfg(feature = "msgpack")]
    MsgPack(msgpack::Writer),
    #[cfg(feature = "postcard")]
    Postcard(postcard::Writer),
    #[cfg(feature = "custom")]
    Custom(custom::Writer),
}

impl FieldWriter {
    #[inline]
    pub(super) fn new(codec: Codec) -> Self {
        let writer = match codec {
            Codec::Bincode => Writer::Bincode(bincode::Writer::new()),
            #[cfg(feature = "json")]
            Codec::Json => Writer::Json(json::Writer::new()),
            #[cfg(feature = "msgpack")]
            Codec::MsgPack => Writer::MsgPack(msgpack::Writer::new()),
            #[cfg(feature = "postcard")]
            Codec::Postcard => Writer::Postcard(postcard::Writer::new()),
            #[cfg(feature = "custom")]
            Codec::Custom(codec) => Writer::Custom(custom::Writer::new(codec)),
        };
        Self { codec, writer }
    }

    /// Writes the next field.
    ///
    /// # Errors
    /// If the codec has no form for the value, or its `Serialize` fails. Nothing of the field has
    /// been written then.
    pub fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        each!(&mut self.writer, Writer, writer => writer.field(value))
            .map_err(|message| self.codec.encode_error(message))
    }

    /// The payload.
    #[must_use]
    pub fn finish(self) -> Bytes {
        scratch::payload(each!(self.writer, Writer, writer => writer.finish()))
    }
}

/// Reads the fields of one event, one after the other.
pub struct FieldReader<'a> {
    codec: Codec,
    reader: Reader<'a>,
}

enum Reader<'a> {
    Bincode(bincode::Reader<'a>),
    #[cfg(feature = "json")]
    Json(json::Reader<'a>),
    #[cfg(feature = "msgpack")]
    MsgPack(msgpack::Reader<'a>),
    #[cfg(feature = "postcard")]
    Postcard(postcard::Reader<'a>),
    #[cfg(feature = "custom")]
    Custom(custom::Reader<'a>),
}

impl<'a> FieldReader<'a> {
    #[inline]
    pub(super) fn new(codec: Codec, bytes: &'a [u8]) -> Self {
        let reader = match codec {
            Codec::Bincode => Reader::Bincode(bincode::Reader::new(bytes)),
            #[cfg(feature = "json")]
            Codec::Json => Reader::Json(json::Reader::new(bytes)),
            #[cfg(feature = "msgpack")]
            Codec::MsgPack => Reader::MsgPack(msgpack::Reader::new(bytes)),
            #[cfg(feature = "postcard")]
            Codec::Postcard => Reader::Postcard(postcard::Reader::new(bytes)),
            #[cfg(feature = "custom")]
            Codec::Custom(codec) => Reader::Custom(custom::Reader::new(codec, bytes)),
        };
        Self { codec, reader }
    }

    /// Reads the next field.
    ///
    /// # Errors
    /// If the payload has ended or goes on with something else.
    pub fn field<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> {
        each!(&mut self.reader, Reader, reader => reader.field())
            .map_err(|message| self.codec.decode_error(message))
    }

    /// Reads the next field, or its default where the sender wrote none.
    ///
    /// # Errors
    /// If the payload goes on with something else.
    pub fn field_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T, DecodeError> {
        let more = each!(&mut self.reader, Reader, reader => reader.more())
            .map_err(|message| self.codec.decode_error(message))?;
        if more { self.field() } else { Ok(T::default()) }
    }

    /// Says that all fields were read. `exact`: more of them are an error, since both sides have the
    /// same form of the event; otherwise they are those that only the sender knows.
    ///
    /// # Errors
    /// If something is left over and `exact`.
    pub fn finish(self, exact: bool) -> Result<(), DecodeError> {
        each!(self.reader, Reader, reader => reader.finish(exact))
            .map_err(|message| self.codec.decode_error(message))
    }
}
