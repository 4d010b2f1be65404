//! What the programs that count have in common: their options, their output, their input.

use std::collections::HashMap;
use std::future::Future;
use std::io::{Write, stdin, stdout};
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::{Counting, Recorder};

/// Options of the form `--name value`.
#[derive(Debug)]
pub struct Options(HashMap<String, String>);

/// Those that the program was started with.
///
/// # Panics
/// If they are of another form.
#[must_use]
pub fn options() -> Options {
    let mut options = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let name = name.strip_prefix("--").expect("options begin with --");
        let value = arguments.next().expect("options have values");
        options.insert(name.to_owned(), value);
    }
    Options(options)
}

impl Options {
    /// The value of one of them, if it was given.
    ///
    /// # Panics
    /// If it is none.
    pub fn take<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let value = self.0.remove(name)?;
        match value.parse() {
            Ok(value) => Some(value),
            Err(_) => panic!("--{name} {value}: this is no value of it"),
        }
    }
}

/// Counts as standard input says, and writes entries to standard output. The future is ready at the
/// end of the input.
pub fn counting(pause: Duration) -> (Counting, impl Future<Output = ()> + Send + 'static) {
    let recorder = Recorder::new(|entry| {
        let mut line = serde_json::to_vec(&entry).unwrap();
        line.push(b'\n');
        // In one piece, and not kept back: a program that is killed has written all that it knew.
        let mut output = stdout().lock();
        output
            .write_all(&line)
            .and_then(|()| output.flush())
            .unwrap();
    });
    let (go_on, goes_on) = watch::channel(true);
    let (end, ends) = oneshot::channel();
    thread::spawn(move || {
        for line in stdin().lines() {
            match line.as_deref() {
                Ok("stop") => go_on.send_replace(false),
                other => panic!("no such command: {other:?}"),
            };
        }
        go_on.send_replace(false);
        let _ = end.send(());
    });
    let counting = Counting {
        recorder,
        pause,
        goes_on,
    };
    (counting, async move {
        let _ = ends.await;
    })
}
