//! A few thousand seeds over all profiles: every promise is looked at after every step.
//!
//! A seed that fails names itself and the command that shows it again. `cargo xtask sim` runs others.

use sente_test::{Campaign, Profile, World};

/// How many seeds of each profile: enough to meet everything.
const SEEDS: u64 = 60;

#[test]
fn every_promise_is_kept_on_every_network() {
    let report = Campaign::of(Profile::ALL).seeds(0..SEEDS).run();
    print!("{}", report.met());
    for (profile, failure) in &report.failures {
        println!("{profile}: {failure}");
    }
    if let Some((profile, failure)) = report.failures.first() {
        panic!(
            "profile {profile}, {failure}\n\nSee what came before: cargo xtask sim --profile \
             {profile} --seed {}\nMake it small: cargo xtask sim --profile {profile} --first {} \
             --seeds 1\n",
            failure.seed, failure.seed
        );
    }
    let missing: Vec<_> = report.missing().collect();
    assert!(missing.is_empty(), "profiles that never met: {missing:?}");
    let met = report.met();
    let missing: Vec<_> = met.missing().collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
}

#[test]
fn a_script_says_what_happens() {
    let run = |script: &[u8]| {
        let plan = (Profile::named("lossy").unwrap().plan)(3).script(script);
        World::new(plan).run().unwrap()
    };
    let script: Vec<u8> = (0..200).map(|step: u8| step.wrapping_mul(97)).collect();
    assert_eq!(run(&script), run(&script));
    assert_ne!(run(&script), run(&[]));
    // The last decision counts as well.
    assert_ne!(run(&script), run(&script[..199]));
}

#[test]
fn a_seed_does_the_same_thing_twice() {
    for profile in Profile::ALL {
        let run = || World::new((profile.plan)(3)).run();
        match (run(), run()) {
            (Ok(one), Ok(other)) => assert_eq!(one, other, "profile {}", profile.name),
            (Err(failure), _) | (_, Err(failure)) => panic!("profile {}\n{failure}", profile.name),
        }
    }
}
