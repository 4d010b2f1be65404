//! Any bytes as the body of a poll: the first one says whether it is text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| sente_fuzz::poll_body(bytes));
