//! `cargo xtask bench`: the benchmark programs, which are a workspace of their own.

use crate::process::{Failure, Result, become_program, cargo, root};

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [arguments of the benchmark program]

Builds and runs the benchmarks in benches/. They measure sente and its peers in turn, in one
run, on the same work, and print ratios: compare those, not the times of two runs.

  cargo xtask bench -- --help   what the benchmark program itself can do
";

pub(crate) fn run(arguments: &[String]) -> Result {
    if !root().join("benches/Cargo.toml").is_file() {
        return Err(Failure::because("there are no benchmarks in benches/"));
    }
    let arguments = match arguments {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    become_program(
        cargo([
            "run",
            "--release",
            "--manifest-path",
            "benches/Cargo.toml",
            "--",
        ])
        .args(arguments),
    )
}
