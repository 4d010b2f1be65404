//! The program between the keyboard and the server.

mod calls;
mod connection;

use std::time::{Duration, Instant};

use chat_contract::{Chat, ChatToServer, JoinError, PostError, Receipt, RoomView};
use futures_util::StreamExt;
use sente::{Call, CallError, SessionId};
use sente_client::{Client, StateChanges};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::args::Options;
use crate::command::{self, Command};
use crate::input::Input;
use crate::posts::{Post, Posts};
use crate::questions::Questions;
use crate::screen::Screen;
use crate::ui::Ui;

/// While so many lines wait to be said, no more is read.
const WAITING: usize = 32;
/// Others are told at most this often that we type.
const TYPING: Duration = Duration::from_secs(1);
/// A script does not wait longer than this for a server …
const PATIENCE: Duration = Duration::from_secs(10);
/// … and at its end not longer than this for one to come back.
const AWAY: Duration = Duration::from_secs(60);

/// The program at work.
pub(crate) struct App {
    client: Client,
    chat: ChatToServer,
    ui: Ui,
    name: String,
    is_script: bool,
    states: StateChanges,
    /// The session in which the server knows our room.
    joined: Option<SessionId>,
    joining: Option<Call<RoomView, JoinError>>,
    /// Why we have to join again, until that is told.
    why: Option<&'static str>,
    posts: Posts,
    posting: Option<Call<Receipt, PostError>>,
    /// Who waits until the next line may be read.
    held: Option<oneshot::Sender<String>>,
    /// Calls that nothing else waits for.
    asides: JoinSet<()>,
    told_typing: Option<Instant>,
    /// Since when there is no connection.
    away_since: Option<Instant>,
    ended: bool,
}

impl App {
    // ANCHOR: client_setup
    /// Connects. That takes no time: whatever is sent before there is a connection waits for it.
    pub(crate) fn new(
        options: &Options,
        screen: Screen,
        is_script: bool,
    ) -> Result<Self, sente_client::SetupError> {
        let ui = Ui::new(screen, Questions::new(is_script));
        let builder = Client::builder(&options.url)
            .token(options.name.as_str())
            .carrier(options.carrier)
            .codec(options.codec)
            .serve(Chat::client(ui.clone()));
        let states = builder.states();
        let client = builder.try_connect()?;
        let chat = Chat::to_server(&client);
        // ANCHOR_END: client_setup
        ui.view().enter(&options.room, false);
        Ok(Self {
            client,
            chat,
            ui,
            name: options.name.clone(),
            is_script,
            states,
            joined: None,
            joining: None,
            why: None,
            posts: Posts::default(),
            posting: None,
            held: None,
            asides: JoinSet::new(),
            told_typing: None,
            away_since: None,
            ended: false,
        })
    }

    /// Waits until we are in the room for the first time.
    pub(crate) async fn enter(&mut self, url: &str) -> Result<(), String> {
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        let mut told = false;
        loop {
            tokio::select! {
                biased;
                Some(change) = self.states.next() => {
                    if let (Some(refused), None) = (&change.new.refused, change.new.next_reconnect_at) {
                        return Err(format!("the server does not let you in: {}", refused.message));
                    }
                    if !told && change.new.next_reconnect_at.is_some() {
                        told = true;
                        self.ui.screen.note(format!(
                            "no server answers at {url} yet: is it running?"
                        ));
                    }
                    self.changed(&change);
                }
                // At a terminal a person has patience, or Ctrl-C.
                () = &mut patience, if self.is_script => {
                    return Err(format!(
                        "no server answers at {url}; start one by `cargo run -p chat-server`, \
                         or say where it is by --url"
                    ));
                }
                result = answered(&mut self.joining) => match result {
                    Err(CallError::Rejected(why)) => {
                        return Err(format!("you cannot join #{}: {why}", self.room()));
                    }
                    result => {
                        self.entered(result);
                        if self.is_joined() {
                            return Ok(());
                        }
                    }
                },
            }
        }
    }

