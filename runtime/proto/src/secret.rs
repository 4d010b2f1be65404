//! Identifiers and secrets of a session.

use std::fmt;

use subtle::ConstantTimeEq;

/// A value that must not be seen: it has no `Debug` and no `Display`.
///
/// ```
/// let token = sente_proto::Secret::new(String::from("abc"));
/// assert_eq!(token.reveal(), "abc");
/// ```
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that has to use it.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

/// What a client shows, beside its identity, to resume a session: 128 random bits.
///
/// It is compared in constant time, and only so.
#[derive(Clone)]
pub struct ResumeSecret(Secret<[u8; 16]>);

impl ResumeSecret {
    /// Takes 128 random bits.
    #[must_use]
    pub const fn new(bits: u128) -> Self {
        Self(Secret::new(bits.to_le_bytes()))
    }

    /// The bits, for the wire.
    #[must_use]
    pub const fn reveal(&self) -> u128 {
        u128::from_le_bytes(*self.0.reveal())
    }

    /// Whether both are the same, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.reveal().ct_eq(other.0.reveal()).into()
    }
}

/// The public name of a session: 128 random bits that the server chose, shown as hex.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(u128);

impl SessionId {
    /// Takes 128 random bits.
    #[must_use]
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits, for the wire.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}
