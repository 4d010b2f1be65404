//! What stands on the command line.

use std::ffi::OsString;

use lexopt::prelude::*;
use sente::Codec;
use sente_client::CarrierChoice;

pub(crate) const HELP: &str = "\
Usage: chat-cli [OPTIONS]

Joins a room of a chat server. What you type is said there; /help lists the commands.
If standard input is not a terminal, its lines are said one after the other, and the program
ends when the last one has been answered.

  --name NAME        who you are; without it, your user name on this computer
  --room ROOM        the room to begin in [lobby]
  --url URL          where the server is [http://127.0.0.1:4747/sente]
  --carrier CARRIER  how to connect: auto, websocket or poll [auto]
  --codec CODEC      how to write events: bincode, json, msgpack or postcard [bincode]
  --help             shows this
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Task {
    Chat(Options),
    Help,
}

/// How to chat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Options {
    pub(crate) name: String,
    pub(crate) room: String,
    pub(crate) url: String,
    pub(crate) carrier: CarrierChoice,
    pub(crate) codec: Codec,
}

/// Reads the arguments; `user` is the user's name on this computer.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    user: Option<String>,
) -> Result<Task, lexopt::Error> {
    let mut name = user;
    let mut options = Options {
        name: String::new(),
        room: "lobby".to_owned(),
        url: "http://127.0.0.1:4747/sente".to_owned(),
        carrier: CarrierChoice::Auto,
        codec: Codec::Bincode,
    };
    let mut arguments = lexopt::Parser::from_args(arguments);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("name") => name = Some(arguments.value()?.string()?),
            Long("room") => options.room = room(&arguments.value()?.string()?),
            Long("url") => options.url = arguments.value()?.string()?,
            Long("carrier") => options.carrier = arguments.value()?.parse_with(carrier)?,
            Long("codec") => options.codec = arguments.value()?.parse_with(codec)?,
            Short('h') | Long("help") => return Ok(Task::Help),
            other => return Err(other.unexpected()),
        }
    }
    options.name = name
        .filter(|name| !name.is_empty())
        .ok_or("who are you? Give `--name NAME`")?;
    Ok(Task::Chat(options))
}

/// A room as people write it: `lobby` or `#lobby`.
pub(crate) fn room(text: &str) -> String {
    text.strip_prefix('#').unwrap_or(text).to_owned()
}

pub(crate) fn carrier(name: &str) -> Result<CarrierChoice, String> {
    match name {
        "auto" => Ok(CarrierChoice::Auto),
        "websocket" => Ok(CarrierChoice::WebSocket),
        "poll" => Ok(CarrierChoice::Poll),
        _ => Err(format!(
            "there is no carrier `{name}`: choose auto, websocket or poll"
        )),
    }
}

fn codec(name: &str) -> Result<Codec, String> {
    Codec::named(name).ok_or_else(|| {
        let all: Vec<_> = Codec::ALL.iter().map(|codec| codec.name()).collect();
        format!("there is no codec `{name}`: choose {}", all.join(" or "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &str) -> Result<Task, lexopt::Error> {
        let arguments = arguments.split_whitespace();
        parse(arguments.map(OsString::from), Some("ann".to_owned()))
    }

    #[test]
    fn everything_has_a_default_and_can_be_chosen() {
        let Ok(Task::Chat(options)) = parsed("") else {
            panic!("no options");
        };
        assert_eq!(
            (options.name.as_str(), options.room.as_str()),
            ("ann", "lobby")
        );
        let Ok(Task::Chat(options)) =
            parsed("--name bob --room #garden --carrier poll --codec json --url http://a/b")
        else {
            panic!("no options");
        };
        assert_eq!(
            (options.name.as_str(), options.room.as_str()),
            ("bob", "garden")
        );
        assert_eq!(options.carrier, CarrierChoice::Poll);
        assert_eq!(options.codec, Codec::Json);
        assert_eq!(options.url, "http://a/b");
        assert!(matches!(parsed("--help"), Ok(Task::Help)));
    }

    #[test]
    fn a_mistake_is_told_with_what_there_is() {
        let error = |arguments| parsed(arguments).unwrap_err().to_string();
        assert!(error("--carrier pigeon").contains("auto, websocket or poll"));
        assert!(error("--codec xml").contains("bincode or json or msgpack or postcard"));
        assert!(error("--nmae bob").contains("--nmae"));
        assert!(parse([], None).unwrap_err().to_string().contains("--name"));
    }
}
