//! `cargo xtask test`: every test, and one line at the end that sums them up.

use std::fmt;

use crate::browser::Browser;
use crate::process::{Failure, Result, Stream, cargo, watch};
use crate::tools::{HAPROXY, NEXTEST, NGINX};
use crate::{book, browser, downstream, mutants, page};

pub(crate) const HELP: &str = "\
Usage: cargo xtask test [-- arguments of cargo nextest run]

Runs every test and ends with one line, `N passed, N failed`:

  programs     cargo nextest run: unit, integration and compiler tests of all crates
  browser      the client's tests in Chromium; see `cargo xtask browser --help`
  page         the tests of the chat's page in Chromium; see `cargo xtask page --help`
  samples      the examples in the documentation of the crates
  book         see `cargo xtask book --help`; counts as one test
  mutants      see `cargo xtask mutants --help`; counts as one test
  downstream   the programs that README.md shows, built outside of this workspace and run;
               counts as one test

Goes on after a failure, so that one run shows all of them.

With arguments after `--` only the first part runs, with these:

  cargo xtask test -- resume                  tests whose name contains `resume`
  cargo xtask test -- -p sente-proto          tests of one crate
";

pub(crate) fn run(arguments: &[String]) -> Result {
    let mut tally = Tally::default();
    match arguments {
        [] => {
            tally.add("programs", programs(&[]));
            tally.add("browser", browser::suite(Browser::Chromium));
            tally.add("page", page::suite(&[]));
            tally.add("samples", samples());
            tally.add("book", book::run(&[]).map(|()| Counts::ONE));
            tally.add("mutants", mutants::run(&[]).map(|()| Counts::ONE));
            tally.add("downstream", downstream::check());
        }
        [dashes, rest @ ..] if dashes == "--" => tally.add("programs", programs(rest)),
        [unexpected, ..] => {
            return Err(Failure::because(format!(
                "`{unexpected}` means nothing here; arguments for cargo nextest go after `--`"
            )));
        }
    }
    for failure in &tally.failures {
        eprintln!("\nFAILED: {failure}");
    }
    println!("\n{}", tally.counts);
    match tally.counts.failed {
        0 => Ok(()),
        _ => Err(Failure::Told),
    }
}

/// How many tests did what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) const NONE: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 0,
    };
    pub(crate) const ONE: Self = Self {
        passed: 1,
        ..Self::NONE
    };
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

#[derive(Default)]
struct Tally {
    counts: Counts,
    /// Which parts failed, for the end of the output.
    failures: Vec<String>,
}

impl Tally {
    /// Adds one part. A part that could not be run counts as one failed test.
    fn add(&mut self, part: &str, outcome: Result<Counts>) {
        let counts = match outcome {
            Ok(counts) => {
                if counts.failed > 0 {
                    self.failures.push(format!("{part}: {counts}"));
                }
                counts
            }
            Err(failure) => {
                self.failures.push(match failure {
                    Failure::Because(reason) => format!("{part}: {reason}"),
                    Failure::Told => part.to_owned(),
                });
                Counts {
                    failed: 1,
                    ..Counts::NONE
                }
            }
        };
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        self.counts.skipped += counts.skipped;
    }
}

fn programs(arguments: &[String]) -> Result<Counts> {
    NEXTEST.ensure()?;
    NGINX.ensure()?;
    HAPROXY.ensure()?;
    // All crates, unless the arguments say which: `--workspace` would win over them.
    let mut nextest = cargo(["nextest", "run", "--profile", "ci"]);
    let (status, lines) = watch(nextest.args(arguments), Stream::Err)?;
    let counts = lines.iter().rev().find_map(|line| of_nextest(line));
    conclude(counts, status.success(), "cargo nextest run")
}

fn samples() -> Result<Counts> {
    let mut command = cargo(["test", "--doc", "--workspace", "--no-fail-fast"]);
    let (status, lines) = watch(&mut command, Stream::Out)?;
    let counts = lines
        .iter()
        .filter_map(|line| of_harness(line))
        .reduce(|a, b| Counts {
            passed: a.passed + b.passed,
            failed: a.failed + b.failed,
            skipped: a.skipped + b.skipped,
        });
    conclude(counts, status.success(), "cargo test --doc")
}

