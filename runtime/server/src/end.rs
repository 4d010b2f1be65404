//! How a session ended, and what it did not deliver.

use sente::UnconfirmedEvent;
use sente_proto::CloseReason;

/// The end of a session, as [`Builder::on_end`](crate::Builder::on_end) is told.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionEnd {
    /// Why. [`CloseReason::Silent`] if the client did not come back within the window.
    pub reason: CloseReason,
    /// What the client had not confirmed, oldest first.
    pub unconfirmed: Vec<UnconfirmedEvent>,
}
