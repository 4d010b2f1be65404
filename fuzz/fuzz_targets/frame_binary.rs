//! Any bytes as a binary frame.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sente_proto::codec::Codec;

fuzz_target!(|bytes: &[u8]| sente_fuzz::frame(Codec::Bincode, bytes));
