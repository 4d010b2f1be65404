//! `cargo xtask browser`: the client's tests, compiled for pages and run in one.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::process::{Context, Failure, Result, Stream, cargo, run as run_command, target, watch};
use crate::test::{Counts, conclude, of_harness};
use crate::tools::{CHROMIUM, FIREFOX, GECKODRIVER, WASM_BINDGEN};
use crate::wasm;

pub(crate) const HELP: &str = "\
Usage: cargo xtask browser [--firefox] [-- words]

Runs the tests of e2e/browser in a page: the client against a server that is started for it. In
Chromium without a window, or in Firefox with --firefox.

  cargo xtask browser -- codec    tests whose name contains `codec`

Installs what is missing, and says so: Rust's library for pages, the test runner of wasm-bindgen,
and with apt-get the browser and what drives it.
";

/// Where the tests are run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Browser {
    Chromium,
    Firefox,
}

pub(crate) fn run(arguments: &[String]) -> Result {
    let (browser, rest) = match arguments {
        [firefox, rest @ ..] if firefox == "--firefox" => (Browser::Firefox, rest),
        rest => (Browser::Chromium, rest),
    };
    let words = match rest {
        [] => rest,
        [dashes, words @ ..] if dashes == "--" => words,
        [unexpected, ..] => {
            return Err(Failure::because(format!(
                "`{unexpected}` means nothing here; see `cargo xtask browser --help`"
            )));
        }
    };
    let counts = run_tests(browser, words)?;
    println!("\n{counts}");
    match counts.failed {
        0 => Ok(()),
        _ => Err(Failure::Told),
    }
}

/// All tests of the client in a browser.
pub(crate) fn suite(browser: Browser) -> Result<Counts> {
    run_tests(browser, &[])
}

fn run_tests(browser: Browser, words: &[String]) -> Result<Counts> {
    let runner = WASM_BINDGEN.ensure()?;
    let (variable, driver) = match browser {
        Browser::Chromium => ("CHROMEDRIVER", CHROMIUM.ensure()?),
        Browser::Firefox => {
            FIREFOX.ensure()?;
            ("GECKODRIVER", GECKODRIVER.ensure()?)
        }
    };
    let page = free_pair()?;
    let host = Host::start(page)?;
    let mut command = wasm::compiler()?;
    command
        .args([
            "test",
            "--package",
            "sente-browser-tests",
            "--test",
            "suite",
        ])
        .arg("--")
        .args(words)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env(variable, driver)
        .env("WASM_BINDGEN_TEST_ADDRESS", format!("127.0.0.1:{page}"))
        // For all tests together, and for the start of a browser on a busy machine.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60");
    let outcome = watch(&mut command, Stream::Out);
    drop(host);
    let (status, lines) = outcome?;
    let counts = lines.iter().rev().find_map(|line| of_harness(line));
    conclude(counts, status.success(), "cargo test in a browser")
}

/// Two free ports, one above the other; the lower one. A page can find its server by that: it
/// has no other way to be told.
fn free_pair() -> Result<u16> {
    for _ in 0..100 {
        let lower = TcpListener::bind(("127.0.0.1", 0)).context("cannot find a free port")?;
        let port = lower
            .local_addr()
            .context("cannot find a free port")?
            .port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return Ok(port);
        }
    }
    Err(Failure::because(
        "no two free ports are next to each other on 127.0.0.1",
    ))
}

/// The server that the tests talk to.
struct Host(Child);

impl Host {
    /// Starts it on the port above that of the page.
    fn start(page: u16) -> Result<Self> {
        const NAME: &str = "browser-host";
        run_command(&mut cargo([
            "build",
            "--package",
            "sente-e2e",
            "--bin",
            NAME,
        ]))?;
        let program = format!("debug/{NAME}{}", std::env::consts::EXE_SUFFIX);
        let mut child = Command::new(target().join(program))
            .arg(format!("127.0.0.1:{}", page + 1))
            .arg(format!("http://127.0.0.1:{page}"))
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server of the tests")?;
        // It says a word when it listens.
        let mut line = String::new();
        let said = child
            .stdout
            .take()
            .map(|it| BufReader::new(it).read_line(&mut line));
        let host = Self(child);
        match said {
            Some(Ok(1..)) => Ok(host),
            _ => Err(Failure::because("the server of the tests did not start")),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}
