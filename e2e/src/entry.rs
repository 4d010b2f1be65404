//! What a program that counts writes down.

use serde::{Deserialize, Serialize};

/// One thing that a program has done, heard or been told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Entry {
    /// A server: it is there, at this address.
    Listens(String),
    /// A server: a client has come, and is counted for.
    Joined {
        /// Its session.
        session: String,
        /// Its count.
        count: u64,
    },
    /// A server: a number is about to be sent.
    Pushing {
        /// Of which count.
        count: u64,
        /// The number.
        number: u64,
    },
    /// A server: it was not accepted.
    Refused {
        /// Of which count.
        count: u64,
        /// The number.
        number: u64,
    },
    /// A server: a number came.
    Up {
        /// In which session.
        session: String,
        /// The number.
        number: u64,
    },
    /// A server: a call ran.
    Ran {
        /// In which session.
        session: String,
        /// Its number.
        number: u64,
    },
    /// A server: a session has ended.
    Ended {
        /// Which.
        session: String,
        /// Why.
        reason: String,
        /// What came back.
        back: Vec<Back>,
    },
    /// A client: it is connected, by a carrier that it was not connected by.
    Open {
        /// Its session.
        session: String,
        /// Why it is fresh, if it is.
        fresh: Option<String>,
        /// Whether by polling.
        polls: bool,
    },
    /// A client: it is no longer connected.
    Closed {
        /// Why.
        reason: String,
    },
    /// A client: a number is about to be sent, and sent again until it is accepted.
    Sending {
        /// The number.
        number: u64,
    },
    /// A client: a call is about to be made.
    Asking {
        /// Its number.
        number: u64,
    },
    /// A client: a call has ended.
    Answered {
        /// Its number.
        number: u64,
        /// How.
        answer: Answer,
    },
    /// A client: a number came.
    Down {
        /// Of which count.
        count: u64,
        /// The number.
        number: u64,
    },
    /// A client: a session has ended, and numbers came back.
    Back {
        /// Why.
        reason: String,
        /// The numbers.
        back: Vec<Back>,
    },
    /// A client: it has stopped, and all that it had sent was answered.
    Done,
}

/// A number that came back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Back {
    /// The number.
    pub number: u64,
    /// Whether it may have been received all the same.
    pub maybe_received: bool,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Answer {
    /// It was answered.
    Came,
    /// It may have run.
    MaybeRan,
    /// It has certainly not run.
    NeverRan,
}
