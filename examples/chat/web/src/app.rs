//! What there is to know, and what becomes of news.

mod lab;
mod posts;
mod talk;

use std::rc::Rc;

use sente_client::{
    CarrierChoice, Codec, FreshReason, RefusedReason, SessionId, SessionState, State, StateChange,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlInputElement};

use crate::connection::{Choices, Connection};
use crate::inputs::Action;
use crate::news::{News, Sender, tell};
use crate::question::Question;
use crate::rooms::Rooms;
use crate::{account, console, dom, logging, panel};
use lab::Burst;
use posts::Posts;

/// The room that everyone begins in.
const FIRST: &str = "lobby";

/// The page at work.
pub(crate) struct App {
    news: Sender,
    question: Rc<Question>,
    choices: Choices,
    connection: Connection,
    /// Who the server takes us for.
    me: Option<String>,
    /// Who we have become by a log-in, until the server has confirmed it.
    logged_in: Option<String>,
    /// The session in which all rooms were joined.
    session: Option<SessionId>,
    rooms: Rooms,
    posts: Posts,
    /// The line that is replied to.
    reply_to: Option<u64>,
    /// When others were last told that we type.
    told_typing: f64,
    burst: Option<Burst>,
    calls: u32,
}

impl App {
    /// Connects.
    pub(crate) fn new(news: Sender) -> Self {
        let question = Question::new();
        let choices = Choices {
            carrier: CarrierChoice::Auto,
            codec: Codec::Bincode,
            loss: 0.0,
        };
        Self {
            connection: Connection::new(1, choices, &question, &news),
            news,
            question,
            choices,
            me: None,
            logged_in: None,
            session: None,
            rooms: Rooms::default(),
            posts: Posts::default(),
            reply_to: None,
            told_typing: 0.0,
            burst: None,
            calls: 0,
        }
    }

    /// Does what is to be done about it.
    pub(crate) fn deal_with(&mut self, news: News) {
        match news {
            News::Action(action) => self.act(action),
            News::Tick => {
                panel::show_moving(&self.connection.client);
                self.rooms.render_typing();
            }
            News::State(client, change) => {
                if client == self.connection.number {
                    self.changed(&change);
                }
            }
            News::Unconfirmed(unconfirmed) => self.unconfirmed(unconfirmed),
            News::Room(room, what) => self.in_room(&room, what),
            News::Wave(name) => _ = console::note(&format!("{name} waves at you")),
            News::Lab(event) => self.pushed(event),
            News::Entered(room, result) => self.entered(&room, result),
            News::Said(result) => self.said(result),
            News::LoggedIn(result) => self.logged_in(result),
            News::LoggedOut(result) => match result {
                Ok(()) => self.connection.client.reconnect(),
                Err(error) => _ = console::warn(&format!("not logged out: {error}")),
            },
        }
    }

    fn act(&mut self, action: Action) {
        let client = &self.connection.client;
        match action {
            Action::Login(name) => self.login(name),
            Action::Logout => {
                let news = self.news.clone();
                spawn_local(async move {
                    tell(&news, News::LoggedOut(account::logout().await));
                });
            }
            Action::Join(room) => self.join(&room),
            Action::Show(room) => _ = self.rooms.show(&room),
            Action::Leave(room) => self.leave(&room),
            Action::Say(text) => self.say(text),
            Action::Typing => self.typing(),
            Action::Reply(id) => self.reply(id),
            Action::DropReply => self.drop_reply(),
            Action::Again(post) => self.say_again(post),
            Action::Wave(name) => self.wave(name),
            Action::ClearRoom => self.clear_room(),

            Action::Call => self.call(),
            Action::Note => self.note(),
            Action::Burst => self.start_burst(),
            Action::Loop => self.toggle_loop(),
            Action::Connected => self.ask_connected(),
            Action::Logins => self.repeat_logins(),

            Action::Disconnect => client.disconnect(),
            Action::Reconnect => client.reconnect(),
            Action::Break => client.break_connection(),
            Action::Stall => {
                client.stall_connection();
                console::warn(
                    "the connection swallows everything now; the client finds out by the \
                     silence, or at once by a probe",
                );
            }
            Action::Wake => client.wake(),

            Action::Carrier(carrier) => {
                self.choices.carrier = carrier;
                client.set_carrier(carrier);
                console::note(&format!("carrier: {carrier:?}"));
            }
            Action::Loss(rate) => {
                self.choices.loss = rate;
                client.set_bad_connection(rate);
                console::note(&format!("of all messages {:.0} % are lost", rate * 100.0));
            }
            Action::Codec(codec) => self.choose_codec(codec),
            Action::Level(level) => {
                logging::choose(level);
                console::note(&format!("the log is shown from level {level} on"));
            }
            Action::ClearConsole => console::clear(),
        }
    }

    /// A client keeps its codec, so another one takes its place, with another session.
    fn choose_codec(&mut self, codec: Codec) {
        self.choices.codec = codec;
        let number = self.connection.number + 1;
        self.connection = Connection::new(number, self.choices, &self.question, &self.news);
        console::note(&format!("codec: {}, by another client", codec.name()));
        panel::show(&self.connection.client, codec);
    }

    // ---- the connection ----

    fn changed(&mut self, change: &StateChange) {
        let StateChange { old, new, .. } = change;
        panel::show(&self.connection.client, self.choices.codec);
        for (is_loss, text) in panel::news(old, new) {
            if is_loss {
                console::warn(&text);
            } else {
                console::note(&text);
            }
        }
        if new.open {
            self.opened(new);
        } else if let (Some(refused), None) = (&new.refused, new.next_reconnect_at)
            && old.refused != new.refused
            && refused.reason == RefusedReason::Unauthorized
        {
            self.ask_name();
        }
    }

    fn opened(&mut self, state: &State) {
        if self.me != state.user {
            self.me.clone_from(&state.user);
            dom::show_text("me", self.me());
        }
        self.logged_in = None;
        show_talk(true);
        if self.session == state.session_id {
            return;
        }
        self.session = state.session_id;
        let restarted = matches!(
            state.session,
            Some(SessionState::Fresh {
                reason: FreshReason::Restarted | FreshReason::Shutdown
            })
        );
        if self.rooms.is_empty() {
            self.rooms.show(FIRST);
        }
        self.join_all(restarted);
    }

    /// Who the server takes us for.
    fn me(&self) -> &str {
        self.me.as_deref().unwrap_or("nobody")
    }

    // ---- log-in ----

    fn ask_name(&mut self) {
        show_talk(false);
        let problem = match self.logged_in.take() {
            Some(_) => {
                "The server knew you, but your browser has kept no cookie: allow cookies for this \
                 page."
            }
            None => "",
        };
        dom::show_text("login-problem", problem);
        dom::by_id::<HtmlElement>("name").focus().ok();
    }

    fn login(&self, name: String) {
        let news = self.news.clone();
        spawn_local(async move {
            let result = account::login(&name).await;
            tell(&news, News::LoggedIn(result.map(|()| name)));
        });
    }

    fn logged_in(&mut self, result: Result<String, String>) {
        match result {
            Ok(name) => {
                self.logged_in = Some(name);
                dom::show_text("login-problem", "");
                dom::by_id::<HtmlInputElement>("name").set_value("");
                // It is the cookie that has changed; the client shows it when it connects.
                self.connection.client.reconnect();
            }
            Err(error) => dom::show_text("login-problem", &error),
        }
    }
}

/// Shows the chat, or the form that asks for a name.
fn show_talk(talk: bool) {
    dom::set_hidden("talk", !talk);
    dom::set_hidden("account", !talk);
    dom::set_hidden("login", talk);
}
