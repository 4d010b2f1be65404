//! Writes the inputs that the fuzzers begin with, `fuzz/seeds`: the golden frames of the wire, and a
//! few values in each codec.

// Only what the frames are counts here, not how they are written.
#[expect(dead_code)]
#[path = "../../../runtime/proto/tests/golden/frames.rs"]
mod frames;

use std::io::Result;
use std::path::Path;

use sente_proto::codec::Codec;
use sente_proto::frame::Frame;
use sente_proto::wire;
use sente_test::Profile;

fn main() -> Result<()> {
    for (target, codec) in [
        ("codec_bincode", Codec::Bincode),
        ("codec_json", Codec::Json),
        ("codec_msgpack", Codec::MsgPack),
        ("codec_postcard", Codec::Postcard),
        ("codec_custom", Codec::Custom(&sente_fuzz::Cbor)),
    ] {
        for (at, bytes) in sente_fuzz::seeds(codec).iter().enumerate() {
            write(target, at, bytes)?;
        }
    }
    for profile in 0..Profile::ALL.len() as u8 {
        // Each decision another one, so that there is something to change.
        let script = (0..=u8::MAX).map(|step| step.wrapping_mul(97).wrapping_add(profile));
        let bytes: Vec<u8> = [profile, profile].into_iter().chain(script).collect();
        write("machines", usize::from(profile), &bytes)?;
    }
    for (target, codec, form) in [
        ("frame_binary", Codec::Bincode, b'b'),
        ("frame_text", Codec::Json, b'{'),
    ] {
        let mut body = vec![form];
        for (at, golden) in frames::ALL.iter().enumerate() {
            let frame = (golden.frame)(codec);
            let mut bytes = Vec::new();
            wire::encode(codec, &frame, &mut bytes);
            write(target, at, &bytes)?;
            wire::append_to_body(codec, &frame, &mut body);
            if matches!(frame, Frame::Hello(_)) {
                write("hello", at + 20 * usize::from(codec.is_text()), &bytes)?;
            }
        }
        write("poll_body", usize::from(codec.is_text()), &body)?;
    }
    Ok(())
}

fn write(target: &str, at: usize, bytes: &[u8]) -> Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join(format!("{at:02}")), bytes)
}
