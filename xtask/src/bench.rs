//! `cargo xtask bench`: the benchmark programs, which are a workspace of their own.

use std::fs;

use crate::process::{self, Result, become_program, cargo};

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
    let (package, arguments) = match arguments {
        [first, rest @ ..] if first == "delivery" => ("sente-bench-delivery", rest),
        all => ("sente-bench", all),
    };
    let cargo = |task| {
        let mut command = cargo([task, "--release", "--manifest-path", "benches/Cargo.toml"]);
        command.args(["--package", package]);
        command
    };
    process::run(&mut cargo("build"))?;
    println!("{}\n", machine());
    become_program(cargo("run").arg("--quiet").arg("--").args(arguments))
}

/// One line on the machine, since figures are of one.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let mut models = processors
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map(|(_, model)| model);
    let model = models.next().unwrap_or("unknown processor");
    let count = 1 + models.count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{count} × {model}, Linux {}, load {load}",
        kernel.trim_end()
    )
}
