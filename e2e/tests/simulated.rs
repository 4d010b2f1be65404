//! The whole stack, server and clients, on a simulated network in virtual time: partitions, crashes
//! and latency, by seeds.

mod sim;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use sente_e2e::Summary;
use sim::{CLIENTS, SERVER, World, ms};

/// How many seeds of each kind.
const SEEDS: u64 = 4;
/// A good network.
const NEAR: Range<Duration> = ms(5)..ms(40);

/// Runs all seeds. One that fails names itself.
fn all_seeds(latency: Range<Duration>, run: impl Fn(&mut World), check: impl Fn(Summary)) {
    for seed in 0..SEEDS {
        let one = AssertUnwindSafe(|| {
            let mut world = World::new(seed, latency.clone());
            world.pass(ms(1_000));
            run(&mut world);
            world.pass(ms(5_000));
            let summary = world.end();
            assert!(summary.up > 200 && summary.down > 200, "{summary:?}");
            check(summary);
        });
        if let Err(panic) = catch_unwind(one) {
            eprintln!("this was with the seed {seed}");
            resume_unwind(panic);
        }
    }
}

fn all_go_on(summary: Summary) {
    assert_eq!(summary.sessions, CLIENTS.len(), "all sessions went on");
}

#[test]
fn far_away_and_unsteady() {
    all_seeds(ms(20)..ms(400), |world| world.pass(ms(20_000)), all_go_on);
}

#[test]
fn partitions_that_are_repaired() {
    let run = |world: &mut World| {
        for _ in 0..4 {
            let client = world.a_client();
            match world.rng.below(3) {
                0 => world.partition(client),
                1 => world.partition_up(client),
                _ => world.partition_down(client),
            }
            let time = world.rng.within(ms(100)..ms(12_000));
            world.pass(time);
            world.repair(client);
            let time = world.rng.within(ms(0)..ms(4_000));
            world.pass(time);
        }
    };
    all_seeds(NEAR, run, all_go_on);
}

#[test]
fn a_network_that_stands_still_for_a_while() {
    let run = |world: &mut World| {
        for _ in 0..2 {
            let client = world.a_client();
            world.hold(client);
            let time = world.rng.within(ms(100)..ms(40_000));
            world.pass(time);
            world.release(client);
            world.pass(ms(2_000));
        }
    };
    all_seeds(NEAR, run, all_go_on);
}

#[test]
fn a_server_that_crashes_and_starts_again() {
    let run = |world: &mut World| {
        for _ in 0..4 {
            world.crash(SERVER);
            let time = world.rng.within(ms(0)..ms(5_000));
            world.pass(time);
            world.start(SERVER);
            let time = world.rng.within(ms(100)..ms(10_000));
            world.pass(time);
        }
    };
    all_seeds(NEAR, run, |summary| {
        assert!(summary.sessions > CLIENTS.len());
    });
}

#[test]
fn everything_at_once() {
    let run = |world: &mut World| {
        for _ in 0..8 {
            let client = world.a_client();
            match world.rng.below(5) {
                0 => world.partition(client),
                1 => world.partition_down(client),
                2 => world.hold(client),
                3 => world.crash(client),
                _ => world.crash(SERVER),
            }
            let time = world.rng.within(ms(0)..ms(8_000));
            world.pass(time);
        }
        for (client, _) in CLIENTS {
            world.repair(client);
            world.release(client);
            world.start(client);
        }
        world.start(SERVER);
        world.pass(ms(10_000));
    };
    all_seeds(ms(1)..ms(100), run, |summary| {
        assert!(summary.calls > 50, "{summary:?}");
    });
}

/// Without crashes: in which order tokio drops the connections of a host that crashes depends on what
/// the process did before, and turmoil draws their latencies in that order.
#[test]
fn a_seed_does_the_same_thing_twice() {
    let journals = || {
        let mut world = World::new(7, NEAR);
        world.pass(ms(2_000));
        world.partition("auto");
        world.pass(ms(3_000));
        world.hold("poll");
        world.pass(ms(500));
        world.release("poll");
        world.repair("auto");
        world.pass(ms(5_000));
        world.journals()
    };
    assert!(journals() == journals());
}
