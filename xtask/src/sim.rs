//! `cargo xtask sim`: the simulator on fresh seeds, or on one again.

use crate::process::{Result, become_program, cargo};

pub(crate) const HELP: &str = "\
Usage: cargo xtask sim [options]

Lets clients and a server talk under virtual time on networks that misbehave by a seed, and looks at
every promise after every step. `cargo xtask test` does so for the same seeds each time; here they
are fresh. Tells how often each fault, and each turn that a carrier, a session, an event or a call can
take, was met. A seed that fails names itself, and is made small: fewer clients, fewer faults, less time.

  cargo xtask sim                                 5,000 fresh seeds, over all profiles
  cargo xtask sim --seeds 100000 --minutes 90     what a night is for
  cargo xtask sim --profile lossy --seed 261      that one again, with the last things that happened
  cargo xtask sim --profile lossy --first 261 --seeds 1       that one, made small

Options:
  --profile P     that profile alone
  --seeds N       so many seeds in all
  --first S       from that seed on, and not from a fresh one
  --minutes M     none are begun after M minutes
  --seed S        that seed again
  --without C     with --seed: without that part of the plan, as a failure that was made small says
  --trace N       how many of the last things to show; 60
";

pub(crate) fn run(arguments: &[String]) -> Result {
    // Optimized, but with the machine's own assertions.
    let mut command = cargo(["run", "--quiet", "--profile", "sim"]);
    command
        .args(["--package", "sente-test", "--no-default-features"])
        .args(["--example", "sim", "--"])
        .args(arguments);
    become_program(&mut command)
}
