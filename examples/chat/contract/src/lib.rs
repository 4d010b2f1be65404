//! The contract of the chat: everything that a server and a client of it say to each other.
//!
//! Both programs depend on this crate, and on nothing else of each other. Read [`Chat`] from the
//! top: each variant is one event, and its attribute says who sends it and how.

mod errors;
mod lab;
mod types;

pub use errors::{ClearError, JoinError, PostError};
pub use lab::{Device, Lab, LabClient, LabServer, LabToClient, LabToClients, LabToServer};
pub use types::{Line, Person, Receipt, RoomView, Welcome};

#[expect(
    missing_docs,
    reason = "the names of the fields say all there is to say"
)]
// ANCHOR: contract
/// What a chat client and its server say to each other.
///
/// A room comes into being when someone joins it. A person is a user; whoever uses one name on
/// several devices is one person with several devices.
#[sente::events(handshake = Welcome)]
pub enum Chat {
    // What clients send. An event with a `reply` is a call: the sender awaits the answer, or
    // learns what prevented it.
    //
    /// Enters a room; brings what was last said there and who is there.
    ///
    /// To join a room again does no harm.
    #[to_server(reply = RoomView, error = JoinError, timeout = "5s")]
    Join { room: String },

    /// Leaves a room.
    #[to_server]
    Leave { room: String },

    /// Says a line in a room, perhaps in reply to the line with the number `reply_to`.
    ///
    /// `#[default]`: clients that were built before there were replies leave `reply_to` out.
    #[to_server(reply = Receipt, error = PostError, timeout = "5s")]
    Post {
        room: String,
        text: String,
        #[default]
        reply_to: Option<u64>,
    },

    /// The sender is typing. Of those that wait to be sent only the newest for each room matters.
    #[to_server(delivery = latest)]
    Typing {
        #[key]
        room: String,
    },

    /// Asks who is in a room. Nothing can go wrong with that, so there is no `error`.
    #[to_server(reply = Vec<Person>, timeout = "5s")]
    Who { room: String },

    /// Makes the server forget what was said in a room, once the sender has confirmed it; brings
    /// how many lines those were.
    #[to_server(reply = u64, error = ClearError, timeout = "40s")]
    Clear { room: String },

    // What the server sends.
    //
    /// Someone said a line.
    #[to_client]
    Posted { room: String, line: Line },

    /// Someone entered a room.
    #[to_client]
    Joined { room: String, name: String },

    /// Someone has left a room, with the last of their devices.
    #[to_client]
    Left { room: String, name: String },

    /// Who is in a room now, on how many devices; the newest matters.
    #[to_client(delivery = latest)]
    People {
        #[key]
        room: String,
        people: Vec<Person>,
    },

    /// Someone is typing; the newest matters, for each person in each room.
    #[to_client(delivery = latest)]
    IsTyping {
        #[key]
        room: String,
        #[key]
        name: String,
    },

    /// Someone had the server forget what was said in a room.
    #[to_client]
    Cleared { room: String, name: String },

    /// Asks the person at one device to confirm something. The server calls, the client answers.
    #[to_client(reply = bool, timeout = "30s")]
    Confirm { question: String },

    // What both send.
    //
    /// A wave: to the server it names whom to wave at, to a client it names who waves.
    ///
    /// One event, two directions: for the client that waves it is a call, and the reply is how
    /// many devices the wave went to.
    #[to_server(reply = u64, timeout = "5s")]
    #[to_client]
    Wave { name: String },
}
// ANCHOR_END: contract
