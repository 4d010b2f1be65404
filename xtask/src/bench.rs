//! `cargo xtask bench`: the benchmark programs, which are a workspace of their own.

use crate::process::{Result, become_program, cargo};

pub(crate) const HELP: &str = "\
Usage: cargo xtask bench [figure ..] [--pairs N] [--seconds S] [--check]

Builds and runs the benchmarks in benches/. They measure sente and a raw WebSocket server in turn,
in one run, on the same work, and print ratios: compare those, not the times of two runs.

  cargo xtask bench                       all figures, 15 pairs each: about ten minutes
  cargo xtask bench one many --pairs 5    these two only, in less than a minute
  cargo xtask bench --check               fails if a goal is missed
  cargo xtask bench delivery              what arrives over slow lines and after absences, how late;
                                          fails if anything is lost, repeated or reordered: 3 minutes
  cargo xtask bench -- --help             lists the figures
";

pub(crate) fn run(arguments: &[String]) -> Result {
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
