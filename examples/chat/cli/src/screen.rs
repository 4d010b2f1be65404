//! What is shown. All of it goes through one thread, so that nothing tears, and nothing else has
//! to wait for a terminal.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use chat_contract::Line;
use rustyline::ExternalPrinter;

/// So long someone counts as typing.
const TYPING: Duration = Duration::from_secs(3);

/// Terminals that cannot do these ignore them.
const SAVE_TITLE: &str = "\x1b[22;0t";
const RESTORE_TITLE: &str = "\x1b[23;0t";

/// Where lines are shown. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    out: Sender<Out>,
    style: Style,
}

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Standard output is a terminal, which has a title.
    pub(crate) terminal: bool,
    pub(crate) colours: bool,
}

enum Out {
    Line(String),
    /// The window's title, for good and for as long as somebody types.
    Title(String),
    Typing(String),
    /// Answered when all before it has been shown.
    Close(Sender<()>),
}

impl Style {
    /// What suits standard output.
    pub(crate) fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self {
            terminal,
            colours: terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
        }
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn name(self, name: &str) -> String {
        // Readable on dark and on light: no yellow, no black, no white.
        const COLOURS: [&str; 5] = ["1;31", "1;32", "1;34", "1;35", "1;36"];
        let sum: usize = name.bytes().map(usize::from).sum();
        self.paint(COLOURS[sum % COLOURS.len()], name)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A line that somebody said, perhaps with the one that it replies to.
    fn line(self, line: &Line, to: Option<&Line>) -> String {
        let to = to.map(|to| {
            let start: String = to.text.chars().take(24).collect();
            let dots = if start.len() < to.text.len() {
                "…"
            } else {
                ""
            };
            self.dim(&format!("(to {}: {start}{dots}) ", to.from))
        });
        let to = to.unwrap_or_default();
        format!("{}: {to}{}", self.name(&line.from), line.text)
    }

    /// The prompt for a room: plain, and as it is shown.
    pub(crate) fn prompt(self, room: &str) -> (String, String) {
        let plain = format!("#{room}> ");
        let shown = format!("{} ", self.paint("1", &format!("#{room}>")));
        (plain, shown)
    }
}

impl Screen {
    /// Starts the thread. Lines go to `printer`, which keeps what is being typed below them, or
    /// else to standard output.
    pub(crate) fn new(
        style: Style,
        printer: Option<impl ExternalPrinter + Send + 'static>,
    ) -> Self {
        let (out, lines) = channel();
        thread::spawn(move || show(&lines, printer));
        Self { out, style }
    }

    /// A line that somebody said.
    pub(crate) fn line(&self, line: &Line, to: Option<&Line>) {
        self.show(self.style.line(line, to));
    }

    /// Something that happened.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        self.show(self.style.dim(&format!("* {}", text.as_ref())));
    }

    /// Something that the reader should not miss.
    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        self.show(self.style.paint("33", &format!("! {}", text.as_ref())));
    }

    /// The room that is shown, in the window's title.
    pub(crate) fn title(&self, room: &str) {
        if self.style.terminal {
            self.send(Out::Title(format!("#{room}")));
        }
    }

    /// Somebody is typing: said in the window's title, which is the one place that can be
    /// written to and leaves no trace.
    pub(crate) fn typing(&self, name: &str) {
        if self.style.terminal {
            self.send(Out::Typing(name.to_owned()));
        }
    }

    /// Waits until all is shown, and gives the window its own title back.
    pub(crate) fn close(&self) {
        let (shown, wait) = channel();
        self.send(Out::Close(shown));
        // Bounded: a terminal that is stopped must not keep the program from ending.
        let _ = wait.recv_timeout(Duration::from_secs(1));
    }

    fn show(&self, line: String) {
        self.send(Out::Line(line));
    }

    fn send(&self, out: Out) {
        // The thread ends with the last screen, not before.
        let _ = self.out.send(out);
    }
}

/// Shows what comes. Errors are not told: there is nowhere left to tell them.
fn show(lines: &Receiver<Out>, mut printer: Option<impl ExternalPrinter>) {
    let mut title = String::new();
    let mut typing: Option<Instant> = None;
    loop {
        let next = match typing {
            Some(until) => lines.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => lines.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Ok(Out::Line(mut line)) => {
                // Most probably it is what was being typed.
                if typing.take().is_some() {
                    set_title(&title);
                }
                line.push('\n');
                match &mut printer {
                    Some(printer) => _ = printer.print(line),
                    None => write(&line),
                }
            }
            Ok(Out::Title(text)) => {
                if title.is_empty() {
                    write(SAVE_TITLE);
                }
                title = text;
                typing = None;
                set_title(&title);
            }
            Ok(Out::Typing(name)) => {
                typing = Some(Instant::now() + TYPING);
                set_title(&format!("{title} – {name} is typing …"));
            }
            Ok(Out::Close(shown)) => {
                if !title.is_empty() {
                    write(RESTORE_TITLE);
                }
                let _ = shown.send(());
            }
            Err(RecvTimeoutError::Timeout) => {
                typing = None;
                set_title(&title);
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn set_title(title: &str) {
    write(&format!("\x1b]0;{title}\x07"));
}

fn write(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style {
        terminal: false,
        colours: false,
    };
    const COLOURED: Style = Style {
        terminal: true,
        colours: true,
    };

    fn line(from: &str, text: &str) -> Line {
        Line {
            id: 1,
            from: from.to_owned(),
            text: text.to_owned(),
            reply_to: None,
        }
    }

    #[test]
    fn a_pipe_gets_plain_lines() {
        let hello = line("ann", "hello");
        assert_eq!(PLAIN.line(&hello, None), "ann: hello");
        let reply = PLAIN.line(&line("bob", "hi"), Some(&hello));
        assert_eq!(reply, "bob: (to ann: hello) hi");
        assert_eq!(PLAIN.prompt("lobby").1, "#lobby> ");
    }

    #[test]
    fn a_terminal_gets_colours() {
        assert_eq!(COLOURED.dim("x"), "\x1b[2mx\x1b[0m");
        assert!(
            COLOURED
                .line(&line("ann", "hello"), None)
                .ends_with("\x1b[0m: hello")
        );
    }

    #[test]
    fn a_long_line_is_quoted_in_part() {
        let long = line("ann", &"ü".repeat(30));
        let reply = PLAIN.line(&line("bob", "hi"), Some(&long));
        assert_eq!(reply, format!("bob: (to ann: {}…) hi", "ü".repeat(24)));
    }
}
