//! Programs under test: what they print is awaited line by line, and they end with the test.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes a tenth of it, unless the machine is very busy.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Program {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    /// What has come so far, and how much of it has been looked at.
    lines: Vec<String>,
    seen: usize,
}

/// Starts the chat server.
pub(crate) fn server(listen: &str) -> Program {
    let mut command = Command::new(server_program());
    command.args(["--listen", listen]);
    Program::start("server".to_owned(), command)
}

/// Where a server says that it listens.
pub(crate) fn address(server: &mut Program) -> String {
    let line = server.expect("chat-server listens on http://");
    let address = line.split("http://").nth(1).unwrap();
    address.split(' ').next().unwrap().to_owned()
}

/// Starts a client of the server at `address`.
pub(crate) fn client(address: &str, arguments: &[&str]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-cli"));
    command
        .args(["--url", &format!("http://{address}/sente")])
        .args(arguments);
    Program::start(arguments.join(" "), command)
}

/// Cargo builds only this package's own programs for a test. The server is beside them if its
/// tests have been built, as those of the whole workspace are.
fn server_program() -> PathBuf {
    let name = format!("chat-server{}", std::env::consts::EXE_SUFFIX);
    let path = Path::new(env!("CARGO_BIN_EXE_chat-cli")).with_file_name(name);
    assert!(
        path.exists(),
        "{} is not there: run `cargo build -p chat-server` first",
        path.display()
    );
    path
}

impl Program {
    fn start(name: String, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_remove("RUST_LOG")
            .spawn()
            .unwrap();
        let (sender, output) = channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            name,
            input: child.stdin.take(),
            child,
            output,
            lines: Vec::new(),
            seen: 0,
        }
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Waits for the next line that begins so, passing over others.
    pub(crate) fn expect(&mut self, start: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(line) = self.lines.get(self.seen) {
                self.seen += 1;
                if line.starts_with(start) {
                    return line.clone();
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(line) => self.lines.push(line),
                Err(_) => self.give_up(&format!("`{start}` never came")),
            }
        }
    }

    /// Ends its input and waits until it has ended, successfully. Returns all that it printed.
    pub(crate) fn finish(mut self) -> Vec<String> {
        self.input = None;
        let status = self.ended();
        self.lines.extend(self.output.iter());
        if !status.success() {
            self.give_up(&format!("it ended with {status}"));
        }
        std::mem::take(&mut self.lines)
    }

    /// Waits until it has ended, without success. Returns what it said about that.
    pub(crate) fn fail(mut self) -> String {
        let status = self.ended();
        if status.success() {
            self.give_up("it should have failed");
        }
        self.errors()
    }

    /// Waits until it has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        // There is no wait with a deadline. Its output ends with it, and that wait has one.
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(line) => self.lines.push(line),
                Err(_) if left.is_zero() => self.give_up("it does not end"),
                Err(_) => return self.child.wait().unwrap(),
            }
        }
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as a service manager does.
    #[cfg(unix)]
    pub(crate) fn ask_to_end(&self) {
        let process = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &process]).status();
        assert!(status.unwrap().success());
    }

    fn errors(&mut self) -> String {
        let mut errors = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        errors
    }

    fn give_up(&mut self, why: &str) -> ! {
        let _ = self.child.kill();
        let mut report = format!("{}: {why}. It printed:\n", self.name);
        for line in self.lines.iter().cloned().chain(self.output.iter()) {
            let _ = writeln!(report, "    {line}");
        }
        panic!("{report}and to standard error:\n{}", self.errors());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
