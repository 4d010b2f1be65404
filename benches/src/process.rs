//! Other programs: this one again, as a server or as a generator. None outlives the harness, and
//! each has a time limit.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::figure::Figure;
use crate::side::Side;

/// How long a server may take to print its port, and to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server in a process of its own. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Ended,
    port: u16,
}

impl Server {
    pub(crate) fn start(side: Side) -> Result<Self> {
        let mut child = Ended::spawn(&["serve", side.name()])?;
        let out = child.stdout()?;
        // A thread reads, since reading from a pipe has no time limit. It ends with the server.
        let (told, hear) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(out).read_line(&mut line);
            let _ = told.send(read.map(|_| line));
        });
        let line = hear
            .recv_timeout(PATIENCE)
            .map_err(|_| "a server did not print its port")??;
        let port = line
            .trim()
            .parse()
            .map_err(|_| format!("a server printed `{}` instead of its port", line.trim()))?;
        Ok(Self { child, port })
    }
}

/// Lets a generator put its load on the server, and returns what it printed.
pub(crate) fn generate(
    side: Side,
    figure: Figure,
    server: &Server,
    window: Duration,
    limit: Duration,
) -> Result<String> {
    let (port, id) = (server.port.to_string(), server.child.id().to_string());
    let milliseconds = window.as_millis().to_string();
    let mut child = Ended::spawn(&[
        "generate",
        side.name(),
        figure.name(),
        &port,
        &id,
        &milliseconds,
    ])?;
    let mut out = child.stdout()?;
    let reader = thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let status = child
        .wait(limit)?
        .ok_or_else(|| format!("`{}` did not end in {limit:?}", figure.name()))?;
    let text = reader
        .join()
        .map_err(|_| "cannot read what was measured")??;
    if status.success() {
        Ok(text)
    } else {
        Err(format!("the generator of `{}` failed: {status}", figure.name()).into())
    }
}

/// A process that ends when its standard input is closed; by force, if it does not.
#[derive(Debug)]
struct Ended {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Ended {
    fn spawn(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin })
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    fn stdout(&mut self) -> Result<impl Read + Send + use<>> {
        Ok(self.child.stdout.take().ok_or("no pipe to a process")?)
    }

    /// `None` if it has not ended within `limit`.
    fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) => return Ok(Some(status)),
                None if start.elapsed() >= limit => return Ok(None),
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.stdin.take());
        if !matches!(self.wait(PATIENCE), Ok(Some(_))) {
            let _ = self.child.kill().and_then(|()| self.child.wait());
        }
    }
}

/// Returns when the harness wants this process to end, or has ended itself.
pub(crate) fn until_stdin_closes() {
    let mut bytes = [0; 64];
    while matches!(std::io::stdin().read(&mut bytes), Ok(1..)) {}
}
