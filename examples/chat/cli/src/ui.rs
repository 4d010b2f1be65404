//! What happens at each event that the server sends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat_client::View;
use chat_contract::{ChatClient, Line, Person};
use sente::Link;

use crate::questions::Questions;
use crate::screen::Screen;

// ANCHOR: client_handler
/// The client's side of the conversation: all of it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    pub(crate) screen: Screen,
    pub(crate) questions: Questions,
    view: Arc<Mutex<View>>,
}

impl ChatClient for Ui {
    async fn posted(&self, _: &Link, room: String, line: Line) {
        let line = self.view().posted(&room, line);
        if let Some(line) = line {
            self.show(&line);
        }
    }

    async fn joined(&self, _: &Link, room: String, name: String) {
        self.note_of(&room, format!("{name} is here"));
    }

    async fn left(&self, _: &Link, room: String, name: String) {
        self.note_of(&room, format!("{name} has left"));
    }

    /// Whoever wants to know that here asks with /who.
    async fn people(&self, _: &Link, _: String, _: Vec<Person>) {}

    async fn is_typing(&self, _: &Link, room: String, name: String) {
        if self.view().is_in(&room) {
            self.screen.typing(&name);
        }
    }

    async fn cleared(&self, _: &Link, room: String, name: String) {
        self.note_of(
            &room,
            format!("{name} made the server forget what was said here"),
        );
    }

    /// The server asks and awaits the answer, for as long as the contract says. If it gives up
    /// before, this future is dropped, and the question with it.
    async fn confirm(&self, _: &Link, question: String) -> bool {
        self.screen.warn(format!("{question} (yes or no)"));
        self.questions.ask().await
    }

    async fn wave(&self, _: &Link, name: String) {
        self.screen.note(format!("{name} waves at you"));
    }
}
// ANCHOR_END: client_handler

impl Ui {
    pub(crate) fn new(screen: Screen, questions: Questions) -> Self {
        Self {
            screen,
            questions,
            view: Arc::default(),
        }
    }

    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a line, with the one that it replies to if that has been shown.
    pub(crate) fn show(&self, line: &Line) {
        let view = self.view();
        let to = line.reply_to.and_then(|id| view.line(id));
        self.screen.line(line, to);
    }

    fn note_of(&self, room: &str, text: String) {
        if self.view().is_in(room) {
            self.screen.note(text);
        }
    }
}
