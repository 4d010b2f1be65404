//! A contract for people to read: as its enum, with the types below it.

use std::fmt::{self, Display, Formatter};

use crate::contract::{Contract, Event, Field, Sent};
use crate::types::{Definition, Kind};

impl Display for Contract {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (name, namespace) in &self.namespaces {
            writeln!(f, "namespace {name}")?;
            if let Some(handshake) = &namespace.handshake {
                writeln!(f, "  handshake: {}", handshake.ty)?;
            }
            for event in &namespace.events {
                write_event(f, event)?;
            }
            writeln!(f)?;
        }
        for (name, definition) in &self.types {
            write_definition(f, name, definition)?;
        }
        Ok(())
    }
}

fn write_event(f: &mut Formatter<'_>, event: &Event) -> fmt::Result {
    for line in event.docs.lines() {
        writeln!(f, "{}", format!("  /// {line}").trim_end())?;
    }
    let directions = [
        ("to_server", &event.to_server),
        ("to_client", &event.to_client),
    ];
    for (direction, sent) in directions {
        if let Some(sent) = sent {
            writeln!(f, "  #[{direction}{}]", options(sent))?;
        }
    }
    writeln!(f, "  {}", signature(event))
}

fn options(sent: &Sent) -> String {
    let mut options = Vec::new();
    if sent.delivery != "reliable" {
        options.push(format!("delivery = {}", sent.delivery));
    }
    if let Some(timeout) = sent.timeout_ms {
        options.push(match timeout % 1000 {
            0 => format!("timeout = \"{}s\"", timeout / 1000),
            _ => format!("timeout = \"{timeout}ms\""),
        });
    }
    if options.is_empty() {
        String::new()
    } else {
        format!("({})", options.join(", "))
    }
}

/// An event as a function: `post(room: String) -> Receipt, or PostError`.
pub(crate) fn signature(event: &Event) -> String {
    let name = event.name.rsplit('/').next().unwrap_or(&event.name);
    let fields: Vec<String> = event.fields.iter().map(field).collect();
    let reply = event
        .reply
        .as_ref()
        .map(|reply| format!(" -> {}", reply.ty));
    let error = event
        .error
        .as_ref()
        .map(|error| format!(", or {}", error.ty));
    format!(
        "{name}({}){}{}",
        fields.join(", "),
        reply.unwrap_or_default(),
        error.unwrap_or_default()
    )
}

fn field(field: &Field) -> String {
    let key = if field.key { "#[key] " } else { "" };
    let default = if field.default { "#[default] " } else { "" };
    format!("{key}{default}{}: {}", field.name, field.typed.ty)
}

fn write_definition(f: &mut Formatter<'_>, name: &str, definition: &Definition) -> fmt::Result {
    if let Some(tagging) = &definition.tagging {
        writeln!(f, "#[serde({tagging})]")?;
    }
    let kind = match definition.kind {
        Kind::Struct => "struct",
        Kind::Enum => "enum",
    };
    writeln!(f, "{kind} {name} {{")?;
    for part in &definition.parts {
        writeln!(f, "  {part},")?;
    }
    writeln!(f, "}}")
}
