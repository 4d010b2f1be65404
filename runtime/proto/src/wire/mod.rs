//! Frames as bytes: the one door through which bytes become frames, with its limits.
//!
//! There are two encodings of the same frames: binary, for the codecs that are, and text, one JSON
//! object a frame, for those that are text. The book's chapter on the wire specifies both.

mod binary;
mod body;
mod data;
mod primitive;
#[cfg(feature = "json")]
mod text;
mod words;

use bytes::Bytes;

use crate::CloseReason;
use crate::codec::Codec;
use crate::frame::{Frame, Hello, Item};
use crate::reason::Refused;

pub use body::{
    BodyFrames, append_encoded_to_body, append_to_body, frames_from_server, frames_of_body,
};
pub use data::DataWriter;

/// The largest frame that either side writes or takes, in bytes, unless it holds one item alone or is
/// a welcome.
///
/// It belongs to the wire, and so no side can ask for less than the other may send.
pub const MAX_FRAME: usize = 64 * 1024;

/// How many bytes a data frame of one item may have beside its payload, at most.
///
/// A frame that holds one item alone may be larger than [`WireLimits::frame`], by a payload of up to
/// [`WireLimits::message`] and this.
pub const OVERHEAD: usize = 256;

/// How large things may be that come from the other side.
#[derive(Clone, Copy, Debug)]
pub struct WireLimits {
    /// The largest frame, in bytes. A data frame with one item alone may be larger; see [`OVERHEAD`].
    pub frame: usize,
    /// The largest payload of one event, in bytes.
    pub message: usize,
}

/// Bytes are no frame. Nothing of what they held is in the error.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// They end early, or mean nothing. The other side is broken or hostile.
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

impl WireError {
    /// What to close with.
    #[must_use]
    pub const fn reason(&self) -> CloseReason {
        match self {
            Self::Malformed(_) => CloseReason::Malformed,
            Self::TooLarge { .. } => CloseReason::TooLarge,
        }
    }
}

/// Appends `frame` to `out`: as text if the codec is, and else as binary.
///
/// Payloads have to be what this codec made.
///
/// ```
/// use sente_proto::codec::Codec;
/// use sente_proto::frame::Frame;
/// use sente_proto::wire;
///
/// let mut out = Vec::new();
/// wire::encode(Codec::Json, &Frame::Ping(7), &mut out);
/// assert_eq!(out, br#"{"ping":7}"#);
/// ```
pub fn encode(codec: Codec, frame: &Frame, out: &mut Vec<u8>) {
    encode_form(codec, frame, out, binary::encode);
}

/// Appends a frame as [`encode`] does, but no answer to a hello: what a client never sends need not
/// be in its program.
pub(crate) fn encode_no_answer(codec: Codec, frame: &Frame, out: &mut Vec<u8>) {
    encode_form(codec, frame, out, binary::encode_no_answer);
}

fn encode_form(codec: Codec, frame: &Frame, out: &mut Vec<u8>, binary: fn(&Frame, &mut Vec<u8>)) {
    if let Frame::Data(data) = frame {
        return data::encode(codec, data, out);
    }
    #[cfg(feature = "json")]
    if codec.is_text() {
        return text::encode(frame, out);
    }
    binary(frame, out);
}

/// Reads one frame. Payloads are parts of `bytes`, not copies.
///
/// # Errors
/// If the bytes are no frame, or too large.
pub fn decode(codec: Codec, bytes: &Bytes, limits: &WireLimits) -> Result<Frame, WireError> {
    decode_form(codec.is_text(), bytes, limits, binary::decode)
}

/// Reads one frame as [`decode`] does, but none that only clients send: what a client never gets
/// need not be in its program.
///
/// # Errors
/// If the bytes are no frame of a server's, or too large.
pub fn decode_from_server(
    codec: Codec,
    bytes: &Bytes,
    limits: &WireLimits,
) -> Result<Frame, WireError> {
    decode_form(codec.is_text(), bytes, limits, binary::decode_from_server)
}

