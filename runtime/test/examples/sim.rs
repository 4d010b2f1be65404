//! The simulator as a program: fresh seeds, one again, or the smallest plan that fails.
//!
//! `cargo xtask sim --help` says how to use it.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use lexopt::prelude::*;
use sente_test::{Campaign, Cut, Failure, Plan, Profile, World, shrink};

/// How many steps a failure shows.
const TRACE: usize = 60;

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("error: {error}; `cargo xtask sim --help` says more");
            return ExitCode::from(2);
        }
    };
    let is_well = match arguments.seed {
        Some(seed) => again(&arguments, seed),
        None if arguments.hunt => hunt(&arguments),
        None => campaign(&arguments),
    };
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Arguments {
    profiles: Vec<&'static Profile>,
    /// In all, over the profiles.
    seeds: u64,
    lasts: Option<Duration>,
    first: u64,
    seed: Option<u64>,
    cuts: Vec<Cut>,
    trace: usize,
    hunt: bool,
}

impl Arguments {
    fn read() -> Result<Self, lexopt::Error> {
        let mut arguments = Self {
            profiles: Profile::ALL.iter().collect(),
            seeds: 5_000,
            lasts: None,
            first: fresh(),
            seed: None,
            cuts: Vec::new(),
            trace: TRACE,
            hunt: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("profile") => {
                    let name = parser.value()?.string()?;
                    let named = Profile::named(&name).ok_or_else(|| {
                        let names: Vec<_> = Profile::ALL.iter().map(|it| it.name).collect();
                        format!(
                            "there is no profile `{name}`; there are {}",
                            names.join(", ")
                        )
                    })?;
                    arguments.profiles = vec![named];
                }
                Long("seeds") => arguments.seeds = parser.value()?.parse()?,
                Long("minutes") => {
                    let minutes: f64 = parser.value()?.parse()?;
                    arguments.lasts = Some(Duration::from_secs_f64(minutes * 60.0));
                }
                Long("first") => arguments.first = parser.value()?.parse()?,
                Long("seed") => arguments.seed = Some(parser.value()?.parse()?),
                Long("without") => arguments.cuts.push(parser.value()?.parse()?),
                Long("trace") => arguments.trace = parser.value()?.parse()?,
                Long("hunt") => arguments.hunt = true,
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(arguments)
    }

    /// How many of each profile.
    fn each(&self) -> u64 {
        self.seeds.div_ceil(self.profiles.len() as u64)
    }
}

/// Where nobody has looked yet, in a number that can be typed.
fn fresh() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs() * 1_000
}

/// Runs fresh seeds, and makes what fails small.
fn campaign(arguments: &Arguments) -> bool {
    let start = Instant::now();
    let mut campaign = Campaign::of(arguments.profiles.iter().copied())
        .seeds(arguments.first..arguments.first + arguments.each());
    if let Some(lasts) = arguments.lasts {
        campaign = campaign.within(lasts);
    }
    let report = campaign.run();
    let took = start.elapsed().as_secs_f64();
    print!("{}", report.met());
    println!(
        "{} seeds from {} in {took:.1} s, {:.0} a second; {} failed",
        report.runs,
        arguments.first,
        report.runs as f64 / took,
        report.failures.len()
    );
    for (profile, failure) in &report.failures {
        println!("{profile}: {failure}");
    }
    let Some((profile, failure)) = report.failures.first() else {
        return true;
    };
    let plan = Profile::named(profile).map(|profile| profile.plan);
    if let Some(shrunk) = plan.and_then(|plan| shrink(plan, failure.seed)) {
        show(
            profile,
            plan.expect("it was run"),
            &shrunk.cuts,
            &shrunk.failure,
            arguments.trace,
        );
    }
    false
}

/// Shows a failure, and how to see it again.
fn show(profile: &str, plan: fn(u64) -> Plan, cuts: &[Cut], failure: &Failure, trace: usize) {
    let world = World::new(Cut::all(cuts, plan(failure.seed)));
    let traced = world.traced(trace).run().err();
    println!("\n{}", traced.as_ref().unwrap_or(failure));
    let cuts: String = cuts.iter().map(|cut| format!(" --without {cut}")).collect();
    println!(
        "\nSee it again: cargo xtask sim --profile {profile} --seed {}{cuts}",
        failure.seed
    );
}

/// Runs one seed of each profile that was named again.
fn again(arguments: &Arguments, seed: u64) -> bool {
    let mut is_well = true;
    for profile in &arguments.profiles {
        let world = World::new(Cut::all(&arguments.cuts, (profile.plan)(seed)));
        match world.run() {
            Ok(summary) => println!(
                "{}: seed {seed} keeps all promises\n{summary:?}",
                profile.name
            ),
            Err(failure) => {
                is_well = false;
                show(
                    profile.name,
                    profile.plan,
                    &arguments.cuts,
                    &failure,
                    arguments.trace,
                );
            }
        }
    }
    is_well
}

/// Looks for one seed that fails, and says in a line which, as `cargo xtask mutants` reads it.
fn hunt(arguments: &Arguments) -> bool {
    let report = Campaign::of(arguments.profiles.iter().copied())
        .seeds(arguments.first..arguments.first + arguments.each())
        .failures(1)
        .run();
    let Some((profile, failure)) = report.failures.first() else {
        println!("missed after {}", report.runs);
        return true;
    };
    println!(
        "caught by {} after {} in {profile} {}: {}",
        failure.promise, report.runs, failure.seed, failure.wrong
    );
    false
}
