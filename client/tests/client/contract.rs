//! The contract of these tests.

use std::sync::{Arc, Mutex};

use sente::Link;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub(crate) struct Welcome {
    pub(crate) motto: String,
}

#[sente::events(handshake = Welcome)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Chat {
    #[to_server(reply = u64, error = String)]
    Post { text: String },

    #[to_server(delivery = latest)]
    Typing {
        #[key]
        room: String,
        text: String,
    },

    #[to_server]
    Said(String),

    #[to_client]
    Posted { text: String },

    #[to_client(reply = bool)]
    Confirm { question: String },
}

/// The numbers of the events on the wire.
pub(crate) const POST: u32 = 0;
pub(crate) const TYPING: u32 = 1;
pub(crate) const SAID: u32 = 2;
pub(crate) const POSTED: u32 = 3;
pub(crate) const CONFIRM: u32 = 4;

/// Tells the test what was handled.
pub(crate) struct Ui {
    posted: mpsc::UnboundedSender<String>,
    questions: Arc<Mutex<Vec<String>>>,
}

impl Ui {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (posted, seen) = mpsc::unbounded_channel();
        let questions = Arc::default();
        (Self { posted, questions }, seen)
    }
}

impl ChatClient for Ui {
    async fn posted(&self, _: &Link, text: String) {
        self.posted.send(text).unwrap();
    }

    async fn confirm(&self, _: &Link, question: String) -> bool {
        self.questions.lock().unwrap().push(question);
        true
    }
}
