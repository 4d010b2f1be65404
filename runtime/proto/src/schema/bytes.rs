//! What `#[serde(with = "serde_bytes")]` writes.

use std::borrow::Cow;

use super::{Primitive, Shape, Type};

/// A type that `serde_bytes` writes as a string of bytes. For generated code.
#[doc(hidden)]
pub trait Bytes {
    /// What it writes.
    const SHAPE: &'static Shape = &Shape::Primitive(Primitive::Bytes);
}

impl Bytes for [u8] {}
impl Bytes for Vec<u8> {}
impl Bytes for Cow<'_, [u8]> {}
impl<const N: usize> Bytes for [u8; N] {}

impl<T: Bytes + ?Sized> Bytes for &T {
    const SHAPE: &'static Shape = T::SHAPE;
}

impl<T: Bytes + ?Sized> Bytes for Box<T> {
    const SHAPE: &'static Shape = T::SHAPE;
}

impl<T: Bytes> Bytes for Option<T> {
    const SHAPE: &'static Shape = &Shape::Option(Type::new(|| T::SHAPE));
}
