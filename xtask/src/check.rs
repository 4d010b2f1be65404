//! `cargo xtask check`: what can be said about the code without running it.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{
    Context, Failure, Result, cargo, expect_none, root, run as run_command, target, wait,
};
use crate::tools::DENY;
use crate::{size, wasm};

pub(crate) const HELP: &str = "\
Usage: cargo xtask check

Everything that can be said about the code without running it:

  formatting      cargo fmt --all --check
  lints           cargo clippy on all targets, warnings are errors; what pages run too
  framework       the page in examples/sycamore, formatted and without warnings
  benchmarks      the programs in benches/, formatted and without warnings
  features        the crate `sente` with no codec but the default, each other one, and all
  documentation   cargo doc, warnings are errors
  sizes           whether pages have grown; see `cargo xtask size --help`
  dependencies    cargo deny: licences, sources and bans; advisories where the database of
                  advisories can be reached, and a plain word where it cannot

Goes on after a failure, so that one run shows all of them.
";

/// How long the download of the advisories may take before it counts as unreachable.
const PATIENCE: Duration = Duration::from_secs(60);

type Check = (&'static str, fn() -> Result);

pub(crate) fn run(arguments: &[String]) -> Result {
    expect_none(arguments, "check")?;
    const CHECKS: [Check; 9] = [
        ("formatting", formatting),
        ("lints", lints),
        ("framework", framework),
        ("benchmarks", benchmarks),
        ("features", features),
        ("documentation", documentation),
        ("sizes", || size::run(&[])),
        ("dependencies", dependencies),
        ("advisories", advisories),
    ];
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        match check() {
            Ok(()) => {}
            Err(Failure::Because(reason)) => failed.push(format!("{name}: {reason}")),
            Err(Failure::Told) => failed.push(name.to_owned()),
        }
    }
    if failed.is_empty() {
        eprintln!("\nAll checks passed.");
        return Ok(());
    }
    Err(Failure::because(format!(
        "not everything is in order\n  {}",
        failed.join("\n  ")
    )))
}

fn formatting() -> Result {
    run_command(&mut cargo(["fmt", "--all", "--check"]))
}

/// What pages run. The rest of the workspace does not build for them.
const OF_PAGES: [&str; 4] = [
    "chat-web",
    "plain-page",
    "sente-browser-tests",
    "sente-client",
];

fn lints() -> Result {
    run_command(&mut cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))?;
    let mut for_pages = wasm::compiler()?;
    for_pages.args(["clippy", "--lib", "--test", "suite"]);
    for package in OF_PAGES {
        for_pages.args(["--package", package]);
    }
    run_command(for_pages.args(["--", "--deny", "warnings"]))
}

/// Of a workspace of its own. It is shown in the book, so it has to compile.
fn framework() -> Result {
    let manifest = root().join("examples/sycamore/Cargo.toml");
    run_command(cargo(["fmt", "--check", "--manifest-path"]).arg(&manifest))?;
    let mut lints = wasm::compiler()?;
    lints
        .args(["clippy", "--locked", "--manifest-path"])
        .arg(manifest);
    lints.arg("--target-dir").arg(target());
    run_command(lints.args(["--", "--deny", "warnings"]))
}

fn benchmarks() -> Result {
    let manifest = ["--manifest-path", "benches/Cargo.toml"];
    run_command(cargo(["fmt", "--all", "--check"]).args(manifest))?;
    let mut lints = cargo(["clippy", "--locked", "--workspace", "--all-targets"]);
    run_command(lints.args(manifest).args(["--", "--deny", "warnings"]))
}

/// Each codec alone, none, and all: what one adds must not lean on another.
fn features() -> Result {
    for codecs in [
        "",
        "json",
        "msgpack",
        "postcard",
        "custom",
        "json,msgpack,postcard,custom",
    ] {
        run_command(&mut cargo([
            "check",
            "--package",
            "sente",
            "--no-default-features",
            "--features",
            codecs,
        ]))?;
    }
    Ok(())
}

fn documentation() -> Result {
    run_command(cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))
}

fn dependencies() -> Result {
    let deny = DENY.ensure()?;
    run_command(
        Command::new(deny)
            .args([
                "check",
                "--hide-inclusion-graph",
                "bans",
                "licenses",
                "sources",
            ])
            .current_dir(root()),
    )
}

/// Advisories come from a database that is not everywhere within reach. Where it is, a known
/// problem is a failure; where it is not, that is said, and is none.
fn advisories() -> Result {
    let deny = DENY.ensure()?;
    eprintln!("\n$ cargo-deny fetch db");
    let mut fetch = Command::new(&deny)
        .args(["fetch", "db"])
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start cargo-deny")?;
    let fetched = match wait(&mut fetch, PATIENCE)? {
        Some(status) => status.success(),
        None => {
            // It may end by itself just now.
            let _ = fetch.kill().and_then(|()| fetch.wait());
            false
        }
    };
    if !fetched {
        eprintln!(
            "NOT CHECKED: advisories. Their database cannot be reached from here; \
             run `cargo deny check advisories` where it can."
        );
        return Ok(());
    }
    run_command(
        Command::new(deny)
            .args(["check", "--disable-fetch", "advisories"])
            .current_dir(root()),
    )
}
