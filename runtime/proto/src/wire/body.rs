//! The body of a poll, up or down: several frames, one after the other.

use bytes::{Buf, Bytes};

use super::primitive::{Input, put_varint};
use super::{WireError, WireLimits, decode, decode_from_server, encode};
use crate::codec::Codec;
use crate::frame::Frame;

/// Appends `frame` to a body: behind its length in binary, on a line of its own in text.
pub fn append_to_body(codec: Codec, frame: &Frame, body: &mut Vec<u8>) {
    let mut encoded = Vec::new();
    encode(codec, frame, &mut encoded);
    append_encoded_to_body(codec, &encoded, body);
}

/// Appends a frame that is encoded already, as [`append_to_body`] does.
pub fn append_encoded_to_body(codec: Codec, frame: &[u8], body: &mut Vec<u8>) {
    if codec.is_text() {
        // Between the tokens of JSON a line break is a space, and within a string it is escaped.
        body.extend(frame.iter().map(|byte| {
            if matches!(byte, b'\n' | b'\r') {
                b' '
            } else {
                *byte
            }
        }));
        body.push(b'\n');
    } else {
        put_varint(body, frame.len() as u64);
        body.extend_from_slice(frame);
    }
}

/// Reads the frames of a body, in order and only as they are asked for.
///
/// After an error there is nothing more: where the next frame begins is not known.
///
/// ```
/// use bytes::Bytes;
/// use sente_proto::codec::Codec;
/// use sente_proto::frame::{Data, Frame};
/// use sente_proto::wire::{self, WireLimits};
///
/// let mut body = Vec::new();
/// wire::append_to_body(Codec::Bincode, &Frame::Data(Data::default()), &mut body);
/// wire::append_to_body(Codec::Bincode, &Frame::Tables(Vec::new()), &mut body);
///
/// let limits = WireLimits { frame: 1024, message: 1024 };
/// let frames: Vec<_> = wire::frames_of_body(Codec::Bincode, &Bytes::from(body), &limits).collect();
/// assert!(matches!(frames[..], [Ok(Frame::Data(_)), Ok(Frame::Tables(_))]));
/// ```
pub fn frames_of_body(codec: Codec, body: &Bytes, limits: &WireLimits) -> BodyFrames {
    BodyFrames {
        codec,
        rest: body.clone(),
        limits: *limits,
        decode,
    }
}

/// Reads the frames of a body as [`frames_of_body`] does, but none that only clients send.
pub fn frames_from_server(codec: Codec, body: &Bytes, limits: &WireLimits) -> BodyFrames {
    BodyFrames {
        decode: decode_from_server,
        ..frames_of_body(codec, body, limits)
    }
}

/// The frames of a body, from [`frames_of_body`] or [`frames_from_server`].
#[derive(Debug)]
pub struct BodyFrames {
    codec: Codec,
    rest: Bytes,
    limits: WireLimits,
    decode: fn(Codec, &Bytes, &WireLimits) -> Result<Frame, WireError>,
}

impl Iterator for BodyFrames {
    type Item = Result<Frame, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = if self.codec.is_text() {
            self.line()?
        } else {
            self.counted()?
        };
        let frame = frame.and_then(|bytes| (self.decode)(self.codec, &bytes, &self.limits));
        if frame.is_err() {
            self.rest.clear();
        }
        Some(frame)
    }
}

impl std::iter::FusedIterator for BodyFrames {}

impl BodyFrames {
    /// The next line that is not empty.
    fn line(&mut self) -> Option<Result<Bytes, WireError>> {
        while !self.rest.is_empty() {
            let end = self
                .rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(self.rest.len());
            let line = self.rest.split_to(end);
            self.rest.advance(self.rest.len().min(1));
            if !line.trim_ascii().is_empty() {
                return Some(Ok(line));
            }
        }
        None
    }

    fn counted(&mut self) -> Option<Result<Bytes, WireError>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut input = Input::new(&self.rest);
        // The frame's own limit is checked by `decode`; here it has to lie within the body.
        let frame = input.payload(usize::MAX);
        let left = input.remaining();
        self.rest.advance(self.rest.len() - left);
        Some(frame)
    }
}
