//! Codecs: how the fields of an event become bytes. The only place that names a serializer.
//!
//! A codec is one file beside this one and one arm in each `match` here. It has to keep one promise
//! above all: whatever the bytes, decoding them allocates no more than a small multiple of what is
//! there, does a bounded amount of work, does not recurse without bound, and does not panic.

mod bincode;
#[cfg(any(feature = "custom", feature = "json", feature = "msgpack"))]
mod bounded;
#[cfg(feature = "custom")]
mod custom;
mod fields;
mod guard;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "msgpack")]
mod msgpack;
#[cfg(feature = "postcard")]
mod postcard;
mod scratch;

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "custom")]
pub use custom::{CustomCodec, CustomError, CustomSlot, CustomValue};
pub use fields::{FieldReader, FieldWriter};
pub(crate) use guard::MAX_DEPTH;

/// How values become bytes. The client chooses; the server accepts it or refuses the hello.
///
/// ```
/// use sente_proto::codec::Codec;
///
/// let bytes = Codec::Bincode.encode(&("lobby", 3_u8))?;
/// let (room, count): (String, u8) = Codec::Bincode.decode(&bytes)?;
/// assert_eq!((room.as_str(), count), ("lobby", 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Codec {
    /// Compact and positional; the default.
    ///
    /// Types are written without their names, so attributes of serde that need names do not work:
    /// `untagged`, `flatten`, `tag`, `skip_serializing_if`.
    #[default]
    Bincode,
    /// Readable in a browser's tools. With the feature `json`.
    ///
    /// What JSON lacks is lost: a number that is not finite becomes `null`, and the keys of maps have
    /// to be strings or numbers. Bytes become a list of numbers.
    #[cfg(feature = "json")]
    Json,
    /// Binary, with the names of fields and variants: larger than the default, but types may grow
    /// within, and other languages read it. With the feature `msgpack`.
    ///
    /// `Some(None)` and `Some(())` come back as `None`, as in JSON.
    #[cfg(feature = "msgpack")]
    MsgPack,
    /// Compact and positional as the default, by a library that is being developed. With the feature
    /// `postcard`.
    ///
    /// What does not work with the default does not work here.
    #[cfg(feature = "postcard")]
    Postcard,
    /// One of the program's own. With the feature `custom`.
    #[cfg(feature = "custom")]
    Custom(&'static dyn CustomCodec),
}

