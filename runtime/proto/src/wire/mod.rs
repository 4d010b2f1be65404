//! Frames as bytes: the one door through which bytes become frames, with its limits.

use bytes::Bytes;
use crate::codec::Codec;
use crate::frame::Frame;

/// How large things may be that come from the other side.
#[derive(Clone, Copy, Debug)]
pub struct WireLimits {
    /// The largest frame, in bytes.
    pub frame: usize,
    /// The largest payload of one event, in bytes.
    pub message: usize,
}

/// Bytes are no frame.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// They end early, or mean nothing.
    #[error("the bytes are no frame: {0}")]
    Malformed(&'static str),
    /// The frame or one of its payloads is larger than allowed.
    #[error("a {what} of {size} bytes is larger than the {limit} allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

/// Appends `frame` to `out`.
pub fn encode(_codec: Codec, _frame: &Frame, _out: &mut Vec<u8>) { unimplemented!() }
/// Reads one frame.
pub fn decode(_codec: Codec, _bytes: &Bytes, _limits: &WireLimits) -> Result<Frame, WireError> { unimplemented!() }