/// The counts that a runner printed, unless they contradict how it ended.
pub(crate) fn conclude(counts: Option<Counts>, success: bool, runner: &str) -> Result<Counts> {
    match counts {
        Some(counts) if success == (counts.failed == 0) => Ok(counts),
        _ => Err(Failure::because(format!(
            "`{runner}` did not get as far as running all tests; its output above says why"
        ))),
    }
}

/// Reads `Summary [ 1.2s] 3/5 tests run: 2 passed (1 slow), 1 failed, 4 skipped`.
pub(crate) fn of_nextest(line: &str) -> Option<Counts> {
    let (_, line) = line
        .trim_start()
        .strip_prefix("Summary [")?
        .split_once("] ")?;
    let (run, outcomes) = line.split_once(": ")?;
    // Of `3/5` the 5: what did not get its turn did not pass.
    let total: u64 = run.split(' ').next()?.rsplit('/').next()?.parse().ok()?;
    let passed = number_before(outcomes, "passed")?;
    Some(Counts {
        passed,
        failed: total.checked_sub(passed)?,
        skipped: number_before(outcomes, "skipped").unwrap_or(0),
    })
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`.
pub(crate) fn of_harness(line: &str) -> Option<Counts> {
    let outcomes = line.strip_prefix("test result: ")?;
    Some(Counts {
        passed: number_before(outcomes, "passed")?,
        failed: number_before(outcomes, "failed")?,
        skipped: number_before(outcomes, "ignored")?,
    })
}

fn number_before(text: &str, word: &str) -> Option<u64> {
    let (before, _) = text.split_once(&format!(" {word}"))?;
    before.rsplit([' ', '(']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn the_summary_of_nextest_is_read() {
        for (line, expected) in [
            (
                "     Summary [   0.013s] 2 tests run: 2 passed, 0 skipped",
                counts(2, 0, 0),
            ),
            (
                "     Summary [   1.013s] 1 test run: 1 passed, 3 skipped",
                counts(1, 0, 3),
            ),
            (
                "     Summary [ 130.000s] 9 tests run: 5 passed (1 slow, 1 leaky), 2 failed, 1 exec failed, 1 timed out, 0 skipped",
                counts(5, 4, 0),
            ),
            (
                "     Summary [   0.100s] 3/5 tests run: 2 passed, 1 failed, 0 skipped",
                counts(2, 3, 0),
            ),
        ] {
            assert_eq!(of_nextest(line), Some(expected), "{line}");
        }
        assert_eq!(
            of_nextest("        PASS [   0.003s] xtask a::summary"),
            None
        );
    }

    #[test]
    fn the_summary_of_harness_is_read() {
        let line = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; \
                    0 filtered out; finished in 0.28s";
        assert_eq!(of_harness(line), Some(counts(3, 1, 2)));
        assert_eq!(of_harness("running 3 tests"), None);
    }

    #[test]
    fn a_part_that_could_not_run_is_a_failed_test() {
        let mut tally = Tally::default();
        tally.add("programs", Ok(counts(2, 0, 1)));
        tally.add("samples", conclude(None, false, "cargo test --doc"));
        tally.add("book", Err(Failure::Told));
        assert_eq!(tally.counts, counts(2, 2, 1));
        assert_eq!(tally.counts.to_string(), "2 passed, 2 failed, 1 skipped");
        assert_eq!(tally.failures.len(), 2);
    }

    #[test]
    fn counts_that_contradict_the_exit_status_are_not_believed() {
        assert!(conclude(Some(counts(2, 0, 0)), false, "a").is_err());
        assert!(conclude(Some(counts(2, 1, 0)), true, "a").is_err());
        assert!(conclude(Some(counts(2, 0, 0)), true, "a").is_ok());
        assert!(conclude(Some(counts(2, 1, 0)), false, "a").is_ok());
    }
}
