//! The chat itself: rooms, who is there, who types.

use chat_client::why;
use chat_contract::{Chat, ChatToServer, JoinError, RoomView};
use sente::CallError;
use sente_client::{SessionState, Unconfirmed};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlInputElement};

use super::App;
use crate::news::{InRoom, News, tell};
use crate::{console, dom};

/// Others are told at most once in this time that we type, in milliseconds.
const TYPING: f64 = 1000.0;

impl App {
    fn chat(&self) -> ChatToServer {
        Chat::to_server(&self.connection.client)
    }

    // ---- rooms ----

    pub(super) fn join(&mut self, room: &str) {
        if self.rooms.show(room) {
            self.ask_in(room);
        }
        dom::by_id::<HtmlInputElement>("room").set_value("");
        self.drop_reply();
    }

    /// Joins all rooms, in a session that knows of none.
    pub(super) fn join_all(&mut self, restarted: bool) {
        let session = self.connection.client.state().session;
        let why = match session {
            Some(SessionState::Fresh { reason }) => why(reason),
            _ => None,
        };
        let mut names = Vec::new();
        for room in self.rooms.iter_mut() {
            let name = room.name().to_owned();
            if restarted {
                // With the server its history is gone, and its numbers begin anew.
                room.clear();
            }
            if let Some(why) = why {
                room.note(why);
            }
            room.view.enter(&name, !restarted);
            names.push(name);
        }
        for name in names {
            self.ask_in(&name);
        }
    }

    fn ask_in(&self, room: &str) {
        let (news, room) = (self.news.clone(), room.to_owned());
        let call = self.chat().join(&*room);
        spawn_local(async move {
            let result = call.await;
            tell(&news, News::Entered(room, result));
        });
    }

    /// A join has been answered, or something has prevented that.
    pub(super) fn entered(&mut self, name: &str, result: Result<RoomView, CallError<JoinError>>) {
        let Some(room) = self.rooms.get(name) else {
            return;
        };
        match result {
            Ok(view) => {
                room.joined = self.connection.client.state().session_id;
                for line in room.view.entered(view.lines) {
                    room.line(&line);
                }
                self.rooms.render();
                self.post_next();
            }
            Err(CallError::Rejected(why)) => {
                console::warn(&format!("you cannot join #{name}: {why}"));
                self.rooms.remove(name);
            }
            // To join twice does no harm, so whether it ran does not matter. If there is no
            // connection the call waits for one.
            Err(CallError::TimedOut { .. } | CallError::Full) => self.ask_in(name),
            // There will be a new session, and with it another join.
            Err(CallError::Disconnected { .. }) => {}
            Err(error) => _ = console::warn(&format!("you cannot join #{name}: {error}")),
        }
    }

    pub(super) fn leave(&mut self, room: &str) {
        // If this is not sent, the session ends, and with it our stay in the room.
        self.chat().leave(room).ok();
        self.rooms.remove(room);
        self.drop_posts_in(room);
        self.drop_reply();
    }

    pub(super) fn in_room(&mut self, name: &str, what: InRoom) {
        let Some(room) = self.rooms.get(name) else {
            return;
        };
        match what {
            InRoom::Posted(line) => {
                if let Some(line) = room.view.posted(name, line) {
                    room.line(&line);
                }
            }
            InRoom::Joined(who) => room.note(&format!("{who} is here")),
            InRoom::Left(who) => room.note(&format!("{who} has left")),
            InRoom::People(people) => room.set_people(people),
            InRoom::Typing(who) => room.set_typing(who),
            InRoom::Cleared(who) => {
                room.clear();
                room.note(&format!("{who} made the server forget what was said here"));
            }
        }
        self.rooms.render();
    }

    pub(super) fn clear_room(&self) {
        let Some(room) = self.rooms.shown() else {
            return;
        };
        let (news, room) = (self.news.clone(), room.name().to_owned());
        let call = self.chat().clear(&*room);
        spawn_local(async move {
            match call.await {
                Ok(count) => {
                    console::note(&format!("forgotten: {count} lines of #{room}"));
                    tell(&news, News::Room(room, InRoom::Cleared("you".to_owned())));
                }
                Err(CallError::Rejected(why)) => {
                    console::note(&format!("nothing is forgotten: {why}"));
                }
                Err(error) if error.maybe_executed() => {
                    console::warn(&format!("#{room} may be cleared or not: {error}"));
                }
                Err(error) => _ = console::warn(&format!("nothing is forgotten: {error}")),
            }
        });
    }

    // ---- people ----

    pub(super) fn typing(&mut self) {
        let Some(room) = self.rooms.shown() else {
            return;
        };
        let now = dom::now();
        if now - self.told_typing >= TYPING {
            self.told_typing = now;
            // That nobody hears it matters to nobody.
            self.chat().typing(room.name()).ok();
        }
    }

    pub(super) fn wave(&self, name: String) {
        let call = self.chat().wave(&*name);
        spawn_local(async move {
            match call.await {
                Ok(0) => console::note(&format!("{name} is not there")),
                Ok(1) => console::note(&format!("{name} sees you waving")),
                Ok(count) => console::note(&format!("{name} sees you waving, on {count} devices")),
                Err(error) => {
                    console::warn(&format!("{name} may not have seen you waving: {error}"))
                }
            };
        });
    }

    // ---- replies ----

    pub(super) fn reply(&mut self, id: u64) {
        let line = self.rooms.shown().and_then(|room| room.view.line(id));
        let Some(line) = line else {
            return;
        };
        dom::show_text("replying-to", &format!("To {}: {}", line.from, line.text));
        dom::set_hidden("replying", false);
        dom::by_id::<HtmlElement>("text").focus().ok();
        self.reply_to = Some(id);
    }

    pub(super) fn drop_reply(&mut self) {
        self.reply_to = None;
        dom::set_hidden("replying", true);
    }

    // ---- what was lost ----

    /// What certainly did not arrive, and can, is sent again; the rest is told.
    pub(super) fn unconfirmed(&self, mut unconfirmed: Unconfirmed) {
        let all = unconfirmed.events.len();
        unconfirmed
            .events
            .retain(|event| !event.maybe_received() && event.refusal().is_none());
        let again = unconfirmed.events.len();
        console::warn(&format!(
            "{all} events come back ({:?}); {again} never left, and are sent again",
            unconfirmed.reason
        ));
        if let Err(error) = self.connection.client.resend(unconfirmed) {
            console::warn(&error.to_string());
        }
    }
}
