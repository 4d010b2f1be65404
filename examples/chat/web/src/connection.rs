//! The client, and what becomes of what the server sends.

use std::rc::Rc;

use chat_contract::{Chat, ChatClient, Lab, Line, Person};
use futures_util::future::{AbortHandle, abortable};
use futures_util::{Stream, StreamExt};
use sente::Link;
use sente_client::{CarrierChoice, Client, Codec};
use wasm_bindgen_futures::spawn_local;

use crate::news::{InRoom, News, Sender, tell};
use crate::question::Question;

/// The client, and those who pass on what it tells. A client keeps its codec: for another one it
/// is replaced by another client.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// Which client of this page it is.
    pub(crate) number: u32,
    passing_on: Vec<AbortHandle>,
}

/// What a person has chosen for the connection.
#[derive(Clone, Copy)]
pub(crate) struct Choices {
    pub(crate) carrier: CarrierChoice,
    pub(crate) codec: Codec,
    /// The share of messages that are lost.
    pub(crate) loss: f64,
}

// ANCHOR: connect
impl Connection {
    /// Connects by the page's own server, whoever it is that the cookie says.
    pub(crate) fn new(
        number: u32,
        choices: Choices,
        question: &Rc<Question>,
        news: &Sender,
    ) -> Self {
        let ui = Ui {
            news: news.clone(),
            question: Rc::clone(question),
        };
        let builder = Client::builder("/sente")
            .csrf_from_meta("csrf-token")
            .device("browser")
            .carrier(choices.carrier)
            .codec(choices.codec)
            .bad_connection(choices.loss)
            .serve(Chat::client(ui));
        let (states, lab) = (builder.states(), builder.stream::<Lab>());
        let client = builder.connect();
        let passing_on = vec![
            pass_on(news, client.unconfirmed(), News::Unconfirmed),
            pass_on(news, states, move |change| News::State(number, change)),
            pass_on(news, lab, News::Lab),
        ];
        Self {
            client,
            number,
            passing_on,
        }
    }
}
// ANCHOR_END: connect

impl Drop for Connection {
    fn drop(&mut self) {
        self.passing_on.iter().for_each(AbortHandle::abort);
    }
}

fn pass_on<S: Stream + Unpin + 'static>(
    news: &Sender,
    mut stream: S,
    f: impl Fn(S::Item) -> News + 'static,
) -> AbortHandle {
    let news = news.clone();
    let (task, handle) = abortable(async move {
        while let Some(item) = stream.next().await {
            tell(&news, f(item));
        }
    });
    spawn_local(async {
        // Aborted or at the end: either way it is over.
        let _ = task.await;
    });
    handle
}

/// The client's side of the conversation. There are no threads in a page, so it may hold an `Rc`.
struct Ui {
    news: Sender,
    question: Rc<Question>,
}

impl Ui {
    fn in_room(&self, room: String, what: InRoom) {
        tell(&self.news, News::Room(room, what));
    }
}

impl ChatClient for Ui {
    async fn posted(&self, _: &Link, room: String, line: Line) {
        self.in_room(room, InRoom::Posted(line));
    }

    async fn joined(&self, _: &Link, room: String, name: String) {
        self.in_room(room, InRoom::Joined(name));
    }

    async fn left(&self, _: &Link, room: String, name: String) {
        self.in_room(room, InRoom::Left(name));
    }

    async fn people(&self, _: &Link, room: String, people: Vec<Person>) {
        self.in_room(room, InRoom::People(people));
    }

    async fn is_typing(&self, _: &Link, room: String, name: String) {
        self.in_room(room, InRoom::Typing(name));
    }

    async fn cleared(&self, _: &Link, room: String, name: String) {
        self.in_room(room, InRoom::Cleared(name));
    }

    async fn confirm(&self, _: &Link, question: String) -> bool {
        self.question.ask(&question).await
    }

    async fn wave(&self, _: &Link, name: String) {
        tell(&self.news, News::Wave(name));
    }
}