impl Codec {
    /// All codecs that are built in.
    pub const ALL: &'static [Self] = &[
        Self::Bincode,
        #[cfg(feature = "json")]
        Self::Json,
        #[cfg(feature = "msgpack")]
        Self::MsgPack,
        #[cfg(feature = "postcard")]
        Self::Postcard,
    ];

    /// The name in the handshake.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bincode => "bincode",
            #[cfg(feature = "json")]
            Self::Json => "json",
            #[cfg(feature = "msgpack")]
            Self::MsgPack => "msgpack",
            #[cfg(feature = "postcard")]
            Self::Postcard => "postcard",
            #[cfg(feature = "custom")]
            Self::Custom(codec) => codec.name(),
        }
    }

    /// The codec of that name, if it is built in: for a choice that is made at run time.
    ///
    /// ```
    /// use sente_proto::codec::Codec;
    ///
    /// let codec = Codec::named("bincode").unwrap_or_default();
    /// assert_eq!(codec, Codec::Bincode);
    /// assert_eq!(Codec::named("morse"), None);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|codec| codec.name() == name)
    }

    /// Whether what is written says what it is, by names above all. Only then can it carry the types
    /// of `#[schema(self_describing)]`.
    #[must_use]
    pub fn is_self_describing(self) -> bool {
        match self {
            Self::Bincode => false,
            #[cfg(feature = "json")]
            Self::Json => true,
            #[cfg(feature = "msgpack")]
            Self::MsgPack => true,
            #[cfg(feature = "postcard")]
            Self::Postcard => false,
            #[cfg(feature = "custom")]
            Self::Custom(codec) => codec.is_self_describing(),
        }
    }

    /// Whether frames are text (WebSocket text messages) with this codec.
    #[must_use]
    pub const fn is_text(self) -> bool {
        match self {
            #[cfg(feature = "json")]
            Self::Json => true,
            _ => false,
        }
    }

    /// Encodes one value: a reply, an error, handshake data.
    ///
    /// # Errors
    /// If the codec has no form for the value, or its `Serialize` fails.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Bytes, EncodeError> {
        match self {
            #[cfg(feature = "json")]
            Self::Json => self.encoded(json::encode(value)),
            #[cfg(feature = "msgpack")]
            Self::MsgPack => self.encoded(msgpack::encode(value)),
            #[cfg(feature = "custom")]
            Self::Custom(codec) => self.encoded(custom::encode(codec, value)),
            // Positional: one value is one field.
            _ => {
                let mut writer = self.writer();
                writer.field(value)?;
                Ok(writer.finish())
            }
        }
    }

    #[cfg(any(feature = "custom", feature = "json", feature = "msgpack"))]
    fn encoded(self, bytes: Result<Vec<u8>, Message>) -> Result<Bytes, EncodeError> {
        bytes
            .map(scratch::payload)
            .map_err(|message| self.encode_error(message))
    }

    /// Decodes one value; bytes left over are an error.
    ///
    /// # Errors
    /// If the bytes are not one value of this type.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        match self {
            #[cfg(feature = "json")]
            Self::Json => json::decode(bytes).map_err(|message| self.decode_error(message)),
            #[cfg(feature = "msgpack")]
            Self::MsgPack => msgpack::decode(bytes).map_err(|message| self.decode_error(message)),
            #[cfg(feature = "custom")]
            Self::Custom(codec) => {
                custom::decode(codec, bytes).map_err(|message| self.decode_error(message))
            }
            _ => {
                let mut reader = self.reader(bytes);
                let value = reader.field()?;
                reader.finish(true)?;
                Ok(value)
            }
        }
    }

    /// Begins the fields of an event.
    ///
    /// ```
    /// use sente_proto::codec::Codec;
    ///
    /// let mut writer = Codec::Json.writer();
    /// writer.field("lobby")?;
    /// writer.field(&None::<u32>)?;
    /// assert_eq!(writer.finish(), r#"["lobby",null]"#);
    /// # Ok::<(), sente_proto::codec::EncodeError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn writer(self) -> FieldWriter {
        FieldWriter::new(self)
    }

    /// Reads the fields of an event.
    ///
    /// ```
    /// use sente_proto::codec::Codec;
    ///
    /// let mut reader = Codec::Json.reader(br#"["lobby"]"#);
    /// let room: String = reader.field()?;
    /// let loud: bool = reader.field_or_default()?; // from a sender that does not know of it yet
    /// reader.finish(true)?;
    /// assert_eq!((room.as_str(), loud), ("lobby", false));
    /// # Ok::<(), sente_proto::codec::DecodeError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn reader(self, bytes: &[u8]) -> FieldReader<'_> {
        FieldReader::new(self, bytes)
    }

    #[cold]
    fn encode_error(self, Message(message): Message) -> EncodeError {
        EncodeError {
            codec: self.name(),
            message: message.into(),
        }
    }

    #[cold]
    fn decode_error(self, Message(message): Message) -> DecodeError {
        DecodeError {
            codec: self.name(),
            message: message.into(),
        }
    }
}

/// A value could not be encoded: its type has no form in this codec, or its `Serialize` failed.
///
/// It is the program's own mistake: use other types, or another codec.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{codec} cannot encode the value: {message}")]
pub struct EncodeError {
    pub(crate) codec: &'static str,
    pub(crate) message: String,
}

/// Bytes could not be decoded: they are not a value of this type.
///
/// The other side sent something else than the contract says. The message may quote what was found,
/// so it belongs into a log at `trace` only.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{codec} cannot decode the bytes: {message}")]
pub struct DecodeError {
    pub(crate) codec: &'static str,
    pub(crate) message: String,
}

/// What a serializer says when it fails. Small, since every step of decoding returns it.
#[derive(Debug)]
struct Message(Box<str>);

impl Message {
    fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string().into())
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Message {}

impl serde::de::Error for Message {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }
}
