//! `cargo xtask demo`: the chat server, and how to join it.

use crate::process::{Result, become_program, cargo, free_port, run as run_command};

pub(crate) const HELP: &str = "\
Usage: cargo xtask demo [arguments of the chat server]

Builds the chat of examples/chat and starts its server; Ctrl-C ends it. Says how to join from
other terminals.

  --listen ADDRESS   where the server listens; without it 127.0.0.1:4747, or another port if
                     that one is taken
";

/// The port that the chat's clients dial if they are not told another.
const PORT: u16 = 4747;

pub(crate) fn run(arguments: &[String]) -> Result {
    let mut arguments = arguments.to_vec();
    let address = match arguments.iter().position(|it| it == "--listen") {
        Some(at) => arguments.get(at + 1).cloned().unwrap_or_default(),
        None => {
            let address = format!("127.0.0.1:{}", free_port(PORT)?);
            arguments.extend(["--listen".to_owned(), address.clone()]);
            address
        }
    };
    run_command(&mut cargo([
        "build",
        "--package",
        "chat-server",
        "--package",
        "chat-cli",
    ]))?;
    println!("{}", invitation(&address));
    become_program(cargo(["run", "--quiet", "--package", "chat-server", "--"]).args(arguments))
}

fn invitation(address: &str) -> String {
    let url = if address == format!("127.0.0.1:{PORT}") {
        String::new()
    } else if address.ends_with(":0") {
        " --url ADDRESS-PRINTED-BELOW/sente".to_owned()
    } else {
        format!(" --url http://{address}/sente")
    };
    format!(
        "\nJoin from other terminals, as many as you like:\n  \
         cargo run -p chat-cli -- --name one{url}\n  \
         cargo run -p chat-cli -- --name two --carrier poll{url}\n\
         Ctrl-C here ends the server; the clients notice, and come back when it does."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invitation_names_the_address() {
        assert!(!invitation("127.0.0.1:4747").contains("--url"));
        assert!(invitation("127.0.0.1:3000").contains("--url http://127.0.0.1:3000/sente"));
        assert!(!invitation("127.0.0.1:0").contains("127.0.0.1:0"));
    }
}
