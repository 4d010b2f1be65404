//! `cargo xtask sim`: the simulator on fresh seeds, or on one again.

use std::time::{Duration, Instant, SystemTime};

use crate::process::{Failure, Result, cargo, run as run_command};

pub(crate) const HELP: &str = "\
Usage: cargo xtask sim [--profile P] [--seeds N] [--minutes M] [--seed S]

Lets clients and a server talk under virtual time on networks that misbehave by a seed, and looks at
every promise after every step. `cargo xtask test` does so for the same seeds each time; here they
are fresh. A seed that fails names itself.

  cargo xtask sim                                 200 fresh seeds of each profile
  cargo xtask sim --seeds 2000 --minutes 10       again and again for ten minutes, 2,000 at a time
  cargo xtask sim --profile lossy --seed 261      that one again, with the last things that happened
";

/// How many seeds of each profile are run at a time.
const SEEDS: u64 = 200;

pub(crate) fn run(arguments: &[String]) -> Result {
    let options = Options::read(arguments)?;
    if let Some(seed) = options.seed {
        return simulate(&options, "replay", seed, 1);
    }
    let start = Instant::now();
    let mut first = fresh_seed();
    loop {
        simulate(&options, "every_promise", first, options.seeds)?;
        first += options.seeds;
        if start.elapsed() >= options.lasts {
            return Ok(());
        }
    }
}

fn simulate(options: &Options, test: &str, first: u64, seeds: u64) -> Result {
    let mut command = cargo(["test", "-p", "sente-test", "--test", "sim", test]);
    command
        .args(["--", "--nocapture"])
        .env("SENTE_SEED", first.to_string())
        .env("SENTE_SEEDS", seeds.to_string());
    if let Some(profile) = &options.profile {
        command.env("SENTE_PROFILE", profile);
    }
    run_command(&mut command)
}

/// Where nobody has looked yet, in a number that can be typed.
fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs() * 1_000
}

#[derive(Debug, Eq, PartialEq)]
struct Options {
    profile: Option<String>,
    seed: Option<u64>,
    seeds: u64,
    lasts: Duration,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            profile: None,
            seed: None,
            seeds: SEEDS,
            lasts: Duration::ZERO,
        };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| Failure::because(format!("`{name}` wants a value")))?;
            let number = || {
                value.parse::<u64>().map_err(|_| {
                    Failure::because(format!("`{name}` wants a number, and not `{value}`"))
                })
            };
            match name.as_str() {
                "--profile" => options.profile = Some(value.clone()),
                "--seed" => options.seed = Some(number()?),
                "--seeds" => options.seeds = number()?,
                "--minutes" => options.lasts = Duration::from_secs(number()? * 60),
                _ => {
                    return Err(Failure::because(format!(
                        "`{name}` means nothing here; `cargo xtask sim --help` says what does"
                    )));
                }
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options> {
        let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::read(&arguments)
    }

    #[test]
    fn options_are_read() {
        let options = read("--profile lossy --seed 261 --minutes 2").ok();
        assert_eq!(
            options,
            Some(Options {
                profile: Some("lossy".to_owned()),
                seed: Some(261),
                seeds: SEEDS,
                lasts: Duration::from_secs(120),
            })
        );
    }

    #[test]
    fn what_is_no_option_is_an_error() {
        for line in ["--seed", "--seed x", "--sead 7", "lossy"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
