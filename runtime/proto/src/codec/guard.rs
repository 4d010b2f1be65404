//! Decoding of positional codecs, with walls: what serde sees of bytes that nobody vouches for.
//!
//! A positional codec writes values one after the other, a length before each sequence, an index
//! before each variant. It gives [`Source`], the primitives; [`Guard`] does the rest, so that
//!
//! - a length is compared with what is there before anything is allocated for it,
//! - all sequences and maps of a payload together have no more elements than the payload has bytes,
//!   and [`SPARE_ELEMENTS`] more for elements that take no bytes,
//! - values nest no deeper than [`MAX_DEPTH`].

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::Message;

/// How deep values may lie within each other, as in `serde_json`.
pub(crate) const MAX_DEPTH: usize = 128;

/// How many elements a payload may have beyond one for each of its bytes. Only elements that take no
/// bytes, such as `()`, need it.
pub(super) const SPARE_ELEMENTS: usize = 4096;

/// The primitives of a positional codec, read from the front of a payload.
pub(super) trait Source<'de> {
    fn bool(&mut self) -> Result<bool, Message>;
    fn char(&mut self) -> Result<char, Message>;
    fn u8(&mut self) -> Result<u8, Message>;
    fn u16(&mut self) -> Result<u16, Message>;
    fn u32(&mut self) -> Result<u32, Message>;
    fn u64(&mut self) -> Result<u64, Message>;
    fn u128(&mut self) -> Result<u128, Message>;
    fn i8(&mut self) -> Result<i8, Message>;
    fn i16(&mut self) -> Result<i16, Message>;
    fn i32(&mut self) -> Result<i32, Message>;
    fn i64(&mut self) -> Result<i64, Message>;
    fn i128(&mut self) -> Result<i128, Message>;
    fn f32(&mut self) -> Result<f32, Message>;
    fn f64(&mut self) -> Result<f64, Message>;
    /// Whether an option holds a value.
    fn present(&mut self) -> Result<bool, Message>;
    /// How many elements a sequence or map has.
    fn length(&mut self) -> Result<u64, Message>;
    /// Which variant of an enum follows.
    fn variant(&mut self) -> Result<u32, Message>;
    /// A text within the payload; its length must not be believed before it is compared.
    fn str(&mut self) -> Result<&'de str, Message>;
    /// A string of bytes within the payload; likewise.
    fn bytes(&mut self) -> Result<&'de [u8], Message>;
    /// How many bytes have not been read.
    fn remaining(&mut self) -> usize;
}

/// A serde deserializer over a [`Source`], for all the values of one payload.
pub(super) struct Guard<S> {
    source: S,
    /// How much deeper values may still nest.
    depth: usize,
    /// How many elements of sequences and maps may still come.
    elements: usize,
}

impl<'de, S: Source<'de>> Guard<S> {
    pub(super) fn new(mut source: S) -> Self {
        let elements = source.remaining().saturating_add(SPARE_ELEMENTS);
        Self {
            source,
            depth: MAX_DEPTH,
            elements,
        }
    }

    pub(super) fn remaining(&mut self) -> usize {
        self.source.remaining()
    }

    /// Says that all was read; `exact`: that nothing is left over.
    pub(super) fn finish(mut self, exact: bool) -> Result<(), Message> {
        match self.remaining() {
            left if exact && left > 0 => {
                Err(Message::new(format_args!("{left} bytes are left over")))
            }
            _ => Ok(()),
        }
    }

