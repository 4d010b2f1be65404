//! The promises that the model looks after, so that what breaks says which.

use std::fmt;

/// What is promised. Each check of the model stands under one of these.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Promise {
    /// Reliable events and calls come in the order of sending.
    Order,
    /// What was sent is given to its handler once, whole, and to the right session.
    Once,
    /// What was accepted arrives, and is confirmed, as soon as the network lets it.
    Arrival,
    /// Volatile events do not outlive their carrier; of the latest ones the newest arrives last.
    Classes,
    /// A call runs at most once and ends exactly once, and its end tells the truth.
    Calls,
    /// Calls end by their deadlines, and their handlers with them; a cancel is heard.
    Deadlines,
    /// What was not confirmed comes back when a session ends, and nothing else does.
    Unconfirmed,
    /// Both sides are told of the end of a session, with its reason.
    Announced,
    /// Queues, handlers and frames keep to their limits.
    Bounded,
    /// A dead carrier, a client that is gone and a session whose window has passed are noticed in
    /// time.
    Noticed,
    /// Nothing is left of what has ended.
    Cleared,
    /// One attempt opens one session, of the user who asked for it.
    Identity,
    /// A client uses the carriers that it was told to, connects again, comes back to WebSocket, and
    /// storms nobody.
    Carriers,
    /// Honest machines never find each other in breach of the protocol.
    Protocol,
}

impl Promise {
    /// It was not kept: `how`.
    pub(crate) fn broken(self, how: impl Into<String>) -> Wrong {
        Wrong {
            promise: self,
            how: how.into(),
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What is wrong, in a sentence, and which promise that breaks.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    pub(crate) promise: Promise,
    pub(crate) how: String,
}

impl Wrong {
    /// Says first where it is wrong.
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.how = format!("{place}: {}", self.how);
        self
    }
}

/// Nothing if all is well.
pub(crate) type Verdict<T = ()> = Result<T, Wrong>;
