//! `cargo xtask fuzz`: every fuzzer, for a while.

use std::fs;

use crate::process::{Context, Failure, Result, cargo, root, run as run_command};
use crate::tools::CARGO_FUZZ;

pub(crate) const HELP: &str = "\
Usage: cargo xtask fuzz [--minutes N] [target ...]

Runs the fuzzers in fuzz/ one after the other. Most read any bytes: as frames, as hellos, as bodies of
polls, as values of each codec. `machines` takes bytes for what happens to clients and a server, and
looks at every promise after every step.

  cargo xtask fuzz                     each of them for 2 minutes
  cargo xtask fuzz --minutes 60        what a night is for
  cargo xtask fuzz machines hello      these two

They begin with fuzz/seeds, and with what earlier runs have found in fuzz/corpus. A panic is a failure,
and so are an allocation above 16 MiB and an input that takes 20 s. What has failed stays in
fuzz/artifacts; the last lines say how to show it again.
";

pub(crate) fn run(arguments: &[String]) -> Result {
    let (chosen, minutes) = choose(arguments, &targets()?)?;
    CARGO_FUZZ.ensure()?;
    for target in &chosen {
        fuzz(target, minutes)?;
    }
    println!(
        "\n{} fuzzers, {minutes} minutes each: nothing failed",
        chosen.len()
    );
    Ok(())
}

/// All fuzzers, in order of name.
fn targets() -> Result<Vec<String>> {
    let directory = root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&directory).context(directory.display())?;
    let mut targets = Vec::new();
    for file in files {
        let path = file.context(directory.display())?.path();
        let name = path.file_stem().unwrap_or_default();
        targets.push(name.to_string_lossy().into_owned());
    }
    targets.sort();
    Ok(targets)
}

fn choose(arguments: &[String], all: &[String]) -> Result<(Vec<String>, u64)> {
    let (mut chosen, mut minutes) = (Vec::new(), 2);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--minutes" {
            let number = arguments.next().and_then(|number| number.parse().ok());
            minutes = number.ok_or_else(|| Failure::because("`--minutes` wants a number"))?;
        } else if all.contains(argument) {
            chosen.push(argument.clone());
        } else {
            return Err(Failure::because(format!(
                "there is no fuzzer `{argument}`; there are {}",
                all.join(", ")
            )));
        }
    }
    if chosen.is_empty() {
        chosen = all.to_vec();
    }
    Ok((chosen, minutes))
}

fn fuzz(target: &str, minutes: u64) -> Result {
    let fuzz = root().join("fuzz");
    let corpus = fuzz.join("corpus").join(target);
    fs::create_dir_all(&corpus).context(corpus.display())?;
    let mut command = cargo(["fuzz", "run", "--debug-assertions", target]);
    command
        .arg(&corpus)
        .arg(fuzz.join("seeds").join(target))
        .args(["--", "-max_len=4096", "-malloc_limit_mb=16", "-timeout=20"])
        .args(["-print_final_stats=1", "-verbosity=0"])
        .arg(format!("-max_total_time={}", minutes * 60))
        // Sanitizers are asked for by options that only nightly compilers take, or one that is told
        // to: the one that is here for everything else will do.
        .env("RUSTC_BOOTSTRAP", "1");
    run_command(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn targets_are_chosen_by_name() {
        let all = targets().unwrap();
        assert_eq!(choose(&[], &all).unwrap(), (all.clone(), 2));
        let chosen = choose(&arguments("machines --minutes 7 hello"), &all).unwrap();
        assert_eq!(chosen, (arguments("machines hello"), 7));
        for line in ["--minutes", "--minutes x", "helo"] {
            assert!(choose(&arguments(line), &all).is_err(), "{line}");
        }
    }

    #[test]
    fn every_fuzzer_has_seeds_to_begin_with() {
        for target in targets().unwrap() {
            let seeds = root().join("fuzz/seeds").join(&target);
            assert!(seeds.is_dir(), "{target} has none");
        }
    }
}
