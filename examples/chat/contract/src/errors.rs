//! What the server may refuse. A caller gets these as they are: `CallError::Rejected(error)`.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Why nobody can enter the room.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub enum JoinError {
    /// Rooms have no such names.
    BadName,
    /// There are as many rooms as there may be, and somebody is in each.
    TooManyRooms,
    /// The sender is in as many rooms as one may be in.
    TooManyJoined {
        /// In how many one may be.
        max: u32,
    },
}

/// Why a line was not posted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub enum PostError {
    /// The sender is not in that room.
    NotJoined,
    /// There is no text in it.
    Empty,
    /// There is too much text in it.
    TooLong {
        /// How many characters there may be.
        max: u32,
    },
    /// The sender has said too much in a short time.
    Muted {
        /// For how many seconds more.
        seconds: u32,
    },
}

/// Why the lines of a room are still there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub enum ClearError {
    /// The sender is not in that room.
    NotJoined,
    /// The sender did not confirm it.
    Declined,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName => f.write_str("a room's name has 1 to 20 letters, digits, `-` and `_`"),
            Self::TooManyRooms => {
                f.write_str("there are as many rooms as there may be: join one of those")
            }
            Self::TooManyJoined { max } => {
                write!(
                    f,
                    "one may be in {max} rooms at once: leave another one first"
                )
            }
        }
    }
}

impl fmt::Display for PostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJoined => f.write_str("you are not in that room"),
            Self::Empty => f.write_str("there is no text in it"),
            Self::TooLong { max } => {
                write!(f, "it is longer than {max} characters: say it in parts")
            }
            Self::Muted { seconds } => write!(
                f,
                "you said too much in a short time: try again in {seconds} s"
            ),
        }
    }
}

impl fmt::Display for ClearError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJoined => "you are not in that room",
            Self::Declined => "it was not confirmed",
        })
    }
}

impl Error for JoinError {}
impl Error for PostError {}
impl Error for ClearError {}
