//! What becomes of a line that brought no receipt.

use chat_contract::PostError;
use sente::CallError;

/// What to do about a post that brought no receipt.
#[derive(Debug, Eq, PartialEq)]
pub enum Fate {
    /// It was certainly not posted, and is said as soon as it can be.
    Later,
    /// It may have been posted: only a person can tell whether to say it again.
    Doubtful,
    /// It was not posted, and trying again would change nothing.
    Failed(String),
}

// ANCHOR: outcome
/// A call tells what prevented it. This is all that an application has to tell apart.
#[must_use]
pub fn fate(error: CallError<PostError>) -> Fate {
    match error {
        // The handler said no, and why.
        CallError::Rejected(reason) => Fate::Failed(reason.to_string()),
        // It had left, and no good answer came: the handler may have done its work.
        error if error.maybe_executed() => Fate::Doubtful,
        // It never left.
        CallError::TimedOut { .. } | CallError::Disconnected { .. } | CallError::Full => {
            Fate::Later
        }
        // One of both programs is too old, or the line too long.
        error => Fate::Failed(error.to_string()),
    }
}
// ANCHOR_END: outcome

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_left_can_be_said_later_and_what_may_have_run_cannot() {
        let lost = |maybe_executed| fate(CallError::Disconnected { maybe_executed });
        assert_eq!(lost(false), Fate::Later);
        assert_eq!(lost(true), Fate::Doubtful);
    }

    #[test]
    fn a_refusal_says_why() {
        let Fate::Failed(why) = fate(CallError::Rejected(PostError::Muted { seconds: 3 })) else {
            panic!("a refusal is final");
        };
        assert!(why.contains("3 s"));
        assert!(matches!(fate(CallError::Unsupported), Fate::Failed(_)));
    }
}
