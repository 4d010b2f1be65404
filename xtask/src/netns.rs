//! `cargo xtask netns`: programs in network namespaces, on a link that fails as links do.

use std::process::Command;

use crate::process::{Context, Failure, Result, cargo, run as run_command};
use crate::tools::{NETWORK, NEXTEST};

pub(crate) const HELP: &str = "\
Usage: cargo xtask netns [-- arguments of cargo nextest run]

Lets a server and clients count, each side in a network namespace of its own, while their link goes
down, loses a fifth of all packets, lets packets through one way only or not at all, or has another
address. Fails if anything is lost, repeated or out of order, and prints what there was to be seen.

Needs Linux, and to be root: it makes the namespaces, and removes them. A minute and a half.
";

/// How the namespaces are called that are made here.
const PREFIX: &str = "sente-";

pub(crate) fn run(arguments: &[String]) -> Result {
    let arguments = match arguments {
        [] => arguments,
        [dashes, rest @ ..] if dashes == "--" => rest,
        [unexpected, ..] => {
            return Err(Failure::because(format!(
                "`{unexpected}` means nothing here; see `cargo xtask netns --help`"
            )));
        }
    };
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Err(Failure::because(
            "only root may make network namespaces; run `sudo env PATH=\"$PATH\" cargo xtask netns`",
        ));
    }
    NEXTEST.ensure()?;
    NETWORK.ensure()?;
    let mut nextest = cargo(["nextest", "run", "--package", "sente-e2e", "--no-capture"]);
    nextest
        .args([
            "--ignore-default-filter",
            "--filterset",
            "binary(namespaces)",
        ])
        .args(arguments);
    let outcome = run_command(&mut nextest);
    // What tests have left that were ended.
    let left = output(Command::new("ip").args(["netns", "list"]))?;
    for line in left.lines().filter(|line| line.starts_with(PREFIX)) {
        let name = line.split(' ').next().unwrap_or_default();
        run_command(Command::new("ip").args(["netns", "del", name]))?;
    }
    outcome
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().context("cannot start a program")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
