//! The buffer in which events are encoded, one a thread.
//!
//! An event is mostly small and kept until it is acknowledged. Encoded into a buffer of its own it
//! would take two allocations, one for the bytes and a guess of how many, and one to share them;
//! copied out of a buffer that is there already it takes one, of the right size.

use std::cell::Cell;

use bytes::Bytes;

/// Larger payloads keep the buffer that they were encoded into instead of being copied.
const COPIED: usize = 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// An empty buffer. While it is away, another encoding on the same thread gets a new one.
pub(super) fn take() -> Vec<u8> {
    SCRATCH.try_with(Cell::take).unwrap_or_default()
}

/// What is in `buffer`, which is given back if it is small.
pub(super) fn payload(mut buffer: Vec<u8>) -> Bytes {
    if buffer.len() > COPIED {
        return Bytes::from(buffer);
    }
    let payload = Bytes::copy_from_slice(&buffer);
    buffer.clear();
    // At the end of a thread there is nothing to give it back to.
    let _ = SCRATCH.try_with(|scratch| scratch.set(buffer));
    payload
}
