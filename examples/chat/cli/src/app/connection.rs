//! Where we are: what becomes of the connection, and the room that we are in.

use std::time::{Instant, SystemTime};

use chat_contract::{Chat, JoinError, Person, RoomView};
use sente::CallError;
use sente_client::{SessionState, State, StateChange};

use super::App;
use crate::news::{News, by, news};

impl App {
    /// The connection is another.
    pub(super) fn changed(&mut self, change: &StateChange) {
        if change.new.open {
            self.away_since = None;
        } else {
            self.away_since.get_or_insert_with(Instant::now);
        }
        match news(change, SystemTime::now()) {
            Some(News::Note(text)) => self.ui.screen.note(text),
            Some(News::Warning(text)) => self.ui.screen.warn(text),
            Some(News::Fresh { why, restarted }) => {
                if why.is_none() {
                    self.greet(&change.new);
                }
                let room = self.room();
                // After a restart the numbers of lines begin anew.
                self.ui.view().enter(&room, !restarted);
                self.why = why;
                self.join();
            }
            None => {}
        }
        // Whether a line may be read depends on whether an answer can come.
        self.read_on();
    }

    fn greet(&self, state: &State) {
        let screen = &self.ui.screen;
        match self.client.handshake::<Chat>() {
            Ok(Some(welcome)) => {
                screen.note(format!("connected by {} as {}", by(state), welcome.name));
            }
            // The server speaks of something else, and is perhaps no chat server at all.
            Ok(None) | Err(_) => screen.warn(format!(
                "connected by {}, but the server is of another version",
                by(state)
            )),
        }
    }

    /// Goes to another room.
    pub(super) fn go_to(&mut self, room: &str) {
        let old = self.room();
        if old != room {
            // If this is not sent, the session ends, and with it our stay in the room.
            self.chat.leave(old).ok();
        }
        self.ui.view().enter(room, false);
        self.join();
    }

    fn join(&mut self) {
        self.joined = None;
        self.joining = Some(self.chat.join(self.room()));
    }

    /// The server has answered to a join.
    pub(super) fn entered(&mut self, result: Result<RoomView, CallError<JoinError>>) {
        let room = self.room();
        let screen = &self.ui.screen;
        match result {
            Ok(RoomView { lines, people }) => {
                self.joined = self.client.state().session_id;
                let lines = self.ui.view().entered(lines);
                let others = others(&people, &self.name);
                screen.title(&room);
                // First why there was a gap, then what was missed in it.
                let why = self.why.take();
                if let Some(why) = why {
                    screen.warn(format!("{why}; joined #{room} again, {others}"));
                }
                for line in &lines {
                    self.ui.show(line);
                }
                if why.is_none() {
                    screen.note(format!("joined #{room}, {others}"));
                }
            }
            Err(CallError::Rejected(why)) => {
                screen.warn(format!("you cannot join #{room}: {why}"));
            }
            // To join twice does no harm, so whether it ran does not matter. If there is no
            // connection the call waits for one.
            Err(CallError::TimedOut { .. } | CallError::Full) => self.join(),
            // There will be a new session, and with it another join.
            Err(CallError::Disconnected { .. }) => {}
            Err(error) => screen.warn(format!("you cannot join #{room}: {error}")),
        }
        self.read_on();
    }

    /// Whether the server knows our room, in the session that there is now.
    pub(super) fn is_joined(&self) -> bool {
        self.joined.is_some() && self.joined == self.client.state().session_id
    }

    pub(super) fn show_state(&self) {
        let state = self.client.state();
        let screen = &self.ui.screen;
        if let (Some(id), Some(how)) = (state.session_id, state.session) {
            let how = match how {
                SessionState::Fresh { reason } => format!("fresh: {reason:?}"),
                SessionState::Resumed => "resumed".to_owned(),
            };
            screen.note(format!("session     {}…, {how}", &id.to_string()[..8]));
        }
        screen.note(format!(
            "you         {}",
            state.user.as_deref().unwrap_or("nobody")
        ));
        if let Some(took) = state.round_trip {
            screen.note(format!("round trip  {took:.1?}"));
        }
        if let Some(close) = &state.last_close {
            screen.note(format!("last loss   {:?}", close.reason));
        }
        if let Some(error) = &state.last_ws_error {
            screen.note(format!("WebSocket   {error}"));
        }
        for skew in state.skew.iter() {
            screen.note(format!("does not fit  {skew}"));
        }
        screen.note(format!("waiting     {} lines", self.posts.len()));
    }
}

/// Who is there beside us, in words.
fn others(people: &[Person], me: &str) -> String {
    let others: Vec<_> = people
        .iter()
        .filter(|person| person.name != me)
        .map(|person| person.name.as_str())
        .collect();
    match others.as_slice() {
        [] => "nobody else is here".to_owned(),
        [one] => format!("{one} is here"),
        [most @ .., last] => format!("{} and {last} are here", most.join(", ")),
    }
}
