//! What the fuzzers do with bytes. Each target is one line that calls one of these.

mod cbor;
mod values;

use std::time::Duration;

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::frame::Frame;
use sente_proto::server;
use sente_proto::wire::{self, WireLimits};
use sente_test::{Profile, World, secs};

pub use cbor::Cbor;
pub use values::{Everything, seeds, values};

/// How long simulated machines talk: enough for each fault, and short enough for many worlds.
const LASTS: Duration = secs(4);

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

/// Lets clients and a server talk for a while. The first byte says of which profile their network is,
/// the second one is its seed; all others are what happens, a decision each. Every promise is looked at
/// after every step.
pub fn machines(bytes: &[u8]) {
    let [profile, seed, script @ ..] = bytes else {
        return;
    };
    let profile = &Profile::ALL[usize::from(*profile) % Profile::ALL.len()];
    let plan = || {
        (profile.plan)(u64::from(*seed))
            .duration(LASTS)
            .script(script)
    };
    if let Err(failure) = World::new(plan()).run() {
        // Again, and slower, for what came before.
        let failure = World::new(plan()).traced(60).run().err().unwrap_or(failure);
        panic!("profile {}, {failure}", profile.name);
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
