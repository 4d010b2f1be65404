//! A contract with every shape of a variant, in both directions, under the strictest lints that a
//! user may have. Clippy reads this crate; the compiler's messages are in `cases`.

#![deny(missing_docs, unreachable_pub, unused, clippy::all, clippy::pedantic)]

mod private;

use serde::{Deserialize, Serialize};

/// What a post brings back.
#[derive(Clone, Debug, Deserialize, Serialize, sente::Schema)]
pub struct Receipt {
    /// The id.
    pub id: u64,
}

/// Why a post is refused.
#[derive(Clone, Debug, Deserialize, Serialize, sente::Schema)]
pub enum PostError {
    /// Not now.
    Muted,
}

/// What the server says first.
#[derive(Clone, Debug, Deserialize, Serialize, sente::Schema)]
pub struct Welcome;

/// What a chat page and its server say to each other.
#[sente::events(handshake = Welcome)]
#[derive(Clone, Debug)]
pub enum Chat {
    /// Posts a line in a room.
    #[to_server(reply = Receipt, error = PostError, timeout = "5s")]
    Post {
        /// The room.
        room: String,
        /// The line.
        text: String,
        /// What it answers.
        #[default]
        reply_to: Option<u64>,
    },

    /// Someone is typing. Only the newest one matters.
    #[to_server(delivery = latest)]
    Typing {
        /// The room.
        #[key]
        room: String,
    },

    /// Someone posted a line.
    #[to_client]
    Posted {
        /// The room.
        room: String,
        /// By whom.
        from: String,
        /// The line.
        text: String,
    },

    /// Asks one device to confirm something.
    #[to_client(reply = bool, timeout = "1.5s")]
    Confirm(String),

    /// A place and its colour.
    #[to_server(delivery = volatile)]
    #[to_client(delivery = latest)]
    Move(#[key] u32, (i32, i32)),

    /// A ping that either side may send.
    #[to_server(reply = ())]
    #[to_client]
    Wave,
}

/// More of everything than clippy likes in code that people write.
#[sente::events]
pub enum Large {
    /// Many fields.
    #[to_server]
    #[to_client(reply = bool)]
    Wide {
        /// One.
        a: bool,
        /// Two.
        b: bool,
        /// Three.
        c: bool,
        /// Four.
        d: bool,
        /// Five.
        texts: Vec<String>,
        /// Six.
        text: String,
        /// Seven.
        receipt: Receipt,
        /// Eight.
        _unused: u8,
    },

    /// Event Alfa.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Alfa(Receipt, #[default] u8),

    /// Event Bravo.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Bravo(Receipt, #[default] u8),

    /// Event Charlie.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Charlie(Receipt, #[default] u8),

    /// Event Delta.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Delta(Receipt, #[default] u8),

    /// Event Echo.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Echo(Receipt, #[default] u8),

    /// Event Foxtrot.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Foxtrot(Receipt, #[default] u8),

    /// Event Golf.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Golf(Receipt, #[default] u8),

    /// Event Hotel.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Hotel(Receipt, #[default] u8),

    /// Event India.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    India(Receipt, #[default] u8),

    /// Event Juliett.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Juliett(Receipt, #[default] u8),

    /// Event Kilo.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Kilo(Receipt, #[default] u8),

    /// Event Lima.
    #[to_server(reply = Receipt, error = PostError)]
    #[to_client]
    Lima(Receipt, #[default] u8),

    /// The old one.
    #[to_server]
    #[deprecated(note = "use another")]
    Old,
}
