//! Walls around any deserializer: what [`guard`](super::guard) does for positional codecs, for those
//! that say themselves what their bytes are, and for codecs of a user's own.
//!
//! Some of them allocate by a claimed length, and most recurse through options, newtypes or enums
//! without counting. Between such a deserializer and the type that is read stands a [`Bounded`] at
//! every level, so that
//!
//! - values nest no deeper than [`MAX_DEPTH`], by the same count as in positional codecs,
//! - all sequences and maps of a payload together have, and claim, no more elements than allowed.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::guard::MAX_DEPTH;

/// What all values of a payload share.
pub(super) struct Bounds {
    /// How many elements of sequences and maps may still come.
    elements: Cell<usize>,
    /// The first error, where errors are not to be handed up as they are.
    first_error: Option<RefCell<Option<Box<str>>>>,
}

impl Bounds {
    pub(super) fn new(elements: usize) -> Self {
        Self {
            elements: Cell::new(elements),
            first_error: None,
        }
    }

    /// Keeps errors from growing on their way up.
    ///
    /// Through an erased type an error goes as its text and is made a new one at each level. With
    /// libraries that show an error by its `Debug`, that doubles the backslashes each time: an error
    /// thirty levels deep would take gigabytes.
    #[cfg(feature = "custom")]
    pub(super) fn keeping_the_first_error(self) -> Self {
        Self {
            first_error: Some(RefCell::default()),
            ..self
        }
    }

    #[cfg(feature = "custom")]
    pub(super) fn take_first_error(&self) -> Option<Box<str>> {
        self.first_error.as_ref()?.borrow_mut().take()
    }

    /// An error on its way up.
    #[cold]
    fn hand_up<E: Error>(&self, error: E) -> E {
        let Some(first) = &self.first_error else {
            return error;
        };
        first
            .borrow_mut()
            .get_or_insert_with(|| error.to_string().into());
        E::custom("")
    }

    /// Takes what a sequence claims to have, so that many claims together stay within the bound.
    fn claim<E: Error>(&self, claimed: usize) -> Result<(), E> {
        let Some(left) = self.elements.get().checked_sub(claimed) else {
            return Err(E::custom(format_args!(
                "{claimed} elements are more than the bytes can hold"
            )));
        };
        self.elements.set(left);
        Ok(())
    }
}

/// Something of serde that stands between a format and a type, with its bounds.
pub(super) struct Bounded<'b, T> {
    inner: T,
    level: Level<'b>,
    /// How many elements the type itself asks for: those of a tuple or struct.
    asked: usize,
}

impl<'b, T> Bounded<'b, T> {
    pub(super) fn new(inner: T, bounds: &'b Bounds) -> Self {
        let level = Level {
            bounds,
            depth: MAX_DEPTH,
        };
        level.around(inner)
    }

    fn asking(self, asked: usize) -> Self {
        Self { asked, ..self }
    }
}

#[derive(Clone, Copy)]
struct Level<'b> {
    bounds: &'b Bounds,
    /// How much deeper values may still nest.
    depth: usize,
}

impl<'b> Level<'b> {
    fn around<T>(self, inner: T) -> Bounded<'b, T> {
        Bounded {
            inner,
            level: self,
            asked: 0,
        }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(E::custom(format_args!(
                "values nest deeper than {MAX_DEPTH}"
            ))),
        }
    }
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*) $(asks $asked:expr)?;)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(
                self,
                $($argument: $type,)*
                visitor: V,
            ) -> Result<V::Value, D::Error> {
                let visitor = self.level.around(visitor)$(.asking($asked))?;
                self.inner.$method($($argument,)* visitor)
            }
        )*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(length: usize) asks length;
        deserialize_tuple_struct(name: &'static str, length: usize) asks length;
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) asks fields.len();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty);)*) => {
        $(
            #[inline]
            fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
                self.inner.$method(value)
            }
        )*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool);
        visit_i8(i8);
        visit_i16(i16);
        visit_i32(i32);
        visit_i64(i64);
        visit_i128(i128);
        visit_u8(u8);
        visit_u16(u16);
        visit_u32(u32);
        visit_u64(u64);
        visit_u128(u128);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let level = self.level.deeper()?;
        self.inner
            .visit_some(level.around(value))
            .map_err(|error| level.bounds.hand_up(error))
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let level = self.level.deeper()?;
        self.inner
            .visit_newtype_struct(level.around(value))
            .map_err(|error| level.bounds.hand_up(error))
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        let claimed = Claimed::new(seq.size_hint(), self.asked, self.level.deeper()?)?;
        let bounds = self.level.bounds;
        self.inner
            .visit_seq(claimed.of(seq))
            .map_err(|error| bounds.hand_up(error))
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let claimed = Claimed::new(map.size_hint(), self.asked, self.level.deeper()?)?;
        let bounds = self.level.bounds;
        self.inner
            .visit_map(claimed.of(map))
            .map_err(|error| bounds.hand_up(error))
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let level = self.level.deeper()?;
        self.inner
            .visit_enum(level.around(variant))
            .map_err(|error| level.bounds.hand_up(error))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(self.level.around(deserializer))
    }
}

/// The elements of a sequence or map.
struct Claimed<'b, A> {
    inner: A,
    level: Level<'b>,
    /// How many of the elements to come have been taken from what is allowed.
    granted: usize,
    has_claim: bool,
}

impl<'b> Claimed<'b, ()> {
    fn new<E: Error>(claimed: Option<usize>, asked: usize, level: Level<'b>) -> Result<Self, E> {
        let more = claimed.unwrap_or(0).saturating_sub(asked);
        level.bounds.claim(more)?;
        Ok(Self {
            inner: (),
            level,
            granted: asked + more,
            has_claim: claimed.is_some(),
        })
    }

    fn of<A>(self, inner: A) -> Claimed<'b, A> {
        Claimed {
            inner,
            level: self.level,
            granted: self.granted,
            has_claim: self.has_claim,
        }
    }
}

impl<A> Claimed<'_, A> {
    /// One more element has come.
    #[inline]
    fn count<E: Error>(&mut self) -> Result<(), E> {
        match self.granted.checked_sub(1) {
            Some(left) => self.granted = left,
            None => self.level.bounds.claim(1)?,
        }
        Ok(())
    }

    /// What was claimed has been granted, so that much may be allocated ahead.
    fn hint(&self) -> Option<usize> {
        self.has_claim.then_some(self.granted)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Claimed<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        let seed = self.level.around(seed);
        let element = self.inner.next_element_seed(seed)?;
        if element.is_some() {
            self.count()?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Claimed<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let seed = self.level.around(seed);
        let key = self.inner.next_key_seed(seed)?;
        if key.is_some() {
            self.count()?;
        }
        Ok(key)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.level.around(seed);
        self.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = A::Error;
    type Variant = Bounded<'b, A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.inner.variant_seed(self.level.around(seed))?;
        Ok((value, self.level.around(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.newtype_variant_seed(self.level.around(seed))
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.level.around(visitor).asking(length);
        self.inner.tuple_variant(length, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.level.around(visitor).asking(fields.len());
        self.inner.struct_variant(fields, visitor)
    }
}
