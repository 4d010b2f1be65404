//! What depends on the seed beside chance.

use sente_proto::Limits;
use sente_proto::client::{CarrierChoice, Timing};
use sente_proto::codec::Codec;

use crate::{Fault, Network, Plan, Rng, Skew, Sockets, ms, secs};

/// A world of which the seed chooses all.
pub(super) fn anything(seed: u64) -> Plan {
    let mut rng = Rng::new(seed ^ 0xa11);
    let network = |rng: &mut Rng| {
        let delay = rng.choose(&[(1, 5), (5, 40), (10, 200), (50, 600)]);
        let mut network = Network::seeded(seed)
            .delay(ms(delay.0)..ms(delay.1))
            .loss(rng.choose(&[0.0, 0.0, 0.02, 0.1, 0.3]))
            .repeat(rng.choose(&[0.0, 0.0, 0.05, 0.2]))
            .breaks_off(rng.choose(&[0.0, 0.0, 0.1]))
            .bytes_per_second(rng.choose(&[30_000, 200_000, 4_000_000]));
        if rng.chance(0.5) {
            let kinds = [
                Sockets::Work,
                Sockets::Work,
                Sockets::Refused,
                Sockets::Swallowed,
                Sockets::Hang,
            ];
            let first = rng.below(kinds.len());
            network = network.sockets(&kinds[first..first + 1 + rng.below(kinds.len() - first)]);
        }
        network
    };
    let first = network(&mut rng);
    let mut plan = varied(seed, first).clients(1 + rng.below(2));
    if rng.chance(0.3) {
        plan = plan.another_client_on(network(&mut rng));
    }
    if rng.chance(0.3) {
        plan = plan.one_user();
    }
    if rng.chance(0.3) {
        plan = plan.carrier(CarrierChoice::Poll);
    }
    for _ in 0..rng.below(5) {
        let mean = rng.choose(&[ms(300), secs(2), secs(6), secs(15)]);
        plan = plan.every(rng.choose(Fault::ALL), mean);
    }
    plan.slow_handlers(rng.choose(&[0.0, 0.1, 0.5]))
}

/// A plan whose limits, codec, contract and load depend on the seed too.
pub(super) fn varied(seed: u64, network: Network) -> Plan {
    let mut rng = Rng::new(seed ^ 0x5eed);
    let mut plan = Plan::on(network);
    let max_delay = rng.chance(0.2).then_some(ms(30));
    let limits = if rng.chance(0.7) {
        small()
    } else {
        Limits::default()
    };
    plan = plan.limits(Limits {
        max_delay,
        ..limits
    });
    if rng.chance(0.2) {
        plan = plan.client_limits(Limits {
            outbox_events: 20,
            handlers: 3,
            ..Limits::default()
        });
    }
    // Where a large event takes longer than an identity lasts, it never arrives.
    if rng.chance(0.2) && plan.network.bytes_per_second > 1_000_000 {
        plan = plan.identities_last(secs(6));
    }
    if rng.chance(0.3) {
        plan = plan.codec(Codec::Json);
    }
    if rng.chance(0.3) {
        plan = plan.skew(rng.choose(&[Skew::Clients, Skew::Server]));
    }
    if rng.chance(0.3) {
        plan = plan.timing(Timing {
            upgrade: ms(500),
            upgrade_cap: secs(4),
            ..Timing::default()
        });
    }
    let load = rng.choose(&[(ms(40), 6), (ms(200), 4), (secs(2), 3), (ms(500), 30)]);
    plan.load(load.0, load.1)
}

/// Limits that are met often.
pub(super) fn small() -> Limits {
    Limits {
        window: secs(12),
        outbox_bytes: 128 * 1024,
        outbox_events: 300,
        max_message: 16 * 1024,
        frame_size: 2 * 1024,
        handlers: 12,
        ping_after: secs(2),
        silence: secs(5),
        poll_hold: secs(4),
        ..Limits::default()
    }
}
