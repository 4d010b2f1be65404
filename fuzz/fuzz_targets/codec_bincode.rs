//! Any bytes as values of many types, by the codec `bincode`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sente_proto::codec::Codec;

fuzz_target!(|bytes: &[u8]| sente_fuzz::values(Codec::Bincode, bytes));
