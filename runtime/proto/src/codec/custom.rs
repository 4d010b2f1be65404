//! Codecs of a program's own.
//!
//! Such a codec turns one value into bytes and back. Fields are put one after the other, each behind
//! its length, so that it need not know where a field ends.

use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer};
use serde::{Serialize, Serializer};

use super::Message;
use super::bounded::{Bounded, Bounds};
use super::guard::SPARE_ELEMENTS;

/// Why a codec of a program's own failed: any error.
pub type CustomError = Box<dyn Error + Send + Sync>;

/// A codec of a program's own, over any binary format that serde has.
///
/// ```
/// use sente_proto::codec::{Codec, CustomCodec, CustomError, CustomValue, CustomSlot};
/// use serde::Serialize;
/// use serde::de::DeserializeSeed;
///
/// /// JSON, but with pity for those who read it by its bytes.
/// struct Pretty;
///
/// impl CustomCodec for Pretty {
///     fn name(&self) -> &'static str {
///         "pretty"
///     }
///
///     fn encode(&self, value: CustomValue<'_>, out: &mut Vec<u8>) -> Result<(), CustomError> {
///         Ok(serde_json::to_writer_pretty(out, &value)?)
///     }
///
///     fn decode(&self, bytes: &[u8], slot: CustomSlot<'_>) -> Result<(), CustomError> {
///         let mut deserializer = serde_json::Deserializer::from_slice(bytes);
///         slot.deserialize(&mut deserializer)?;
///         Ok(deserializer.end()?)
///     }
/// }
///
/// let codec = Codec::Custom(&Pretty);
/// let bytes = codec.encode(&vec![1, 2])?;
/// assert_eq!(bytes, "[\n  1,\n  2\n]");
/// assert_eq!(codec.decode::<Vec<u8>>(&bytes)?, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Its frames are binary, whatever it writes: text frames are JSON. The types that it reads are
/// guarded as those of every codec are: no deeper than 128, and no more elements than there are
/// bytes, and some. What happens before a value reaches its type is the codec's own care: it must
/// not allocate by a claimed length, and must not panic.
pub trait CustomCodec: Send + Sync + 'static {
    /// The name in the handshake. Both sides have to use the same, and it must be none of those of
    /// the codecs built in.
    fn name(&self) -> &'static str;

    /// Whether it writes the names of fields and variants, and tells from what is written what it
    /// is, as CBOR does. Default: it does not, and the events whose types need that are
    /// incompatible.
    fn is_self_describing(&self) -> bool {
        false
    }

    /// Appends one value to `out`.
    ///
    /// # Errors
    /// If the codec has no form for the value, or its `Serialize` fails. What was appended by then
    /// is taken back.
    fn encode(&self, value: CustomValue<'_>, out: &mut Vec<u8>) -> Result<(), CustomError>;

    /// Reads one value, for which `bytes` are all, into `slot`.
    ///
    /// # Errors
    /// If the bytes are not one value, or bytes are left over.
    fn decode(&self, bytes: &[u8], slot: CustomSlot<'_>) -> Result<(), CustomError>;
}

impl fmt::Debug for dyn CustomCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Codecs are the same if they have the same name.
impl PartialEq for dyn CustomCodec {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn CustomCodec {}

impl Hash for dyn CustomCodec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// A value on its way into a [`CustomCodec`], of a type that the codec does not know.
#[derive(Clone, Copy)]
pub struct CustomValue<'a>(&'a dyn erased_serde::Serialize);

impl Serialize for CustomValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Debug for CustomValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomValue").finish_non_exhaustive()
    }
}

/// The place for a value that a [`CustomCodec`] reads: give it a deserializer.
pub struct CustomSlot<'a> {
    fill: &'a mut Fill<'a>,
    bounds: &'a Bounds,
}

type Fill<'a> =
    dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error> + 'a;

impl<'de> DeserializeSeed<'de> for CustomSlot<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let bounded = Bounded::new(deserializer, self.bounds);
        (self.fill)(&mut <dyn erased_serde::Deserializer<'_>>::erase(bounded))
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for CustomSlot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomSlot").finish_non_exhaustive()
    }
}

pub(super) fn encode<T: Serialize + ?Sized>(
    codec: &dyn CustomCodec,
    value: &T,
) -> Result<Vec<u8>, Message> {
    let mut out = super::scratch::take();
    codec
        .encode(CustomValue(&value), &mut out)
        .map_err(Message::new)?;
    Ok(out)
}

pub(super) fn decode<T: DeserializeOwned>(
    codec: &dyn CustomCodec,
    bytes: &[u8],
) -> Result<T, Message> {
    read(codec, bytes, &bounds(bytes))
}

fn bounds(bytes: &[u8]) -> Bounds {
    Bounds::new(bytes.len().saturating_add(SPARE_ELEMENTS)).keeping_the_first_error()
}

fn read<T: DeserializeOwned>(
    codec: &dyn CustomCodec,
    bytes: &[u8],
    bounds: &Bounds,
) -> Result<T, Message> {
    let mut value = None;
    let slot = CustomSlot {
        fill: &mut |deserializer| {
            value = Some(erased_serde::deserialize(deserializer)?);
            Ok(())
        },
        bounds,
    };
    if let Err(error) = codec.decode(bytes, slot) {
        return Err(bounds
            .take_first_error()
            .map_or_else(|| Message::new(error), Message));
    }
    value.ok_or_else(|| Message::new("the codec says that it read a value and has not"))
}

pub(super) struct Writer {
    codec: &'static dyn CustomCodec,
    out: Vec<u8>,
}

impl Writer {
    pub(super) fn new(codec: &'static dyn CustomCodec) -> Self {
        Self {
            codec,
            out: super::scratch::take(),
        }
    }

    pub(super) fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Message> {
        let field = encode(self.codec, value)?;
        put_length(&mut self.out, field.len());
        self.out.extend_from_slice(&field);
        Ok(())
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }
}

pub(super) struct Reader<'a> {
    codec: &'static dyn CustomCodec,
    rest: &'a [u8],
    bounds: Bounds,
}

impl<'a> Reader<'a> {
    pub(super) fn new(codec: &'static dyn CustomCodec, bytes: &'a [u8]) -> Self {
        Self {
            codec,
            rest: bytes,
            bounds: bounds(bytes),
        }
    }

    pub(super) fn field<T: DeserializeOwned>(&mut self) -> Result<T, Message> {
        let (field, rest) =
            take_field(self.rest).ok_or_else(|| Message::new("the fields end early"))?;
        let value = read(self.codec, field, &self.bounds)?;
        self.rest = rest;
        Ok(value)
    }

    pub(super) fn more(&mut self) -> Result<bool, Message> {
        Ok(!self.rest.is_empty())
    }

    pub(super) fn finish(self, exact: bool) -> Result<(), Message> {
        if exact && !self.rest.is_empty() {
            return Err(Message::new("fields are left over"));
        }
        Ok(())
    }
}

/// Lengths as the frames write theirs: seven bits a byte, the lowest first.
fn put_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// The first field and what follows it.
fn take_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let rest = &bytes[at + 1..];
            return rest.split_at_checked(usize::try_from(length).ok()?);
        }
    }
    None
}
