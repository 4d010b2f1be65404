//! Thousands of seeds over all profiles: every promise is looked at after every step.
//!
//! A seed that fails names itself and the command that shows it again:
//! `cargo xtask sim --profile … --seed …`.

mod profiles;

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use profiles::{PROFILES, Profile};
use sente_test::{Coverage, Failure, World};

/// How many seeds of each profile a plain run takes: enough to meet everything.
const SEEDS: u64 = 60;
/// How many steps a failure shows.
const TRACE: usize = 60;

/// `SENTE_SEEDS` says how many seeds of each profile, `SENTE_SEED` where to begin, `SENTE_PROFILE`
/// which profile alone.
#[test]
fn every_promise_is_kept_on_every_network() {
    let first = number("SENTE_SEED").unwrap_or(0);
    let seeds = number("SENTE_SEEDS").unwrap_or(SEEDS);
    let mut coverage = Coverage::default();
    for profile in chosen() {
        let (of_profile, failures) = run(profile, first..first + seeds);
        if !failures.is_empty() {
            fail(profile, &failures);
        }
        println!("{}: {seeds} seeds\n{of_profile}", profile.name);
        // A few seeds need not meet everything.
        let promised = if seeds >= SEEDS { profile.meets } else { &[] };
        for promised in promised {
            assert!(
                of_profile.count(promised) > 0,
                "profile {} never met: {promised}",
                profile.name
            );
        }
        coverage.add(&of_profile);
    }
    println!("all profiles\n{coverage}");
    let is_whole = seeds >= SEEDS && std::env::var_os("SENTE_PROFILE").is_none();
    let missing: Vec<_> = coverage.missing().filter(|_| is_whole).collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
}

/// Shows one seed again. Without `SENTE_SEED` it shows the first of each profile.
#[test]
fn replay() {
    let seed = number("SENTE_SEED").unwrap_or(0);
    let trace = number("SENTE_TRACE").map_or(TRACE, |lines| lines as usize);
    for profile in chosen() {
        if let Err(failure) = World::new((profile.plan)(seed)).traced(trace).run() {
            panic!("profile {}\n{failure}", profile.name);
        }
    }
}

#[test]
fn a_seed_does_the_same_thing_twice() {
    for profile in PROFILES {
        let run = || World::new((profile.plan)(3)).run();
        match (run(), run()) {
            (Ok(one), Ok(other)) => assert_eq!(one, other, "profile {}", profile.name),
            (Err(failure), _) | (_, Err(failure)) => panic!("profile {}\n{failure}", profile.name),
        }
    }
}

/// The profile of `SENTE_PROFILE`, or all.
fn chosen() -> Vec<&'static Profile> {
    let Ok(name) = std::env::var("SENTE_PROFILE") else {
        return PROFILES.iter().collect();
    };
    let named = PROFILES.iter().find(|profile| profile.name == name);
    let Some(profile) = named else {
        let names: Vec<_> = PROFILES.iter().map(|profile| profile.name).collect();
        panic!(
            "there is no profile `{name}`; there are {}",
            names.join(", ")
        );
    };
    vec![profile]
}

/// Runs seeds on all cores. Returns what they met, and those that failed, lowest seed first.
fn run(profile: &Profile, seeds: Range<u64>) -> (Coverage, Vec<Failure>) {
    let next = AtomicU64::new(seeds.start);
    let failed = AtomicUsize::new(0);
    let results = Mutex::new((Coverage::default(), Vec::new()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let mut coverage = Coverage::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failed.load(Ordering::Relaxed) > 20 {
                        break;
                    }
                    match World::new((profile.plan)(seed)).run() {
                        Ok(summary) => coverage.add(&summary.coverage),
                        Err(failure) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            results.lock().expect("no run panics").1.push(failure);
                        }
                    }
                }
                results.lock().expect("no run panics").0.add(&coverage);
            });
        }
    });
    let (coverage, mut failures) = results.into_inner().expect("no run panics");
    failures.sort_by_key(|failure| failure.seed);
    (coverage, failures)
}

/// Shows the lowest seed that failed, and names the others.
fn fail(profile: &Profile, failures: &[Failure]) -> ! {
    let lowest = &failures[0];
    let traced = World::new((profile.plan)(lowest.seed)).traced(TRACE).run();
    let shown = traced.err().unwrap_or_else(|| lowest.clone());
    for failure in failures {
        println!("{}: {failure}", profile.name);
    }
    panic!(
        "profile {}\n{shown}\n\nSee it again: cargo xtask sim --profile {} --seed {}\n",
        profile.name, profile.name, shown.seed
    );
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let parsed = text.parse();
    Some(parsed.unwrap_or_else(|_| panic!("{variable} is a number, and not `{text}`")))
}
