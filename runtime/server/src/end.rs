//! How a session ended, and what it did not deliver.

use sente::UnconfirmedEvent;
use sente_proto::{CloseReason, FreshReason};

/// The end of a session, as [`Builder::on_end`](crate::Builder::on_end) is told.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionEnd {
    /// Why. [`CloseReason::Silent`] if the client did not come back within the window.
    pub reason: CloseReason,
    /// What the client had not confirmed, oldest first.
    pub unconfirmed: Vec<UnconfirmedEvent>,
}

/// What a client that wants its session back is told of why it ended.
pub(crate) const fn fresh_reason(reason: CloseReason) -> FreshReason {
    match reason {
        CloseReason::Goodbye | CloseReason::Kicked => FreshReason::Requested,
        CloseReason::Overflow => FreshReason::Overflow,
        CloseReason::Shutdown => FreshReason::Shutdown,
        CloseReason::UserChanged => FreshReason::UserChanged,
        CloseReason::Replaced => FreshReason::Replaced,
        reason if reason.is_violation() => FreshReason::Violation,
        _ => FreshReason::Expired,
    }
}
