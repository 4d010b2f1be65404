//! Any bytes as what happens to clients and a server: the first two say on what network.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| sente_fuzz::machines(bytes));
