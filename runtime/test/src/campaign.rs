//! Many worlds, on all cores.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Coverage, Failure, Plan, Profile, Promise, World};

/// Runs seeds of profiles, in turn.
///
/// ```
/// use sente_test::{Campaign, Profile};
///
/// let report = Campaign::of(Profile::ALL).seeds(0..2).run();
/// assert!(report.failures.is_empty());
/// assert_eq!(report.runs, 2 * Profile::ALL.len() as u64);
/// ```
#[derive(Clone, Debug)]
pub struct Campaign<'a> {
    profiles: Vec<&'a Profile>,
    first: u64,
    seeds: u64,
    until: Option<Instant>,
    failures: usize,
}

/// What came of a campaign.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// How many worlds were run.
    pub runs: u64,
    /// What was met, by profile.
    pub coverage: BTreeMap<&'static str, Coverage>,
    /// What went wrong: the profile and how, in the order in which the seeds were begun.
    pub failures: Vec<(&'static str, Failure)>,
}

impl Report {
    /// What was met by all profiles together.
    #[must_use]
    pub fn met(&self) -> Coverage {
        let mut all = Coverage::default();
        for coverage in self.coverage.values() {
            all.add(coverage);
        }
        all
    }

    /// What a profile has to meet and did not.
    pub fn missing(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.coverage.iter().flat_map(|(profile, coverage)| {
            let meets = Profile::named(profile).map_or(&[][..], |profile| profile.meets);
            let missing = meets.iter().filter(|what| coverage.count(what) == 0);
            missing.map(|what| (*profile, *what))
        })
    }
}

impl<'a> Campaign<'a> {
    /// One seed of each of these.
    #[must_use]
    pub fn of(profiles: impl IntoIterator<Item = &'a Profile>) -> Self {
        Self {
            profiles: profiles.into_iter().collect(),
            first: 0,
            seeds: 1,
            until: None,
            failures: 20,
        }
    }

    /// These seeds of each profile.
    #[must_use]
    pub fn seeds(mut self, seeds: std::ops::Range<u64>) -> Self {
        self.first = seeds.start;
        self.seeds = seeds.end.saturating_sub(seeds.start);
        self
    }

    /// Begins none after this time.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.until = Some(Instant::now() + time);
        self
    }

    /// Stops after so many failures. Default 20.
    #[must_use]
    pub fn failures(mut self, most: usize) -> Self {
        self.failures = most;
        self
    }

    /// Runs them.
    #[must_use]
    pub fn run(&self) -> Report {
        let profiles = self.profiles.len() as u64;
        let report = Mutex::new(Report::default());
        let runs = AtomicU64::new(0);
        let failures = each(self.seeds * profiles, self.failures, |place| {
            if self.until.is_some_and(|until| Instant::now() >= until) {
                return Err(None);
            }
            let profile = self.profiles[(place % profiles) as usize];
            let seed = self.first + place / profiles;
            runs.fetch_add(1, Ordering::Relaxed);
            match World::new((profile.plan)(seed)).run() {
                Ok(summary) => {
                    let mut report = report.lock().expect("no run panics");
                    let coverage = report.coverage.entry(profile.name).or_default();
                    coverage.add(&summary.coverage);
                    Ok(())
                }
                Err(failure) => Err(Some((profile.name, failure))),
            }
        });
        let mut report = report.into_inner().expect("no run panics");
        report.failures = failures;
        report.runs = runs.into_inner();
        report
    }
}

/// The first of the worlds that breaks that promise, of as many tries.
pub(crate) fn first_failure(
    promise: Promise,
    tries: u64,
    plan: impl Fn(u64) -> Plan + Sync,
) -> Option<Failure> {
    let failures = each(tries, 1, |place| match World::new(plan(place)).run() {
        Err(failure) if failure.promise == promise => Err(Some(failure)),
        _ => Ok(()),
    });
    failures.into_iter().next()
}

/// Calls `run` for the numbers below `all`, on all cores, until so many have failed or one has had
/// enough. Returns the failures, those of the lowest numbers first.
fn each<T: Send>(
    all: u64,
    most: usize,
    run: impl Fn(u64) -> Result<(), Option<T>> + Sync,
) -> Vec<T> {
    let next = AtomicU64::new(0);
    let failed = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while failed.load(Ordering::Relaxed) < most {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= all {
                        break;
                    }
                    match run(place) {
                        Ok(()) => {}
                        Err(None) => break,
                        Err(Some(failure)) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            let mut failures = failures.lock().expect("no run panics");
                            failures.push((place, failure));
                        }
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no run panics");
    failures.sort_by_key(|(place, _)| *place);
    failures.into_iter().map(|(_, failure)| failure).collect()
}
