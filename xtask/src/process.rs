//! Other programs: starting them, showing which, and reading what they print.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a task failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A sentence for the person at the terminal: what is wrong and what to do.
    Because(String),
    /// All has been said already.
    Told,
}

impl Failure {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self::Because(reason.into())
    }
}

/// Adds to an error what was being done.
pub(crate) trait Context<T> {
    fn context(self, doing: impl Display) -> Result<T>;
}

impl<T, E: Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl Display) -> Result<T> {
        self.map_err(|error| Failure::because(format!("{doing}: {error}")))
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    // Cargo sets it at run time as well; a moved or copied target directory then does no harm.
    let xtask = std::env::var("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&xtask)
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// The directory that cargo builds into.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// A cargo command, run from the root of the repository.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    command
}

/// Shows a command and runs it; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result {
    let shown = show(command);
    let status = command
        .status()
        .context(format!("cannot start `{shown}`"))?;
    expect_success(&shown, status)
}

/// Shows a command and becomes it where the system allows, so that Ctrl-C goes to it alone and
/// its exit status is ours.
pub(crate) fn become_program(command: &mut Command) -> Result {
    let shown = show(command);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let error = command.exec();
        Err(Failure::because(format!("cannot start `{shown}`: {error}")))
    }
    #[cfg(not(unix))]
    {
        let status = command
            .status()
            .context(format!("cannot start `{shown}`"))?;
        expect_success(&shown, status)
    }
}

/// The stream of a program that is read as well as shown.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// Shows a command, runs it, passes one of its streams on line by line, and returns these lines
/// without colours.
pub(crate) fn watch(command: &mut Command, stream: Stream) -> Result<(ExitStatus, Vec<String>)> {
    let shown = show(command);
    // The program sees a pipe and would leave its colours out.
    let terminal = match stream {
        Stream::Out => std::io::stdout().is_terminal(),
        Stream::Err => std::io::stderr().is_terminal(),
    };
    if terminal {
        command.env("CARGO_TERM_COLOR", "always");
    }
    match stream {
        Stream::Out => command.stdout(Stdio::piped()),
        Stream::Err => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().context(format!("cannot start `{shown}`"))?;
    let lines = match stream {
        Stream::Out => child.stdout.take().map(|it| pass_on(it, std::io::stdout())),
        Stream::Err => child.stderr.take().map(|it| pass_on(it, std::io::stderr())),
    };
    let status = child.wait().context(format!("cannot wait for `{shown}`"))?;
    Ok((status, lines.unwrap_or_default()))
}

/// Waits for a program, for `limit` at most.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        match child.try_wait().context("cannot wait for a program")? {
            Some(status) => return Ok(Some(status)),
            None if start.elapsed() >= limit => return Ok(None),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// `preferred` if nobody listens there, else some port that is free.
pub(crate) fn free_port(preferred: u16) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", preferred))
        .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
        .context("cannot find a free port on 127.0.0.1")?;
    Ok(listener
        .local_addr()
        .context("cannot find a free port on 127.0.0.1")?
        .port())
}

pub(crate) fn expect_success(shown: &str, status: ExitStatus) -> Result {
    if status.success() {
        Ok(())
    } else {
        Err(Failure::because(format!("`{shown}` failed ({status})")))
    }
}

/// For tasks that take no arguments.
pub(crate) fn expect_none(arguments: &[String], task: &str) -> Result {
    match arguments {
        [] => Ok(()),
        [unexpected, ..] => Err(Failure::because(format!(
            "`{unexpected}` means nothing here; see `cargo xtask {task} --help`"
        ))),
    }
}

/// Prints a command as one would type it, and returns that.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![
        program
            .file_stem()
            .unwrap_or(program.as_os_str())
            .to_string_lossy()
            .into_owned(),
    ];
    words.extend(
        command
            .get_args()
            .map(|it| it.to_string_lossy().into_owned()),
    );
    let shown = words.join(" ");
    eprintln!("\n$ {shown}");
    shown
}

fn pass_on(from: impl std::io::Read, mut to: impl Write) -> Vec<String> {
    let mut from = BufReader::new(from);
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while matches!(from.read_until(b'\n', &mut line), Ok(1..)) {
        // A closed terminal is no reason to stop the program.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        lines.push(plain(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    lines
}

/// The text without the escape sequences of a terminal and without trailing space.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(
            plain("\u{1b}[32;1m Summary\u{1b}[0m [ 1s]\r\n"),
            " Summary [ 1s]"
        );
    }

    #[test]
    fn a_taken_port_is_not_chosen() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_port(port).unwrap(), port);
    }
}
