//! `cargo xtask page`: the tests of the chat's page, and how the page is built.

use std::fs;
use std::path::PathBuf;

use crate::process::{Context, Failure, Result, Stream, cargo, root, run as run_command, watch};
use crate::test::{Counts, conclude, of_nextest};
use crate::tools::{CHROMIUM, NEXTEST, NGINX};
use crate::wasm::{self, Profile};

pub(crate) const HELP: &str = "\
Usage: cargo xtask page [-- arguments of cargo nextest run]

Builds the page of examples/chat/web as it is served, and tests it as people use it: in Chromium
without a window, with several people, a server that is killed, and nginx in between.

  cargo xtask page -- reload    tests whose name contains `reload`

A test that fails prints what was to be seen, and where it has left a picture of it.
Installs what is missing, and says so: Rust's library for pages, and with apt-get the browser,
what drives it, and nginx.
";

const PACKAGE: &str = "chat-web";

pub(crate) fn run(arguments: &[String]) -> Result {
    let counts = match arguments {
        [] => suite(&[])?,
        [dashes, rest @ ..] if dashes == "--" => suite(rest)?,
        [unexpected, ..] => {
            return Err(Failure::because(format!(
                "`{unexpected}` means nothing here; see `cargo xtask page --help`"
            )));
        }
    };
    println!("\n{counts}");
    match counts.failed {
        0 => Ok(()),
        _ => Err(Failure::Told),
    }
}

/// Builds the page, all of its files in one directory, and returns that.
pub(crate) fn build(profile: Profile) -> Result<PathBuf> {
    let directory = wasm::build(PACKAGE, profile)?.directory;
    let written = root().join("examples/chat/web/static");
    let files = fs::read_dir(&written).context(format!("cannot read {}", written.display()))?;
    for file in files {
        let file = file.context(format!("cannot read {}", written.display()))?;
        fs::copy(file.path(), directory.join(file.file_name()))
            .context(format!("cannot copy {}", file.path().display()))?;
    }
    Ok(directory)
}

/// Runs the tests of the page.
pub(crate) fn suite(arguments: &[String]) -> Result<Counts> {
    NEXTEST.ensure()?;
    let (driver, nginx) = (CHROMIUM.ensure()?, NGINX.ensure()?);
    let page = build(Profile::Web)?;
    run_command(&mut cargo(["build", "--package", "chat-server"]))?;
    // Each test has two or three browsers: more at once would only wait for each other.
    let mut nextest = cargo(["nextest", "run", "--profile", "ci", "--test-threads", "2"]);
    nextest
        .args(["--package", PACKAGE, "--ignore-default-filter"])
        .args(arguments)
        .env("CHAT_PAGE", page)
        .env("CHROMEDRIVER", driver)
        .env("NGINX", nginx);
    let (status, lines) = watch(&mut nextest, Stream::Err)?;
    let counts = lines.iter().rev().find_map(|line| of_nextest(line));
    conclude(counts, status.success(), "cargo nextest run")
}
