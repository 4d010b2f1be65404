//! What the fuzzers do with bytes. Each target is one line that calls one of these.

mod cbor;
mod values;

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::frame::Frame;
use sente_proto::server;
use sente_proto::wire::{self, WireLimits};

pub use cbor::Cbor;
pub use values::{Everything, seeds, values};

const LIMITS: WireLimits = WireLimits {
    frame: 65_536,
    message: 262_144,
};

/// Reads a frame; what was read can be written, and read again.
pub fn frame(codec: Codec, bytes: &[u8]) {
    if let Ok(frame) = wire::decode(codec, &Bytes::copy_from_slice(bytes), &LIMITS) {
        again(codec, &frame);
    }
}

/// Reads a hello, as a server does before it knows the codec.
pub fn hello(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let Ok(hello) = wire::decode_hello(&bytes, &LIMITS) else {
        return;
    };
    if let Err(refused) = server::accept(&hello, Codec::ALL) {
        let mut out = Vec::new();
        wire::encode_refused(wire::is_text_hello(&bytes), &refused, &mut out);
    }
}

/// Reads the frames of a body, of which the first byte is the form.
pub fn poll_body(bytes: &[u8]) {
    let Some((form, body)) = bytes.split_first() else {
        return;
    };
    let codec = if *form == b'{' {
        Codec::Json
    } else {
        Codec::Bincode
    };
    for frame in wire::frames_of_body(codec, &Bytes::copy_from_slice(body), &LIMITS).flatten() {
        again(codec, &frame);
    }
}

fn again(codec: Codec, frame: &Frame) {
    let mut once = Vec::new();
    wire::encode(codec, frame, &mut once);
    // What is written may be longer than what was read: an escape where there was none.
    let limits = WireLimits {
        frame: usize::MAX,
        message: usize::MAX,
    };
    let frame = wire::decode(codec, &once.clone().into(), &limits).expect("a frame it has written");
    let mut twice = Vec::new();
    wire::encode(codec, &frame, &mut twice);
    assert_eq!(once, twice);
}
