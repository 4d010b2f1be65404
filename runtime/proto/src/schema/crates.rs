//! Types of other crates, as their serde implementations write them.

use super::{Primitive, Schema, Shape};

#[cfg(any(
    feature = "chrono",
    feature = "rust_decimal",
    feature = "time",
    feature = "url",
    feature = "uuid"
))]
macro_rules! opaque {
    ($($ty:ty => $name:literal;)*) => {
        $(
            impl Schema for $ty {
                const SHAPE: &'static Shape = &Shape::Opaque {
                    name: $name,
                    self_describing: false,
                };
            }
        )*
    };
}

macro_rules! primitive {
    ($($ty:ty => $primitive:ident;)*) => {
        $(
            impl Schema for $ty {
                const SHAPE: &'static Shape = &Shape::Primitive(Primitive::$primitive);
            }
        )*
    };
}

primitive! {
    bytes::Bytes => Bytes;
    bytes::BytesMut => Bytes;
}

#[cfg(feature = "serde_bytes")]
primitive! {
    serde_bytes::ByteBuf => Bytes;
    serde_bytes::Bytes => Bytes;
}

#[cfg(feature = "serde_bytes")]
impl<const N: usize> Schema for serde_bytes::ByteArray<N> {
    const SHAPE: &'static Shape = &Shape::Primitive(Primitive::Bytes);
}

#[cfg(feature = "smol_str")]
primitive! {
    smol_str::SmolStr => Str;
}

#[cfg(feature = "indexmap")]
impl<K: Schema, V: Schema, S> Schema for indexmap::IndexMap<K, V, S> {
    const SHAPE: &'static Shape = &Shape::Map(super::Type::of::<K>(), super::Type::of::<V>());
}

#[cfg(feature = "indexmap")]
impl<T: Schema, S> Schema for indexmap::IndexSet<T, S> {
    const SHAPE: &'static Shape = &Shape::Sequence(super::Type::of::<T>());
}

// A text in some codecs, bytes in others.
#[cfg(feature = "uuid")]
opaque! {
    uuid::Uuid => "uuid::Uuid";
}

#[cfg(feature = "url")]
opaque! {
    url::Url => "url::Url";
}

#[cfg(feature = "rust_decimal")]
opaque! {
    rust_decimal::Decimal => "rust_decimal::Decimal";
}

#[cfg(feature = "chrono")]
opaque! {
    chrono::NaiveDate => "chrono::NaiveDate";
    chrono::NaiveDateTime => "chrono::NaiveDateTime";
    chrono::NaiveTime => "chrono::NaiveTime";
    chrono::TimeDelta => "chrono::TimeDelta";
    chrono::Month => "chrono::Month";
    chrono::Weekday => "chrono::Weekday";
}

// The zone is within the text.
#[cfg(feature = "chrono")]
impl<Z: chrono::TimeZone> Schema for chrono::DateTime<Z> {
    const SHAPE: &'static Shape = &Shape::Opaque {
        name: "chrono::DateTime",
        self_describing: false,
    };
}

// The feature `serde-human-readable` of `time` makes texts of them in some codecs: both sides have it
// or neither.
#[cfg(feature = "time")]
opaque! {
    time::Date => "time::Date";
    time::Duration => "time::Duration";
    time::Month => "time::Month";
    time::OffsetDateTime => "time::OffsetDateTime";
    time::PrimitiveDateTime => "time::PrimitiveDateTime";
    time::Time => "time::Time";
    time::UtcDateTime => "time::UtcDateTime";
    time::UtcOffset => "time::UtcOffset";
    time::Weekday => "time::Weekday";
}

/// Any value. Only a codec that says what is written can carry it.
#[cfg(feature = "json")]
impl Schema for serde_json::Value {
    const SHAPE: &'static Shape = &Shape::Opaque {
        name: "serde_json::Value",
        self_describing: true,
    };
}

#[cfg(feature = "json")]
impl Schema for serde_json::Map<String, serde_json::Value> {
    const SHAPE: &'static Shape = &Shape::Map(
        super::Type::of::<String>(),
        super::Type::of::<serde_json::Value>(),
    );
}
