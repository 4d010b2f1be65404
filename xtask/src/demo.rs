//! `cargo xtask demo`: the chat, with its page.

use std::process::Command;

use crate::page;
use crate::process::{Result, become_program, cargo, free_port, run as run_command, target};
use crate::wasm::Profile;

pub(crate) const HELP: &str = "\
Usage: cargo xtask demo [arguments of the chat server]

Builds the chat of examples/chat, with its page, and starts its server; Ctrl-C ends it. Says where
the page is, and how to join from other terminals.

  --listen ADDRESS   where the server listens; without it 127.0.0.1:4747, or another port if
                     that one is taken

Installs Rust's library for pages if it is missing, and says so.
";

/// The port that the chat's clients dial if they are not told another.
const PORT: u16 = 4747;

pub(crate) fn run(arguments: &[String]) -> Result {
    println!("Building the chat and its page. The first time this takes some minutes.");
    run_command(&mut cargo([
        "build",
        "--package",
        "chat-server",
        "--package",
        "chat-cli",
    ]))?;
    let page = page::build(Profile::Dev)?;
    let program = format!("debug/chat-server{}", std::env::consts::EXE_SUFFIX);
    let mut server = Command::new(target().join(program));
    server.arg("--page").arg(page).args(arguments);
    if !arguments.iter().any(|it| it.starts_with("--listen")) {
        server.args(["--listen", &format!("127.0.0.1:{}", free_port(PORT)?)]);
    }
    become_program(&mut server)
}
