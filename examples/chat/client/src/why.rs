//! Why a session is a new one, in words.

use sente_client::FreshReason;

/// Why the last session could not go on; `None` where there is nothing to tell.
#[must_use]
pub fn why(reason: FreshReason) -> Option<&'static str> {
    Some(match reason {
        FreshReason::First | FreshReason::Requested => return None,
        FreshReason::Restarted | FreshReason::Shutdown => "the server was restarted",
        FreshReason::Expired => "you were away for too long",
        FreshReason::Overflow => "more was said than the server could keep for you",
        FreshReason::UserChanged => "you are somebody else now",
        FreshReason::Replaced => "another program took your session",
        _ => "the session could not go on",
    })
}