/// Reads the hello of a client whose codec is not known yet: text if it begins with `{`.
///
/// Of a hello of another version only `version` and `codec` are read; the rest is empty.
///
/// # Errors
/// If the bytes are no hello, or too large.
pub fn decode_hello(bytes: &Bytes, limits: &WireLimits) -> Result<Hello, WireError> {
    match decode_form(is_text_hello(bytes), bytes, limits, binary::decode)? {
        Frame::Hello(hello) => Ok(*hello),
        _ => Err(WireError::Malformed("the first frame is no hello")),
    }
}

/// Whether the bytes of a hello are text, so that the answer has to be text too.
#[must_use]
pub fn is_text_hello(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'{')
}

/// Appends a refusal to `out` for a client whose codec this side may not have: as text or as binary,
/// as its hello was.
pub fn encode_refused(text: bool, refused: &Refused, out: &mut Vec<u8>) {
    #[cfg(feature = "json")]
    if text {
        return text::encode_refused(refused, out);
    }
    // Without the codec there is no text to be had, and no text client gets far enough to read it.
    let _ = text;
    binary::encode_refused(refused, out);
}

fn decode_form(
    text: bool,
    bytes: &Bytes,
    limits: &WireLimits,
    binary: fn(&Bytes, &WireLimits, bool) -> Result<Frame, WireError>,
) -> Result<Frame, WireError> {
    let alone = bytes.len() > limits.frame;
    let limit = limits.frame.max(limits.message.saturating_add(OVERHEAD));
    if bytes.len() > limit {
        return Err(too_large("frame", bytes.len(), limit));
    }
    let frame = match text {
        #[cfg(feature = "json")]
        true => text::decode(bytes, limits)?,
        #[cfg(not(feature = "json"))]
        true => return Err(WireError::Malformed("text needs the json codec")),
        false => binary(bytes, limits, alone)?,
    };
    let may_be_large = match &frame {
        Frame::Data(data) => data.items.len() == 1,
        // It brings what the application says at the handshake.
        Frame::Welcome(_) => true,
        _ => false,
    };
    if alone && !may_be_large {
        return Err(too_large("frame", bytes.len(), limits.frame));
    }
    if let Frame::Data(data) = &frame {
        check_numbers(data.first, &data.items)?;
    }
    Ok(frame)
}

/// Numbers begin at 1 and do not run over, so that nobody behind the door has to think of it.
fn check_numbers(first: u64, items: &[Item]) -> Result<(), WireError> {
    if items.is_empty() {
        return Ok(());
    }
    if first == 0 {
        return Err(WireError::Malformed("the first item has the number 0"));
    }
    let mut next = first;
    for item in items {
        let taken = match item {
            Item::Skip { count: 0 } => return Err(WireError::Malformed("nothing is skipped")),
            Item::Skip { count } => *count,
            _ => 1,
        };
        next = next
            .checked_add(taken)
            .ok_or(WireError::Malformed("the numbers of items run over"))?;
    }
    Ok(())
}

const fn too_large(what: &'static str, size: usize, limit: usize) -> WireError {
    WireError::TooLarge { what, size, limit }
}

// The first byte of each kind of binary frame. None is `{`, with which text begins.
const HELLO: u8 = 0x01;
const WELCOME: u8 = 0x02;
const REFUSED: u8 = 0x03;
const TABLES: u8 = 0x04;
const REQUEST: u8 = 0x05;
const CLOSE: u8 = 0x06;
const AUTHENTICATE: u8 = 0x07;
const EXPIRES: u8 = 0x08;
const PING: u8 = 0x09;
const PONG: u8 = 0x0a;
/// With [`ACKNOWLEDGES`] added.
const DATA: u8 = 0x10;
const ACKNOWLEDGES: u8 = 0x01;

/// The first byte of each kind of item in binary frames.
mod item {
    pub(super) const EVENT: u8 = 0x01;
    pub(super) const CALL: u8 = 0x02;
    pub(super) const REPLY: u8 = 0x03;
    pub(super) const REJECTED: u8 = 0x04;
    pub(super) const FAILED: u8 = 0x05;
    pub(super) const CANCEL: u8 = 0x06;
    pub(super) const SKIP: u8 = 0x07;
}
