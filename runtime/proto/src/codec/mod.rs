//! Codecs: how the fields of an event become bytes. The only place that names a serializer.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How values become bytes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Codec {
    /// Compact and positional; the default.
    #[default]
    Bincode,
    /// Readable in a browser's tools.
    #[cfg(feature = "json")]
    Json,
}

/// A value could not be encoded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{codec} cannot encode the value: {message}")]
pub struct EncodeError { pub(crate) codec: &'static str, pub(crate) message: String }

/// Bytes could not be decoded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{codec} cannot decode the bytes: {message}")]
pub struct DecodeError { pub(crate) codec: &'static str, pub(crate) message: String }

impl Codec {
    /// The name in the handshake.
    pub const fn name(self) -> &'static str { match self { Self::Bincode => "bincode", #[cfg(feature = "json")] Self::Json => "json" } }
    /// The codec of that name, if this build has it.
    pub fn named(name: &str) -> Option<Self> { match name { "bincode" => Some(Self::Bincode), #[cfg(feature = "json")] "json" => Some(Self::Json), _ => None } }
    /// All codecs of this build.
    pub const ALL: &'static [Self] = &[Self::Bincode, #[cfg(feature = "json")] Self::Json];
    /// Whether frames are text (WebSocket text messages) with this codec.
    pub const fn is_text(self) -> bool { match self { Self::Bincode => false, #[cfg(feature = "json")] Self::Json => true } }
    /// Encodes one value (a reply, an error, handshake data).
    pub fn encode<T: Serialize + ?Sized>(self, _value: &T) -> Result<Vec<u8>, EncodeError> { unimplemented!() }
    /// Decodes one value; bytes left over are an error.
    pub fn decode<T: DeserializeOwned>(self, _bytes: &[u8]) -> Result<T, DecodeError> { unimplemented!() }
    /// Begins the fields of an event.
    pub fn writer(self) -> FieldWriter { unimplemented!() }
    /// Reads the fields of an event.
    pub fn reader(self, _bytes: &[u8]) -> FieldReader<'_> { unimplemented!() }
}

/// Writes the fields of one event, one after the other.
pub struct FieldWriter {}
impl FieldWriter {
    /// Writes the next field.
    pub fn field<T: Serialize + ?Sized>(&mut self, _value: &T) -> Result<(), EncodeError> { unimplemented!() }
    /// The payload.
    pub fn finish(self) -> Vec<u8> { unimplemented!() }
}
/// Reads the fields of one event, one after the other.
pub struct FieldReader<'a> { _b: &'a [u8] }
impl FieldReader<'_> {
    /// Reads the next field.
    pub fn field<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> { unimplemented!() }
    /// Reads the next field, or its default where the sender wrote none.
    pub fn field_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T, DecodeError> { unimplemented!() }
    /// Says that all fields were read. `exact`: more of them are an error (both sides have the same form of the event).
    pub fn finish(self, _exact: bool) -> Result<(), DecodeError> { unimplemented!() }
}
