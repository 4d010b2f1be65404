//! `cargo xtask mutants`: sente-proto made wrong on purpose, in many ways, and each has to be noticed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::process::{Context, Failure, Result, cargo, plain, root, run as run_command, target};
use crate::promises::{self, Row};
use crate::tools::NEXTEST;

pub(crate) const HELP: &str = "\
Usage: cargo xtask mutants [--seeds N] [name ...]

Builds the machine so that it can be made wrong, in each of the ways that Cargo.toml lists. For each
of them the simulator looks for a promise that is broken, and the machine's own tests are run. Prints
which promise noticed it, after how many seeds, and how many tests did. A mutation that no promise
notices is a failure: either the model does not look closely enough, or the line of code that it breaks
is needless. So is a test that book/src/delivery.md names for a promise and that does not fail. Before
that it simulates the machine as it is, and prints what was met of all that can happen.

  cargo xtask mutants                             all of them
  cargo xtask mutants forget-cancel drop-skip     these two
  cargo xtask mutants --seeds 20000               looks longer; 2,000 seeds otherwise

`RUSTFLAGS='--cfg sente_mutation=\"forget-cancel\"' cargo test -p sente-test` makes such a build by hand.
";

/// How many seeds each mutation has to be noticed within.
const SEEDS: &str = "2000";

/// How many seeds, over all profiles, the sound machine is simulated with: as in the tests.
const MET: &str = "1500";

/// One build is wrong in whatever way a variable says.
const CHOSEN: &str = "--cfg sente_mutation=\"chosen\"";

/// The tests of the machine. Those of its codecs and of the wire know nothing of mutations.
const TESTS: [&str; 10] = [
    "--package",
    "sente-proto",
    "--test",
    "client",
    "--test",
    "regressions",
    "--test",
    "server",
    "--test",
    "session",
];

pub(crate) fn run(arguments: &[String]) -> Result {
    let all = listed(&std::fs::read_to_string(root().join("Cargo.toml")).context("Cargo.toml")?);
    let (chosen, seeds) = choose(arguments, &all)?;
    let rows = promises::table()?;
    NEXTEST.ensure()?;
    build()?;
    if chosen == all {
        coverage()?;
    }
    let mut table = String::new();
    let mut wrong = Vec::new();
    for mutation in &chosen {
        let start = Instant::now();
        let caught = hunt(mutation, &seeds)?;
        let failed = failed_tests(mutation)?;
        let found = format!(
            "{mutation:<22} {} ({:.0} s)\n{:<22} {} tests of the machine fail: {}\n",
            caught.as_deref().unwrap_or("MISSED"),
            start.elapsed().as_secs_f64(),
            "",
            failed.len(),
            failed.iter().cloned().collect::<Vec<_>>().join(", ")
        );
        eprint!("{found}");
        table += &found;
        if caught.is_none() {
            wrong.push(format!(
                "{mutation}: no promise notices it in {seeds} seeds"
            ));
        }
        wrong.extend(unfailed(mutation, &failed, &rows));
    }
    println!("\n{table}");
    match wrong.len() {
        0 => {
            println!("{} of {} mutations noticed", chosen.len(), chosen.len());
            Ok(())
        }
        _ => Err(Failure::because(format!(
            "not every mutation is noticed as it should be\n  {}",
            wrong.join("\n  ")
        ))),
    }
}

/// The mutations, by the list that the compiler checks the code against.
pub(crate) fn listed(manifest: &str) -> Vec<String> {
    let names = manifest.split("cfg(sente_mutation, values(\"").skip(1);
    names
        .filter_map(|rest| rest.split_once('"'))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "chosen")
        .collect()
}

fn choose(arguments: &[String], all: &[String]) -> Result<(Vec<String>, String)> {
    let mut chosen = Vec::new();
    let mut seeds = SEEDS.to_owned();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seeds" {
            seeds.clone_from(arguments.next().ok_or_else(|| {
                Failure::because("`--seeds` wants a number: so many seeds for each mutation")
            })?);
        } else if all.contains(argument) {
            chosen.push(argument.clone());
        } else {
            return Err(Failure::because(format!(
                "there is no mutation `{argument}`; there are {}",
                all.join(", ")
            )));
        }
    }
    if chosen.is_empty() {
        chosen = all.to_vec();
    }
    Ok((chosen, seeds))
}

fn build() -> Result {
    let mut sim = cargo(["build", "--package", "sente-test", "--no-default-features"]);
    sim.args(["--example", "sim"]);
    run_command(in_own_directory(&mut sim))?;
    let mut tests = cargo(["nextest", "run", "--no-run"]);
    run_command(in_own_directory(tests.args(TESTS)))
}

