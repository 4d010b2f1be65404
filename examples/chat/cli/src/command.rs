//! What a line means that someone types: something to say, or a command.

use sente_client::CarrierChoice;

use crate::args;

/// The commands, with what follows them and what they do.
pub(crate) const COMMANDS: &[(&str, &str, &str)] = &[
    ("/who", "", "who is in the room"),
    ("/join", "ROOM", "goes to another room"),
    ("/re", "NAME TEXT", "replies to the last line of NAME"),
    ("/wave", "NAME", "waves at NAME, wherever that is"),
    ("/clear", "", "has the server forget what was said here"),
    ("/again", "", "says once more what may have been lost"),
    ("/state", "", "how you are connected"),
    ("/carrier", "auto|websocket|poll", "connects another way"),
    ("/break", "", "cuts the connection: see it come back"),
    ("/reconnect", "", "makes a new connection, at once"),
    ("/help", "", "this list"),
    ("/quit", "", "leaves; so do Ctrl-D and Ctrl-C"),
];

/// What someone wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Command {
    Nothing,
    Say(String),
    Who,
    Join(String),
    Reply { to: String, text: String },
    Wave(String),
    Clear,
    Again,
    State,
    Carrier(CarrierChoice),
    Break,
    Reconnect,
    Help,
    Quit,
}

/// Reads a line.
pub(crate) fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim();
    // Two slashes: to say something that begins with one.
    if let Some(said) = line.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
        return Ok(Command::Say(said.to_owned()));
    }
    if !line.starts_with('/') {
        return Ok(match line {
            "" => Command::Nothing,
            _ => Command::Say(line.to_owned()),
        });
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let wanted = |what: &str| match rest {
        "" => Err(format!("{word} needs {what}")),
        _ => Ok(rest.to_owned()),
    };
    Ok(match word {
        "/who" => Command::Who,
        "/join" => Command::Join(args::room(&wanted("the name of a room")?)),
        "/re" => {
            let (to, text) = rest
                .split_once(char::is_whitespace)
                .ok_or("/re needs a name and a text")?;
            Command::Reply {
                to: to.to_owned(),
                text: text.trim().to_owned(),
            }
        }
        "/wave" => Command::Wave(wanted("a name")?),
        "/clear" => Command::Clear,
        "/again" => Command::Again,
        "/state" => Command::State,
        "/carrier" => Command::Carrier(args::carrier(&wanted("auto, websocket or poll")?)?),
        "/break" => Command::Break,
        "/reconnect" => Command::Reconnect,
        "/help" => Command::Help,
        "/quit" => Command::Quit,
        _ => return Err(format!("there is no {word}; /help lists what there is")),
    })
}

/// The rest of a command that has been begun, as a hint: `/jo` is followed by `in ROOM`.
pub(crate) fn hint(line: &str) -> Option<String> {
    if line.len() < 2 {
        return None;
    }
    let (name, parameters, _) = COMMANDS.iter().find(|(name, ..)| name.starts_with(line))?;
    let gap = if parameters.is_empty() { "" } else { " " };
    Some(format!("{}{gap}{parameters}", &name[line.len()..])).filter(|hint| !hint.is_empty())
}

/// The list of commands.
pub(crate) fn help() -> Vec<String> {
    let line = |(name, parameters, what): &(&str, &str, &str)| {
        format!("{:<29} {what}", format!("{name} {parameters}"))
    };
    COMMANDS.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_and_a_slash_commands() {
        assert_eq!(
            parse("  hi / there "),
            Ok(Command::Say("hi / there".into()))
        );
        assert_eq!(parse("//help"), Ok(Command::Say("/help".into())));
        assert_eq!(parse("  "), Ok(Command::Nothing));
        assert_eq!(parse("/join #garden"), Ok(Command::Join("garden".into())));
        assert_eq!(
            parse("/re bob  you too"),
            Ok(Command::Reply {
                to: "bob".into(),
                text: "you too".into()
            })
        );
        assert_eq!(
            parse("/carrier poll"),
            Ok(Command::Carrier(CarrierChoice::Poll))
        );
    }

    #[test]
    fn a_mistake_says_what_is_missing() {
        assert!(parse("/join").unwrap_err().contains("a room"));
        assert!(parse("/re bob").unwrap_err().contains("a text"));
        assert!(parse("/carrier pigeon").unwrap_err().contains("pigeon"));
        assert!(parse("/frobnicate").unwrap_err().contains("/help"));
    }

    #[test]
    fn each_command_in_the_list_is_one() {
        for (name, parameters, _) in COMMANDS {
            let parameters = parameters.split('|').next().unwrap_or_default();
            assert!(parse(&format!("{name} {parameters}")).is_ok(), "{name}");
        }
    }

    #[test]
    fn hints_complete_commands() {
        assert_eq!(hint("/jo").as_deref(), Some("in ROOM"));
        assert_eq!(hint("/who"), None);
        assert_eq!(hint("/"), None);
        assert_eq!(hint("hello"), None);
    }
}
