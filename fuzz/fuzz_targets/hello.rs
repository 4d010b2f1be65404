//! Any bytes as the first frame of a client whose codec is not known yet.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| sente_fuzz::hello(bytes));
