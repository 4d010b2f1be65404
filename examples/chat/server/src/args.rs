//! What stands on the command line.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Usage: chat-server [OPTIONS]

Serves the chat until Ctrl-C. Join it with chat-cli, or with a browser if there is a page.

  --listen ADDRESS     where to listen; with port 0, at any free port [127.0.0.1:4747]
  --page DIRECTORY     the files of the page; `cargo xtask demo` builds them
  --window SECONDS     how long a session waits for its client to come back [120]
  --silence SECONDS    after how long a silence a connection is dead [30]
  --poll-hold SECONDS  how long a poll is held while there is nothing to tell [25]
  --help               shows this

RUST_LOG says what is logged to standard error, for instance `debug` or `sente_server=trace`.
";

/// What to do.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Task {
    Serve(Options),
    Help,
}

/// How to serve; what is not given is left to the server's own defaults.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) page: Option<PathBuf>,
    pub(crate) window: Option<Duration>,
    pub(crate) silence: Option<Duration>,
    pub(crate) poll_hold: Option<Duration>,
}

pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, lexopt::Error> {
    let mut options = Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 4747)),
        page: None,
        window: None,
        silence: None,
        poll_hold: None,
    };
    let mut arguments = lexopt::Parser::from_args(arguments);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => options.listen = arguments.value()?.parse_with(address)?,
            Long("page") => options.page = Some(arguments.value()?.into()),
            Long("window") => options.window = Some(arguments.value()?.parse_with(seconds)?),
            Long("silence") => options.silence = Some(arguments.value()?.parse_with(seconds)?),
            Long("poll-hold") => {
                options.poll_hold = Some(arguments.value()?.parse_with(seconds)?);
            }
            Short('h') | Long("help") => return Ok(Task::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Task::Serve(options))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let example = "write for instance 127.0.0.1:8080, or 0.0.0.0:8080 for the whole network";
    text.to_socket_addrs()
        .map_err(|error| format!("{error}; {example}"))?
        .next()
        .ok_or_else(|| format!("no address has that name; {example}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "write a number of seconds, for instance 2.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Task, lexopt::Error> {
        parse(arguments.iter().map(OsString::from))
    }

    fn options(arguments: &[&str]) -> Options {
        match parsed(arguments).unwrap() {
            Task::Serve(options) => options,
            Task::Help => panic!("no help was asked for"),
        }
    }

    #[test]
    fn the_address_can_be_chosen() {
        let listen = |address: &str| address.parse().unwrap();
        assert_eq!(options(&[]).listen, listen("127.0.0.1:4747"));
        assert_eq!(options(&["--listen=[::1]:0"]).listen, listen("[::1]:0"));
        assert_eq!(parsed(&["--help"]).unwrap(), Task::Help);
    }

    #[test]
    fn times_are_in_seconds() {
        let options = options(&["--window", "2.5"]);
        assert_eq!(options.window, Some(Duration::from_millis(2500)));
        assert_eq!(options.silence, None);
        for wrong in ["-1", "soon", "1e300"] {
            let error = parsed(&["--silence", wrong]).unwrap_err().to_string();
            assert!(error.contains("for instance 2.5"), "{error}");
        }
    }

    #[test]
    fn a_bad_address_comes_with_an_example() {
        let error = parsed(&["--listen", "8080"]).unwrap_err().to_string();
        assert!(error.contains("127.0.0.1:8080"), "{error}");
        assert!(parsed(&["--port", "1"]).is_err());
    }
}
