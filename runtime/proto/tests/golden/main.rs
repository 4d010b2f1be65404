//! The wire, byte for byte. The book shows these frames; whoever changes one changes the format.
#![cfg(feature = "json")]

mod frames;

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::frame::Frame;
use sente_proto::wire::{self, WireError, WireLimits};

use frames::{ALL, CLOSE, DATA_ACK, Golden};

/// One of binary frames and one of text. What payloads are in other codecs is theirs.
const CODECS: [Codec; 2] = [Codec::Bincode, Codec::Json];

const LIMITS: WireLimits = WireLimits {
    frame: 65_536,
    message: 262_144,
};

impl Golden {
    fn bytes(&self, codec: Codec) -> Bytes {
        if codec.is_text() {
            self.text.into()
        } else {
            bytes_of(self.binary).into()
        }
    }
}

/// The bytes of an annotated text.
fn bytes_of(annotated: &str) -> Vec<u8> {
    let digits: String = annotated
        .lines()
        .filter_map(|line| line.split("--").next())
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two hex digits"))
        .collect()
}

fn encoded(codec: Codec, frame: &Frame) -> Bytes {
    let mut out = Vec::new();
    wire::encode(codec, frame, &mut out);
    out.into()
}

/// Bytes as something that a failed assertion shows readably.
fn shown(codec: Codec, bytes: &[u8]) -> String {
    if codec.is_text() {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        format!("{bytes:02x?}")
    }
}

#[test]
fn frames_are_written_as_the_golden_ones() {
    for golden in ALL {
        for codec in CODECS {
            let written = encoded(codec, &(golden.frame)(codec));
            assert_eq!(shown(codec, &written), shown(codec, &golden.bytes(codec)));
        }
    }
}

#[test]
fn golden_frames_are_read() {
    for golden in ALL {
        for codec in CODECS {
            let read = wire::decode(codec, &golden.bytes(codec), &LIMITS).expect("a golden frame");
            assert_eq!(
                shown(codec, &encoded(codec, &read)),
                shown(codec, &golden.bytes(codec))
            );
        }
    }
}

#[test]
fn a_prefix_of_a_frame_is_malformed_or_a_shorter_frame() {
    for golden in ALL {
        for codec in CODECS {
            let bytes = golden.bytes(codec);
            for length in 0..bytes.len() {
                match wire::decode(codec, &bytes.slice(..length), &LIMITS) {
                    // Data frames go on until they end, so they may end between two items.
                    Ok(Frame::Data(_)) => assert!(!codec.is_text()),
                    Ok(_) => panic!(
                        "{length} bytes of a frame were read: {}",
                        shown(codec, &bytes)
                    ),
                    Err(error) => assert!(matches!(error, WireError::Malformed(_)), "{error}"),
                }
            }
        }
    }
}

#[test]
fn flipped_bits_never_panic_and_what_is_read_can_be_written() {
    for golden in ALL {
        for codec in CODECS {
            let bytes = golden.bytes(codec);
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                if let Ok(frame) = wire::decode(codec, &flipped.into(), &LIMITS) {
                    let again = encoded(codec, &frame);
                    assert!(
                        wire::decode(codec, &again, &LIMITS).is_ok(),
                        "{}",
                        shown(codec, &again)
                    );
                }
            }
        }
    }
}

#[test]
fn bytes_behind_a_frame_are_malformed() {
    for golden in ALL {
        for codec in CODECS {
            let mut bytes = golden.bytes(codec).to_vec();
            bytes.push(b'?');
            let read = wire::decode(codec, &bytes.into(), &LIMITS);
            // A refusal may say more in a later version.
            let refusal = matches!(read, Ok(Frame::Refused(_))) && !codec.is_text();
            assert!(refusal || matches!(read, Err(WireError::Malformed(_))));
        }
    }
}

// ANCHOR: body
#[test]
fn bodies_are_written_as_the_golden_ones() {
    let frames = [DATA_ACK, CLOSE];

    let mut binary = Vec::new();
    let mut text = Vec::new();
    for golden in frames {
        wire::append_to_body(Codec::Bincode, &(golden.frame)(Codec::Bincode), &mut binary);
        wire::append_to_body(Codec::Json, &(golden.frame)(Codec::Json), &mut text);
    }

    let golden = "
        04                               -- 4 bytes
        11 0c 8c 02                      -- the first frame
        0a                               -- 10 bytes
        06 02 03 00 05 6e65776572        -- the second frame
    ";
    assert_eq!(binary, bytes_of(golden));
    assert_eq!(
        String::from_utf8_lossy(&text),
        "{\"ack\":[12,268]}\n{\"close\":{\"reason\":\"replaced\",\"message\":\"newer\",\"epoch\":3}}\n",
    );
}
// ANCHOR_END: body
