//! What stands on the command line.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Usage: chat-server [OPTIONS]

Serves the chat until Ctrl-C. Join it with chat-cli.

  --listen ADDRESS   where to listen; with port 0, at any free port [127.0.0.1:4747]
  --help             shows this

RUST_LOG says what is logged to standard error, for instance `debug` or `sente_server=trace`.
";

/// What to do.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Task {
    Serve(SocketAddr),
    Help,
}

pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, lexopt::Error> {
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 4747));
    let mut arguments = lexopt::Parser::from_args(arguments);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => listen = arguments.value()?.parse_with(address)?,
            Short('h') | Long("help") => return Ok(Task::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Task::Serve(listen))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let example = "write for instance 127.0.0.1:8080, or 0.0.0.0:8080 for the whole network";
    text.to_socket_addrs()
        .map_err(|error| format!("{error}; {example}"))?
        .next()
        .ok_or_else(|| format!("no address has that name; {example}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Task, lexopt::Error> {
        parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn the_address_can_be_chosen() {
        let serve = |address: &str| Task::Serve(address.parse().unwrap());
        assert_eq!(parsed(&[]).unwrap(), serve("127.0.0.1:4747"));
        assert_eq!(parsed(&["--listen=[::1]:0"]).unwrap(), serve("[::1]:0"));
        assert_eq!(parsed(&["--help"]).unwrap(), Task::Help);
    }

    #[test]
    fn a_bad_address_comes_with_an_example() {
        let error = parsed(&["--listen", "8080"]).unwrap_err().to_string();
        assert!(error.contains("127.0.0.1:8080"), "{error}");
        assert!(parsed(&["--port", "1"]).is_err());
    }
}