    /// Reads what lies one level deeper.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Message>,
    ) -> Result<T, Message> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(Message::new(format_args!(
                "values nest deeper than {MAX_DEPTH}"
            )));
        };
        self.depth = depth;
        let value = read(self);
        self.depth += 1;
        value
    }

    /// Reads the length of a sequence or map and takes its elements from the budget.
    fn claimed_length(&mut self) -> Result<usize, Message> {
        let claimed = self.source.length()?;
        let granted = usize::try_from(claimed)
            .ok()
            .and_then(|length| Some((length, self.elements.checked_sub(length)?)));
        let Some((length, left)) = granted else {
            return Err(Message::new(format_args!(
                "{claimed} elements are more than the bytes can hold"
            )));
        };
        self.elements = left;
        Ok(length)
    }

    fn elements(&mut self, left: usize) -> Elements<'_, S> {
        let hint = left.min(self.source.remaining());
        Elements {
            guard: self,
            left,
            hint,
        }
    }
}

macro_rules! primitives {
    ($($method:ident, $read:ident, $visit:ident;)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Message> {
                visitor.$visit(self.source.$read()?)
            }
        )*
    };
}

impl<'de, S: Source<'de>> Deserializer<'de> for &mut Guard<S> {
    type Error = Message;

    primitives! {
        deserialize_bool, bool, visit_bool;
        deserialize_char, char, visit_char;
        deserialize_u8, u8, visit_u8;
        deserialize_u16, u16, visit_u16;
        deserialize_u32, u32, visit_u32;
        deserialize_u64, u64, visit_u64;
        deserialize_u128, u128, visit_u128;
        deserialize_i8, i8, visit_i8;
        deserialize_i16, i16, visit_i16;
        deserialize_i32, i32, visit_i32;
        deserialize_i64, i64, visit_i64;
        deserialize_i128, i128, visit_i128;
        deserialize_f32, f32, visit_f32;
        deserialize_f64, f64, visit_f64;
        // Always borrowed: an owned one would be allocated by its claimed length.
        deserialize_str, str, visit_borrowed_str;
        deserialize_string, str, visit_borrowed_str;
        deserialize_bytes, bytes, visit_borrowed_bytes;
        deserialize_byte_buf, bytes, visit_borrowed_bytes;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Message> {
        if self.source.present()? {
            self.nested(|guard| visitor.visit_some(guard))
        } else {
            visitor.visit_none()
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Message> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Message> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Message> {
        self.nested(|guard| visitor.visit_newtype_struct(guard))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Message> {
        let length = self.claimed_length()?;
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Message> {
        self.nested(|guard| visitor.visit_seq(guard.elements(length)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Message> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Message> {
        let length = self.claimed_length()?;
        self.nested(|guard| visitor.visit_map(guard.elements(length)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Message> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Message> {
        self.nested(|guard| visitor.visit_enum(guard))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Message> {
        Err(not_self_describing())
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Message> {
        Err(not_self_describing())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Message> {
        Err(not_self_describing())
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

fn not_self_describing() -> Message {
    Message::new(
        "the type needs a codec that writes names, as json does (untagged, flatten, or any value)",
    )
}

/// The elements of a sequence, tuple or map.
struct Elements<'a, S> {
    guard: &'a mut Guard<S>,
    left: usize,
    /// No more elements than bytes were there at the beginning: what may be allocated ahead.
    hint: usize,
}

impl<'de, S: Source<'de>> Elements<'_, S> {
    #[inline]
    fn next<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Message> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.guard).map(Some)
    }
}

impl<'de, S: Source<'de>> SeqAccess<'de> for Elements<'_, S> {
    type Error = Message;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Message> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.hint))
    }
}

impl<'de, S: Source<'de>> MapAccess<'de> for Elements<'_, S> {
    type Error = Message;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Message> {
        self.next(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Message> {
        seed.deserialize(&mut *self.guard)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.hint))
    }
}

impl<'de, S: Source<'de>> EnumAccess<'de> for &mut Guard<S> {
    type Error = Message;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Message> {
        let index: U32Deserializer<Message> = self.source.variant()?.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de, S: Source<'de>> VariantAccess<'de> for &mut Guard<S> {
    type Error = Message;

    fn unit_variant(self) -> Result<(), Message> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Message> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Message> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Message> {
        self.deserialize_tuple(fields.len(), visitor)
    }
}
