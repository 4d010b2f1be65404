//! What the tests in browsers and their server say to each other.
//!
//! The tests are in `tests/suite`, and run in a page; `cargo xtask browser` starts them. Their
//! server is `browser-host` in the package above.

use serde::{Deserialize, Serialize};

/// What the server says when it lets a client in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
pub struct Greeting {
    /// The user, or `stranger`.
    pub to: String,
}

/// Why a number cannot be halved.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
pub enum Unfit {
    /// It is odd.
    Odd {
        /// The number.
        number: u32,
    },
}

/// One event of each kind.
#[sente::events(handshake = Greeting)]
#[derive(Clone, Debug, PartialEq)]
pub enum House {
    /// Halves an even number.
    #[to_server(reply = u32, error = Unfit)]
    Halve {
        /// The number.
        number: u32,
    },

    /// Brings the text back.
    #[to_server(reply = String)]
    Echo {
        /// The text.
        text: String,
    },

    /// Is answered once somebody of the same user has sent `Open`.
    #[to_server(reply = u32, timeout = "60s")]
    Wait,

    /// Lets the calls of `Wait` end.
    #[to_server]
    Open,

    /// Comes back as `Counted`.
    #[to_server]
    Count {
        /// The number.
        number: u32,
    },

    /// Goes as `Counted` to all sessions of the same user.
    #[to_server]
    CountForAll {
        /// The number.
        number: u32,
    },

    /// Someone has counted.
    #[to_client]
    Counted {
        /// The number.
        number: u32,
    },

    /// Has the server ask back, and brings the answer.
    #[to_server(reply = String)]
    AskMe,

    /// Asks the client.
    #[to_client(reply = String)]
    Ask {
        /// What.
        question: String,
    },

    /// How many sessions the user has.
    #[to_server(reply = u32)]
    Sessions,

    /// Ends this session for good.
    #[to_server]
    KickMe,
}