/// What the sound machine meets in the simulator: a mutation in what it never does would not be noticed.
fn coverage() -> Result {
    let mut sim = Command::new(simulator());
    run_command(sim.args(["--first", "0", "--seeds", MET]))
}

fn simulator() -> PathBuf {
    let sim = target().join("mutants/debug/examples/sim");
    sim.with_extension(std::env::consts::EXE_EXTENSION)
}

fn in_own_directory(command: &mut Command) -> &mut Command {
    command
        .env("CARGO_TARGET_DIR", target().join("mutants"))
        .env("RUSTFLAGS", CHOSEN)
}

/// Lets the simulator look for what a mutation breaks. Returns what it says of that.
fn hunt(mutation: &str, seeds: &str) -> Result<Option<String>> {
    let output = Command::new(simulator())
        .args(["--hunt", "--first", "0", "--seeds", seeds])
        .env("SENTE_MUTATION", mutation)
        // A machine that panics has been noticed, and need not say so.
        .stderr(Stdio::null())
        .output()
        .context("cannot start the simulator")?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last().and_then(|line| line.split_once(' ')) {
        Some(("caught", how)) => Ok(Some(how.to_owned())),
        Some(("missed", _)) => Ok(None),
        _ => Err(Failure::because(format!(
            "the simulator ended with {} under `{mutation}` and did not say what it had found",
            output.status
        ))),
    }
}

/// Which tests of the machine fail under a mutation.
fn failed_tests(mutation: &str) -> Result<BTreeSet<String>> {
    let mut command = cargo(["nextest", "run", "--profile", "mutants"]);
    let output = in_own_directory(command.args(TESTS))
        .env("SENTE_MUTATION", mutation)
        .output()
        .context("cannot start `cargo nextest run`")?;
    let text = plain(&String::from_utf8_lossy(&output.stderr));
    if !text.contains("Summary [") {
        return Err(Failure::because(format!(
            "`cargo nextest run` did not run under `{mutation}`:\n{text}"
        )));
    }
    Ok(text.lines().filter_map(failed_test).collect())
}

/// Reads `FAIL [   0.374s] ( 5/15) sente-proto::regressions client::a_test`.
fn failed_test(line: &str) -> Option<String> {
    let line = line.trim_start();
    let rest = ["FAIL [", "SIGABRT [", "TIMEOUT ["]
        .iter()
        .find_map(|how| line.strip_prefix(how))?;
    let path = rest.rsplit(' ').next()?;
    Some(path.rsplit("::").next()?.to_owned())
}

/// The tests that the book names for a promise that this mutation breaks, and that did not fail, where
/// they are tests of the machine.
fn unfailed(mutation: &str, failed: &BTreeSet<String>, rows: &[Row]) -> Vec<String> {
    let breaks = rows.iter().filter(|row| row.mutation == mutation);
    breaks
        .flat_map(|row| &row.tests)
        .filter(|test| !failed.contains(*test))
        .map(|test| format!("{mutation}: the book says that `{test}` notices it, and it does not"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mutations_are_those_that_the_code_has() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let listed = listed(&manifest);
        assert!(listed.len() >= 12, "{listed:?}");
        let mut code = String::new();
        promises::read_all(&root().join("runtime/proto/src"), &mut code).unwrap();
        for mutation in &listed {
            let call = format!("mutated!(\"{mutation}\")");
            assert!(
                code.contains(&call),
                "{mutation} is listed and nowhere in the code"
            );
        }
    }

    #[test]
    fn names_and_a_number_of_seeds_are_chosen() {
        let all = ["a".to_owned(), "b".to_owned()];
        let choose = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            choose(&words, &all).ok()
        };
        assert_eq!(choose("b --seeds 9"), Some((vec!["b".into()], "9".into())));
        assert_eq!(choose(""), Some((all.to_vec(), SEEDS.to_owned())));
        assert_eq!(choose("c"), None);
        assert_eq!(choose("--seeds"), None);
    }

    #[test]
    fn a_test_that_failed_is_read() {
        let line = "        FAIL [   0.374s] ( 5/15) sente-proto::regressions client::a_test";
        assert_eq!(failed_test(line).as_deref(), Some("a_test"));
        let line = "        PASS [   0.374s] ( 5/15) sente-proto::regressions client::a_test";
        assert_eq!(failed_test(line), None);
    }
}
