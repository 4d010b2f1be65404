//! Codecs: how the fields of an event become bytes. The only place that names a serializer.
//!
//! A codec is one file beside this one and one arm in each `match` here. It has to keep one promise
//! above all: whatever the bytes, decoding them allocates no more than a small multiple of what is
//! there, does a bounded amount of work, does not recurse without bound, and does not panic.

mod bincode;
mod guard;
#[cfg(feature = "json")]
mod json;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

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
    /// Readable in a browser's tools.
    ///
    /// What JSON lacks is lost: a number that is not finite becomes `null`, and the keys of maps have
    /// to be strings or numbers.
    #[cfg(feature = "json")]
    Json,
}

impl Codec {
    /// All codecs of this build.
    pub const ALL: &'static [Self] = &[
        Self::Bincode,
        #[cfg(feature = "json")]
        Self::Json,
    ];

    /// The name in the handshake.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bincode => "bincode",
            #[cfg(feature = "json")]
            Self::Json => "json",
        }
    }

    /// The codec of that name, if this build has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|codec| codec.name() == name)
    }

    /// Whether frames are text (WebSocket text messages) with this codec.
    #[must_use]
    pub const fn is_text(self) -> bool {
        match self {
            Self::Bincode => false,
            #[cfg(feature = "json")]
            Self::Json => true,
        }
    }

    /// Encodes one value: a reply, an error, handshake data.
    ///
    /// # Errors
    /// If the codec has no form for the value, or its `Serialize` fails.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Bincode => bincode::encode(value),
            #[cfg(feature = "json")]
            Self::Json => json::encode(value),
        }
        .map_err(|message| self.encode_error(message))
    }

    /// Decodes one value; bytes left over are an error.
    ///
    /// # Errors
    /// If the bytes are not one value of this type.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        match self {
            Self::Bincode => bincode::decode(bytes),
            #[cfg(feature = "json")]
            Self::Json => json::decode(bytes),
        }
        .map_err(|message| self.decode_error(message))
    }

    /// Begins the fields of an event.
    ///
    /// ```
    /// use sente_proto::codec::Codec;
    ///
    /// let mut writer = Codec::Json.writer();
    /// writer.field("lobby")?;
    /// writer.field(&None::<u32>)?;
    /// assert_eq!(writer.finish(), br#"["lobby",null]"#);
    /// # Ok::<(), sente_proto::codec::EncodeError>(())
    /// ```
    #[must_use]
    pub fn writer(self) -> FieldWriter {
        FieldWriter(match self {
            Self::Bincode => Writer::Bincode(bincode::Writer::new()),
            #[cfg(feature = "json")]
            Self::Json => Writer::Json(json::Writer::new()),
        })
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
    pub fn reader(self, bytes: &[u8]) -> FieldReader<'_> {
        FieldReader(match self {
            Self::Bincode => Reader::Bincode(bincode::Reader::new(bytes)),
            #[cfg(feature = "json")]
            Self::Json => Reader::Json(json::Reader::new(bytes)),
        })
    }

    fn encode_error(self, Message(message): Message) -> EncodeError {
        EncodeError {
            codec: self.name(),
            message: message.into(),
        }
    }

    fn decode_error(self, Message(message): Message) -> DecodeError {
        DecodeError {
            codec: self.name(),
            message: message.into(),
        }
    }
}

/// Writes the fields of one event, one after the other.
pub struct FieldWriter(Writer);

enum Writer {
    Bincode(bincode::Writer),
    #[cfg(feature = "json")]
    Json(json::Writer),
}

impl FieldWriter {
    /// Writes the next field.
    ///
    /// # Errors
    /// If the codec has no form for the value, or its `Serialize` fails. Nothing of the field has
    /// been written then.
    pub fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        match &mut self.0 {
            Writer::Bincode(writer) => writer
                .field(value)
                .map_err(|message| Codec::Bincode.encode_error(message)),
            #[cfg(feature = "json")]
            Writer::Json(writer) => writer
                .field(value)
                .map_err(|message| Codec::Json.encode_error(message)),
        }
    }

    /// The payload.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Writer::Bincode(writer) => writer.finish(),
            #[cfg(feature = "json")]
            Writer::Json(writer) => writer.finish(),
        }
    }
}

/// Reads the fields of one event, one after the other.
pub struct FieldReader<'a>(Reader<'a>);

enum Reader<'a> {
    Bincode(bincode::Reader<'a>),
    #[cfg(feature = "json")]
    Json(json::Reader<'a>),
}

impl FieldReader<'_> {
    /// Reads the next field.
    ///
    /// # Errors
    /// If the payload has ended or goes on with something else.
    pub fn field<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> {
        match &mut self.0 {
            Reader::Bincode(reader) => reader
                .field()
                .map_err(|message| Codec::Bincode.decode_error(message)),
            #[cfg(feature = "json")]
            Reader::Json(reader) => reader
                .field()
                .map_err(|message| Codec::Json.decode_error(message)),
        }
    }

    /// Reads the next field, or its default where the sender wrote none.
    ///
    /// # Errors
    /// If the payload goes on with something else.
    pub fn field_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T, DecodeError> {
        let more = match &mut self.0 {
            Reader::Bincode(reader) => reader.more(),
            #[cfg(feature = "json")]
            Reader::Json(reader) => reader
                .more()
                .map_err(|message| Codec::Json.decode_error(message))?,
        };
        if more { self.field() } else { Ok(T::default()) }
    }

    /// Says that all fields were read. `exact`: more of them are an error, since both sides have the
    /// same form of the event; otherwise they are those that only the sender knows.
    ///
    /// # Errors
    /// If something is left over and `exact`.
    pub fn finish(self, exact: bool) -> Result<(), DecodeError> {
        match self.0 {
            Reader::Bincode(reader) => reader
                .finish(exact)
                .map_err(|message| Codec::Bincode.decode_error(message)),
            #[cfg(feature = "json")]
            Reader::Json(reader) => reader
                .finish(exact)
                .map_err(|message| Codec::Json.decode_error(message)),
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