    /// Does what is typed and shows what comes, until the end. Returns whether all was said.
    pub(crate) async fn run(mut self, mut inputs: mpsc::Receiver<Input>) -> bool {
        loop {
            self.post_next();
            if self.ended && !self.has_to_wait() {
                break;
            }
            tokio::select! {
                biased;
                change = self.states.next() => match change {
                    Some(change) => self.changed(&change),
                    None => break,
                },
                result = answered(&mut self.joining) => self.entered(result),
                result = answered(&mut self.posting) => self.posted(result),
                Some(_) = self.asides.join_next() => {}
                input = inputs.recv(), if !self.ended => match input {
                    Some(Input::Line { text, next }) => self.line(&text, next),
                    Some(Input::Typing) => self.typing(),
                    Some(Input::End) | None => self.ended = true,
                },
                () = over(self.away_since, AWAY), if self.ended => break,
            }
        }
        self.leave().await
    }

    /// Whether something is under way that has to come to its end before we go.
    fn has_to_wait(&self) -> bool {
        let has_lines = self.posts.next().is_some();
        if self.is_script {
            has_lines || self.joining.is_some() || !self.asides.is_empty()
        } else {
            // Nobody wants to wait for a connection in order to leave.
            has_lines && self.client.state().open
        }
    }

    /// Leaves properly: what waits is sent, and the server is told.
    async fn leave(self) -> bool {
        let Self {
            client,
            chat,
            ui,
            posts,
            mut states,
            ..
        } = self;
        if posts.len() > 0 {
            ui.screen.warn(format!(
                "{} lines were not said: there is no connection",
                posts.len()
            ));
        }
        // If it cannot be sent, the server notices by itself.
        chat.leave(ui.view().room()).ok();
        drop(client);
        while states.next().await.is_some() {}
        posts.all_posted()
    }

    /// Does what a line says, and lets the next one be read.
    fn line(&mut self, text: &str, next: oneshot::Sender<String>) {
        self.held = Some(next);
        if !self.ui.questions.answer(text) {
            match command::parse(text) {
                Ok(command) => self.obey(command),
                Err(error) => self.ui.screen.warn(error),
            }
        }
        self.read_on();
    }

    /// Lets the next line be read, unless enough is under way.
    fn read_on(&mut self) {
        let is_joining = self.joining.is_some() && self.client.state().open;
        if self.posts.len() < WAITING && !is_joining && !self.ended {
            let room = self.room();
            if let Some(next) = self.held.take() {
                // The reader may have ended.
                let _ = next.send(room);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Nothing => {}
            Command::Say(text) => self.say(text, None),
            Command::Reply { to, text } => {
                let line = self.ui.view().last_of(&to).map(|line| line.id);
                match line {
                    Some(id) => self.say(text, Some(id)),
                    None => self
                        .ui
                        .screen
                        .warn(format!("{to} has said nothing here lately")),
                }
            }
            Command::Again => match self.posts.again() {
                0 => self.ui.screen.note("nothing is in doubt"),
                count => self.ui.screen.note(format!("saying {count} again")),
            },
            Command::Join(room) => self.go_to(&room),
            Command::Who => self.who(),
            Command::Wave(name) => self.wave(name),
            Command::Clear => self.clear(),
            Command::State => self.show_state(),
            Command::Carrier(carrier) => self.client.set_carrier(carrier),
            Command::Break => self.client.break_connection(),
            Command::Reconnect => self.client.reconnect(),
            Command::Help => {
                for line in command::help() {
                    self.ui.screen.note(line);
                }
            }
            Command::Quit => self.ended = true,
        }
    }

    fn say(&mut self, text: String, reply_to: Option<u64>) {
        let late = !self.client.state().open;
        if late {
            let screen = &self.ui.screen;
            screen.note("this is said as soon as there is a connection");
        }
        self.posts.push(Post {
            room: self.room(),
            text,
            reply_to,
            late,
        });
    }

    /// Tells the others that we type. That nobody hears it matters to nobody.
    fn typing(&mut self) {
        let now = Instant::now();
        if self.told_typing.is_none_or(|told| now - told >= TYPING) {
            self.told_typing = Some(now);
            self.chat.typing(self.room()).ok();
        }
    }

    fn room(&self) -> String {
        self.ui.view().room().to_owned()
    }
}

/// Ends so long after that moment, if there is one.
async fn over(since: Option<Instant>, wait: Duration) {
    match since {
        Some(since) => tokio::time::sleep_until((since + wait).into()).await,
        None => std::future::pending().await,
    }
}

/// The answer to a call, if there is one. What has been answered is no more.
async fn answered<C: Future + Unpin>(call: &mut Option<C>) -> C::Output {
    let Some(waiting) = call else {
        return std::future::pending().await;
    };
    let answer = waiting.await;
    *call = None;
    answer
}
