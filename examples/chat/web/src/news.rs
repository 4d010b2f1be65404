//! All that can happen.

use chat_contract::{JoinError, Lab, Line, Person, PostError, Receipt, RoomView};
use futures_channel::mpsc::UnboundedSender;
use sente_client::{CallError, StateChange, Unconfirmed};

use crate::inputs::Action;

pub(crate) type Sender = UnboundedSender<News>;

/// What has happened.
pub(crate) enum News {
    /// A person wants something.
    Action(Action),
    /// Half a second has passed.
    Tick,
    /// The state of the client with this number has changed.
    State(u32, StateChange),
    /// A session has ended, and the server has not confirmed all of it.
    Unconfirmed(Unconfirmed),
    /// Something happened in a room.
    Room(String, InRoom),
    /// Someone waves at us.
    Wave(String),
    /// The server pushed something for the buttons.
    Lab(Lab),
    /// A join has been answered.
    Entered(String, Result<RoomView, CallError<JoinError>>),
    /// The line that was said last has been answered.
    Said(Result<Receipt, CallError<PostError>>),
    /// A log-in has been answered: who we are now, or why not.
    LoggedIn(Result<String, String>),
    /// A log-out has been answered.
    LoggedOut(Result<(), String>),
}

/// What happens in a room.
pub(crate) enum InRoom {
    Posted(Line),
    Joined(String),
    Left(String),
    People(Vec<Person>),
    Typing(String),
    Cleared(String),
}

/// Tells what happened. Only a page that is going away has nobody to tell it to.
pub(crate) fn tell(sender: &Sender, news: News) {
    let _ = sender.unbounded_send(news);
}
