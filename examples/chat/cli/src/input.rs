//! What is typed, or read from a file or a pipe. A thread waits for it, since both are read by
//! waiting.

use std::borrow::Cow;
use std::io::{BufRead, IsTerminal};
use std::thread;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, ExternalPrinter, Helper};
use tokio::sync::{mpsc, oneshot};

use crate::command;
use crate::screen::Style;

/// What comes in.
#[derive(Debug)]
pub(crate) enum Input {
    /// A line. The next one is read when `next` is given the room, for the prompt.
    Line {
        text: String,
        next: oneshot::Sender<String>,
    },
    /// A key was pressed in a line that is no command.
    Typing,
    /// There will be no more.
    End,
}

/// Where lines come from.
pub(crate) enum Source {
    Terminal(Box<Editor<Keys, DefaultHistory>>),
    Script,
}

impl Source {
    /// The terminal if there is one to type at; with it, a printer that keeps what is being typed
    /// below all that is printed.
    pub(crate) fn open() -> (Self, Option<impl ExternalPrinter + Send + 'static>) {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return (Self::Script, None);
        }
        let config = Config::builder().auto_add_history(true).build();
        let editor = Editor::with_config(config).and_then(|mut editor| {
            let printer = editor.create_external_printer()?;
            Ok((editor, printer))
        });
        match editor {
            Ok((editor, printer)) => (Self::Terminal(Box::new(editor)), Some(printer)),
            // A terminal that can do nothing is read like a file.
            Err(_) => (Self::Script, None),
        }
    }

    pub(crate) fn is_script(&self) -> bool {
        matches!(self, Self::Script)
    }

    /// Begins to read. At most one line waits: who reads a script faster than it can be said
    /// would only fill memory.
    pub(crate) fn start(self, style: Style, room: String) -> mpsc::Receiver<Input> {
        let (sender, inputs) = mpsc::channel(8);
        thread::spawn(move || {
            match self {
                Self::Terminal(editor) => read_terminal(*editor, style, room, &sender),
                Self::Script => read_script(&sender),
            }
            let _ = sender.blocking_send(Input::End);
        });
        inputs
    }
}

fn read_terminal(
    mut editor: Editor<Keys, DefaultHistory>,
    style: Style,
    mut room: String,
    sender: &mpsc::Sender<Input>,
) {
    editor.set_helper(Some(Keys {
        style,
        pressed: sender.clone(),
    }));
    loop {
        match editor.readline(&style.prompt(&room)) {
            Ok(text) => match deliver(sender, text) {
                Some(next) => room = next,
                None => return,
            },
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return,
            Err(error) => {
                eprintln!("chat-cli: the terminal cannot be read: {error}");
                return;
            }
        }
    }
}

fn read_script(sender: &mpsc::Sender<Input>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(text) = line else { return };
        if deliver(sender, text).is_none() {
            return;
        }
    }
}

/// Hands over a line, and waits until the next one is wanted.
fn deliver(sender: &mpsc::Sender<Input>, text: String) -> Option<String> {
    let (next, wanted) = oneshot::channel();
    sender.blocking_send(Input::Line { text, next }).ok()?;
    wanted.blocking_recv().ok()
}

/// What happens at each key: a hint at the commands, and a word to those who watch us typing.
pub(crate) struct Keys {
    style: Style,
    pressed: mpsc::Sender<Input>,
}

impl Hinter for Keys {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<String> {
        if line.starts_with('/') {
            return command::hint(line).filter(|_| pos == line.len());
        }
        if !line.is_empty() {
            // If there is no room, enough is known of our typing.
            let _ = self.pressed.try_send(Input::Typing);
        }
        None
    }
}

impl Highlighter for Keys {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(self.style.dim(hint))
    }
}

impl Completer for Keys {
    type Candidate = String;
}
impl Validator for Keys {}
impl Helper for Keys {}
