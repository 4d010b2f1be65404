//! Programs of their own: a server or a client that counts, started, watched, stopped and killed.

use std::fmt::{self, Write as _};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::{Entry, PATIENCE, soon};

/// A program that counts, in a process of its own. It ends when this is dropped.
pub struct Program {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    journal: watch::Receiver<Vec<(Instant, Entry)>>,
    errors: Arc<Mutex<String>>,
}

impl Program {
    /// Starts one. It is `program` that writes an [`Entry`] a line.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(name: &'static str, mut program: Command) -> Self {
        let mut child = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (write, journal) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                // One that is killed may not get to the end of its last line.
                let Ok(entry) = serde_json::from_str(&line) else {
                    return;
                };
                write.send_modify(|journal| journal.push((Instant::now(), entry)));
            }
        });
        let errors = Arc::<Mutex<String>>::default();
        let (mut stderr, read) = (child.stderr.take().unwrap(), Arc::clone(&errors));
        tokio::spawn(async move {
            let mut buffer = vec![0; 4096];
            while let Ok(bytes @ 1..) = stderr.read(&mut buffer).await {
                let text = String::from_utf8_lossy(&buffer[..bytes]).into_owned();
                read.lock().unwrap().push_str(&text);
            }
        });
        Self {
            name,
            input: child.stdin.take(),
            child,
            journal,
            errors,
        }
    }

    /// Waits until something has been written down from `since` on, and says what and when.
    ///
    /// # Panics
    /// If it never is.
    pub async fn until<T>(
        &mut self,
        what: &str,
        since: Instant,
        find: impl Fn(&Entry) -> Option<T>,
    ) -> (Instant, T) {
        self.when(what, |journal| {
            let late = journal.iter().filter(|(at, _)| *at >= since);
            late.filter_map(|(at, entry)| Some((*at, find(entry)?)))
                .next()
        })
        .await
    }

    /// Waits until `enough` entries are as they are wanted.
    ///
    /// # Panics
    /// If they never are.
    pub async fn so_many(&mut self, what: &str, enough: usize, wanted: impl Fn(&Entry) -> bool) {
        self.when(what, |journal| {
            let count = journal.iter().filter(|(_, entry)| wanted(entry)).count();
            (count >= enough).then_some(())
        })
        .await;
    }

    async fn when<T>(&mut self, what: &str, find: impl Fn(&[(Instant, Entry)]) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = find(&self.journal.borrow_and_update()) {
                    return Some(found);
                }
                if self.journal.changed().await.is_err() {
                    return find(&self.journal.borrow());
                }
            }
        };
        match timeout(PATIENCE, found).await {
            Ok(Some(found)) => found,
            Ok(None) => self.give_up(&format!("it ended, and {what} never came")),
            Err(_) => self.give_up(&format!("{what} did not come within {PATIENCE:?}")),
        }
    }

    /// What it has written down so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let journal = self.journal.borrow();
        journal.iter().map(|(_, entry)| entry.clone()).collect()
    }

    /// Tells it to count no further.
    ///
    /// # Panics
    /// If it has ended.
    pub async fn stop(&mut self) {
        let input = self.input.as_mut().unwrap();
        input.write_all(b"stop\n").await.unwrap();
    }

    /// Has it end in order, and returns all that it has written down.
    ///
    /// # Panics
    /// If it does not end, or fails.
    pub async fn finish(mut self) -> Vec<Entry> {
        self.input = None;
        let status = self.ended().await;
        if !status.success() {
            self.give_up(&format!("it ended with {status}"));
        }
        self.entries()
    }

    /// Kills it, and returns what it had written down by then.
    ///
    /// # Panics
    /// If it had ended before.
    pub async fn kill(mut self) -> Vec<Entry> {
        self.child.start_kill().unwrap();
        self.ended().await;
        self.entries()
    }

    /// Stops it where it is, as a closed lid does, or lets it go on.
    ///
    /// # Panics
    /// If it has ended.
    pub async fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let process = self.child.id().unwrap().to_string();
        let status = Command::new("kill").args([signal, &process]).status();
        assert!(status.await.unwrap().success());
    }

    async fn ended(&mut self) -> ExitStatus {
        let status = soon(self.name, self.child.wait()).await.unwrap();
        // Its last lines are still to be read.
        let read = async { while self.journal.changed().await.is_ok() {} };
        soon("the last lines", read).await;
        status
    }

    fn give_up(&self, why: &str) -> ! {
        let mut report = format!("the {}: {why}. It wrote down:\n", self.name);
        let now = Instant::now();
        for (at, entry) in &*self.journal.borrow() {
            let _ = writeln!(report, "    {:?} ago: {entry:?}", now - *at);
        }
        let errors = self.errors.lock().unwrap();
        panic!("{report}and to standard error:\n{errors}");
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.name).finish()
    }
}
