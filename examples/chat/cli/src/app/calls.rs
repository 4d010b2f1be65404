//! What we ask of the server.

use chat_client::{Fate, fate};
use chat_contract::{Line, Person, PostError, Receipt};
use sente::CallError;

use super::App;

impl App {
    // ANCHOR: calls
    /// Says the next line, if one waits and it can be said.
    pub(super) fn post_next(&mut self) {
        if self.posting.is_none()
            && self.is_joined()
            && let Some(post) = self.posts.next()
        {
            // This is only the future of the receipt: it is sent when it is polled.
            self.posting = Some(self.chat.post(&*post.room, &*post.text, post.reply_to));
        }
    }

    /// The post has been answered, or something has prevented that.
    pub(super) fn posted(&mut self, result: Result<Receipt, CallError<PostError>>) {
        match result {
            Ok(receipt) => self.receipted(receipt),
            Err(error) => {
                let fate = fate(error);
                let text = self.posts.failed(&fate).map(|post| post.text);
                let text = text.as_deref().unwrap_or_default();
                match fate {
                    Fate::Later => {}
                    Fate::Doubtful => self.ui.screen.warn(format!(
                        "nobody knows whether “{text}” was posted; /again says it once more"
                    )),
                    Fate::Failed(why) => {
                        self.ui
                            .screen
                            .warn(format!("“{text}” was not posted: {why}"));
                    }
                }
            }
        }
        self.read_on();
    }

    /// Asks who is here. Nothing here waits for the answer.
    pub(super) fn who(&mut self) {
        let (screen, room) = (self.ui.screen.clone(), self.room());
        let call = self.chat.who(&*room);
        self.asides.spawn(async move {
            match call.await {
                Ok(people) => {
                    let people: Vec<_> = people.iter().map(in_words).collect();
                    screen.note(format!("in #{room}: {}", people.join(", ")));
                }
                Err(error) => screen.warn(format!("who is in #{room}? {error}")),
            }
        });
    }
    // ANCHOR_END: calls

    pub(super) fn wave(&mut self, name: String) {
        let screen = self.ui.screen.clone();
        let call = self.chat.wave(&*name);
        self.asides.spawn(async move {
            match call.await {
                Ok(0) => screen.note(format!("{name} is not there")),
                Ok(1) => screen.note(format!("{name} sees you waving")),
                Ok(count) => screen.note(format!("{name} sees you waving, on {count} devices")),
                Err(error) => screen.warn(format!("{name} may not have seen you waving: {error}")),
            }
        });
    }

    pub(super) fn clear(&mut self) {
        let (screen, room) = (self.ui.screen.clone(), self.room());
        let call = self.chat.clear(&*room);
        self.asides.spawn(async move {
            match call.await {
                Ok(count) => screen.note(format!(
                    "forgotten: what was said in #{room} ({count} lines)"
                )),
                Err(CallError::Rejected(why)) => {
                    screen.note(format!("nothing is forgotten: {why}"));
                }
                Err(error) if error.maybe_executed() => {
                    screen.warn(format!("#{room} may be cleared or not: {error}"));
                }
                Err(error) => screen.warn(format!("nothing is forgotten: {error}")),
            }
        });
    }

    fn receipted(&mut self, receipt: Receipt) {
        let Some(post) = self.posts.done() else {
            return;
        };
        let line = Line {
            id: receipt.id,
            from: self.name.clone(),
            text: post.text,
            reply_to: post.reply_to,
        };
        if self.is_script {
            self.ui.show(&line);
        } else if post.late {
            // At a terminal it stands there already, as it was typed: only it was not said then.
            self.ui.screen.note(format!("“{}” is said now", line.text));
        }
        let mut view = self.ui.view();
        if view.is_in(&post.room) {
            view.remember(line);
        }
    }
}

fn in_words(person: &Person) -> String {
    match person.devices {
        1 => person.name.clone(),
        count => format!("{} (on {count} devices)", person.name),
    }
}
