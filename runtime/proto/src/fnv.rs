//! FNV-1a, 64 bits: a hash that is the same on every machine and in every program.

use std::hash::Hasher;

/// FNV-1a over little-endian bytes. It guards against mistakes, not against forgery.
pub(crate) struct Fnv(u64);

impl Fnv {
    /// With another start than the usual one.
    pub(crate) fn starting_at(start: u64) -> Self {
        Self(start)
    }

    /// A text, so that it is not the same as two others that follow each other.
    pub(crate) fn text(&mut self, text: &str) {
        self.write_u32(text.len() as u32);
        self.write(text.as_bytes());
    }
}

impl Default for Fnv {
    fn default() -> Self {
        Self::starting_at(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write(&value.to_le_bytes());
    }

    fn write_u64(&mut self, value: u64) {
        self.write(&value.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
