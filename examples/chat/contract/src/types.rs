//! The values inside of the events. They are plain types that serde can read and write.

use serde::{Deserialize, Serialize};

// ANCHOR: types
/// What the server tells each client when it connects, before any event.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub struct Welcome {
    /// Who the server takes this client for.
    pub name: String,
    /// How many characters a line may have.
    pub max_text: u32,
}

/// A line that was said in a room.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub struct Line {
    /// Its number in its room: later lines have higher ones.
    pub id: u64,
    /// Who said it.
    pub from: String,
    /// What was said.
    pub text: String,
    /// The number of the line that it replies to.
    pub reply_to: Option<u64>,
}

/// The answer to a post: the line is kept, and on its way to the others in the room.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub struct Receipt {
    /// The line's number.
    pub id: u64,
}
// ANCHOR_END: types

/// What someone sees who enters a room.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub struct RoomView {
    /// What was last said, oldest first.
    pub lines: Vec<Line>,
    /// Who is there, by name.
    pub people: Vec<Person>,
}

/// Someone in a room.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub struct Person {
    /// The name.
    pub name: String,
    /// On how many devices.
    pub devices: u32,
}
