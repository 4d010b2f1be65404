//! The primitives of binary frames: numbers, ids, strings, and how they are read from bytes that
//! nobody vouches for.

use std::time::Duration;

use bytes::Bytes;

use super::WireError;

/// Appends `value` as a varint: seven bits a byte, the lowest first, the top bit set on all but the
/// last byte.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends `bytes` behind their length.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends 128 bits.
pub(super) fn put_id(out: &mut Vec<u8>, id: u128) {
    put_fingerprint(out, (id >> 64) as u64);
    put_fingerprint(out, id as u64);
}

/// Appends 64 bits that are no count and would gain nothing as a varint.
pub(super) fn put_fingerprint(out: &mut Vec<u8>, fingerprint: u64) {
    out.extend_from_slice(&fingerprint.to_be_bytes());
}

/// Whole milliseconds; more than fit are as many as fit.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    let seconds = duration.as_secs().min(u64::MAX / 1000 - 1);
    seconds * 1000 + u64::from(duration.subsec_millis())
}

const ENDS_EARLY: WireError = WireError::Malformed("it ends early");

/// A frame that is being read.
pub(super) struct Input<'a> {
    frame: &'a Bytes,
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(frame: &'a Bytes) -> Self {
        Self { frame, at: 0 }
    }

    pub(super) fn remaining(&self) -> usize {
        self.frame.len() - self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Says that the frame ends here.
    pub(super) fn end(&self) -> Result<(), WireError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(WireError::Malformed("bytes follow its end"))
        }
    }

    pub(super) fn byte(&mut self) -> Result<u8, WireError> {
        let byte = *self.frame.get(self.at).ok_or(ENDS_EARLY)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn varint(&mut self) -> Result<u64, WireError> {
        match self.frame.get(self.at) {
            // Most are small.
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 {
                    Err(WireError::Malformed("a number is longer than it has to be"))
                } else {
                    Ok(value)
                };
            }
        }
        Err(WireError::Malformed("a number has more than 64 bits"))
    }

    pub(super) fn varint_u32(&mut self) -> Result<u32, WireError> {
        u32::try_from(self.varint()?)
            .map_err(|_| WireError::Malformed("a number has more than 32 bits"))
    }

    pub(super) fn varint_u16(&mut self) -> Result<u16, WireError> {
        u16::try_from(self.varint()?)
            .map_err(|_| WireError::Malformed("a number has more than 16 bits"))
    }

    pub(super) fn duration(&mut self) -> Result<Duration, WireError> {
        self.varint().map(Duration::from_millis)
    }

    pub(super) fn id(&mut self) -> Result<u128, WireError> {
        let high = self.fingerprint()?;
        let low = self.fingerprint()?;
        Ok(u128::from(high) << 64 | u128::from(low))
    }

    pub(super) fn fingerprint(&mut self) -> Result<u64, WireError> {
        let rest = self.frame.get(self.at..).unwrap_or_default();
        let bytes = rest.first_chunk().ok_or(ENDS_EARLY)?;
        self.at += size_of::<u64>();
        Ok(u64::from_be_bytes(*bytes))
    }

    pub(super) fn string(&mut self) -> Result<String, WireError> {
        let length = self.varint()?;
        match std::str::from_utf8(self.take(length)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(WireError::Malformed("a text is not UTF-8")),
        }
    }

    /// A payload of at most `limit` bytes, as a part of the frame's own memory.
    pub(super) fn payload(&mut self, limit: usize) -> Result<Bytes, WireError> {
        let length = self.varint()?;
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > limit {
            return Err(WireError::TooLarge {
                what: "payload",
                size,
                limit,
            });
        }
        let start = self.at;
        self.take(length)?;
        Ok(self.frame.slice(start..self.at))
    }

    /// A byte that says whether something follows.
    pub(super) fn present(&mut self) -> Result<bool, WireError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Malformed("a presence byte is neither 0 nor 1")),
        }
    }

    /// A byte of which only the bits of `known` may be set.
    pub(super) fn flags(&mut self, known: u8) -> Result<u8, WireError> {
        let flags = self.byte()?;
        if flags & !known == 0 {
            Ok(flags)
        } else {
            Err(WireError::Malformed("a flag is not known"))
        }
    }

    /// `count` things of at least `size` bytes each have to be there still.
    pub(super) fn count(&mut self, size: usize) -> Result<usize, WireError> {
        let count = self.varint()?;
        let room = (self.remaining() / size) as u64;
        if count > room {
            return Err(WireError::Malformed("a count is larger than the frame"));
        }
        Ok(count as usize)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], WireError> {
        let rest = self.frame.get(self.at..).unwrap_or_default();
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length))
            .ok_or(ENDS_EARLY)?;
        self.at += taken.len();
        Ok(taken)
    }
}
