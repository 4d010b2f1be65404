//! The profiles: what the networks are like, and what goes wrong on them.

use sente_proto::client::{CarrierChoice, Timing};
use sente_proto::codec::Codec;
use sente_proto::server::Caps;
use sente_proto::{Carrier, Limits};
use sente_test::{Fault, Network, Plan, Rng, Skew, Sockets, ms, secs};

pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) plan: fn(u64) -> Plan,
    /// What its seeds together have to meet.
    pub(crate) meets: &'static [&'static str],
}

pub(crate) const PROFILES: &[Profile] = &[
    Profile {
        name: "calm",
        plan: |seed| varied(seed, Network::seeded(seed)),
        meets: &[
            "event: reliable delivered",
            "event: latest delivered",
            "event: volatile delivered",
            "call: replied",
            "call: rejected",
            "call: failed",
            "call: timed out, maybe executed",
            "call: cancelled",
            "call: its handler cancelled",
            "session: ended by its client",
        ],
    },
    Profile {
        name: "lossy",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(20)..ms(400))
                .loss(0.1)
                .repeat(0.1)
                .cut_every(secs(5));
            varied(seed, network)
        },
        meets: &[
            "fault: cut",
            "network: message stalled by TCP",
            "session: resumed",
        ],
    },
    Profile {
        name: "half-open",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(10)..ms(200))
                .half_open_every(secs(6))
                .offline_every(secs(15));
            varied(seed, network)
        },
        meets: &[
            "fault: half-open",
            "fault: offline",
            "carrier: silent, says the server",
            "carrier: pinged",
            "session: resumed",
            "session: fresh, expired",
        ],
    },
    Profile {
        name: "restarts",
        plan: |seed| {
            let network = Network::seeded(seed).cut_every(secs(10));
            varied(seed, network)
                .every(Fault::Crash, secs(8))
                .every(Fault::Shutdown, secs(15))
        },
        meets: &[
            "fault: crash",
            "fault: shutdown",
            "session: fresh, restarted",
            "session: fresh, shutdown",
            "call: disconnected, maybe executed",
        ],
    },
    Profile {
        name: "switching",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(1)..ms(60))
                .loss(0.02)
                .repeat(0.05);
            varied(seed, network)
                .duration(secs(15))
                .load(ms(30), 4)
                .every(Fault::ChooseCarrier, ms(50))
        },
        meets: &["fault: choose carrier", "session: resumed"],
    },
    Profile {
        name: "poll-only",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(5)..ms(300))
                .loss(0.1)
                .repeat(0.15)
                .offline_every(secs(20));
            varied(seed, network).carrier(CarrierChoice::Poll)
        },
        meets: &[
            "network: send lost",
            "network: response to a poll lost",
            "network: request repeated",
            "carrier: late poll",
            "carrier: held poll superseded",
            "carrier: poll beside others",
            "carrier: request too late",
        ],
    },
    // Little credit and long pauses: what one answer brings, no other will soon.
    Profile {
        name: "starved",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(5)..ms(300))
                .loss(0.2)
                .repeat(0.2);
            varied(seed, network)
                .carrier(CarrierChoice::Poll)
                .limits(Limits {
                    handlers: 2,
                    ..small()
                })
                .load(secs(3), 8)
                .slow_handlers(0.0)
        },
        meets: &[
            "network: send lost",
            "network: response to a poll lost",
            "carrier: late poll",
        ],
    },
    Profile {
        name: "websocket-only",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(5)..ms(300))
                .loss(0.05)
                .bytes_per_second(40_000)
                .sockets(&[
                    Sockets::Work,
                    Sockets::Work,
                    Sockets::Hang,
                    Sockets::Refused,
                ])
                .cut_every(secs(8))
                .half_open_every(secs(15));
            varied(seed, network).carrier(CarrierChoice::WebSocket)
        },
        meets: &[
            "network: socket hangs",
            "network: socket refused",
            "carrier: backed up",
        ],
    },
    Profile {
        name: "swallowed",
        plan: |seed| {
            let network = Network::seeded(seed)
                .loss(0.03)
                .repeat(0.05)
                .sockets(&[Sockets::Swallowed]);
            varied(seed, network).every(Fault::Break, secs(8))
        },
        meets: &["network: socket swallowed", "fault: break connection"],
    },
    Profile {
        name: "blocked-posts",
        plan: |seed| {
            let network = Network::seeded(seed).blocks_posts().sockets(&[
                Sockets::Work,
                Sockets::Hang,
                Sockets::Swallowed,
            ]);
            varied(seed, network).every(Fault::Break, secs(8))
        },
        meets: &["network: request blocked", "session: resumed"],
    },
    Profile {
        name: "refused",
        plan: |seed| {
            let network = Network::seeded(seed)
                .loss(0.03)
                .sockets(&[Sockets::Refused, Sockets::Refused, Sockets::Work])
                .cut_every(secs(6));
            varied(seed, network).every(Fault::Wake, secs(5))
        },
        meets: &[
            "network: socket refused",
            "fault: wake",
            "client: Poll to WebSocket",
        ],
    },
    Profile {
        name: "sleepy",
        plan: |seed| {
            let network = Network::seeded(seed).cut_every(secs(15));
            varied(seed, network)
                .every(Fault::Sleep, secs(10))
                .every(Fault::Wake, secs(10))
        },
        meets: &["fault: sleep", "fault: wake", "session: fresh, expired"],
    },
    Profile {
        name: "two-of-one-user",
        plan: |seed| {
            let network = Network::seeded(seed).cut_every(secs(5));
            varied(seed, network)
                .clients(2)
                .one_user()
                .every(Fault::ChangeUser, secs(8))
                .every(Fault::Reconnect, secs(8))
                .every(Fault::Kick, secs(15))
                .every(Fault::Disconnect, secs(15))
        },
        meets: &[
            "fault: change user",
            "fault: reconnect",
            "fault: kick",
            "fault: disconnect",
            "session: fresh, user changed",
            "session: fresh, requested",
        ],
    },
    Profile {
        name: "duplicates",
        plan: |seed| {
            let network = Network::seeded(seed).loss(0.02).cut_every(secs(5));
            varied(seed, network)
                .every(Fault::Duplicate, secs(5))
                .every(Fault::Break, secs(5))
        },
        meets: &[
            "fault: duplicate",
            "session: fresh, replaced",
            "carrier: hello overtaken",
            "session: ended unconfirmed",
        ],
    },
    // Nobody says anything for long, and nothing may come of that.
    Profile {
        name: "idle",
        plan: |seed| {
            varied(seed, Network::seeded(seed))
                .limits(small())
                .load(secs(15), 2)
        },
        meets: &["carrier: pinged"],
    },
    Profile {
        name: "slow-readers",
        plan: |seed| {
            let network = Network::seeded(seed).bytes_per_second(200_000);
            varied(seed, network)
                .load(ms(60), 6)
                .every(Fault::SlowReader, secs(2))
                .every(Fault::LateTimers, secs(6))
        },
        meets: &[
            "fault: slow reader",
            "fault: late timers",
            "network: message waits for a slow reader",
            "carrier: backed up",
        ],
    },
    Profile {
        name: "clocks",
        plan: |seed| {
            let network = Network::seeded(seed)
                .loss(0.03)
                .repeat(0.05)
                .cut_every(secs(8));
            varied(seed, network)
                .every(Fault::ClockJump, secs(8))
                .every(Fault::LateTimers, secs(8))
                .every(Fault::Sleep, secs(15))
        },
        meets: &[
            "fault: clock jump",
            "carrier: silent, says the client",
            "session: fresh, expired",
        ],
    },
    Profile {
        name: "killed",
        plan: |seed| {
            let network = Network::seeded(seed)
                .loss(0.03)
                .repeat(0.1)
                .sockets(&[Sockets::Work, Sockets::Work, Sockets::Swallowed])
                .half_open_every(secs(20));
            varied(seed, network)
                .clients(2)
                .every(Fault::Kill, secs(5))
                .every(Fault::Crash, secs(25))
        },
        meets: &["fault: kill", "session: ended unconfirmed"],
    },
    Profile {
        name: "capped",
        plan: |seed| {
            let network = Network::seeded(seed).cut_every(secs(6));
            varied(seed, network)
                .limits(small())
                .clients(3)
                .one_user()
                .caps(Caps {
                    per_user: 3,
                    remembered: 2,
                    ..Caps::default()
                })
                .every(Fault::Kill, secs(20))
                .every(Fault::Disconnect, secs(10))
        },
        meets: &["client: refused", "client: waits before it dials again"],
    },
    // Each client has a line of its own, and one carrier is worse than the other.
    Profile {
        name: "uneven",
        plan: |seed| {
            let network = Network::seeded(seed)
                .only(Carrier::WebSocket, ms(100)..ms(900), 0.2)
                .breaks_off(0.1);
            let other = Network::seeded(seed)
                .only(Carrier::Poll, ms(200)..ms(1_500), 0.2)
                .sockets(&[Sockets::Work, Sockets::Refused])
                .breaks_off(0.1)
                .cut_every(secs(6));
            varied(seed, network)
                .another_client_on(other)
                .one_user()
                .every(Fault::Break, secs(10))
        },
        meets: &["network: response broken off", "session: resumed"],
    },
    Profile {
        name: "crowded",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(20)..ms(200))
                .bytes_per_second(60_000)
                .cut_every(secs(10));
            varied(seed, network)
                .limits(Limits {
                    outbox_bytes: 32 * 1024,
                    outbox_events: 40,
                    handlers: 6,
                    rate: 60,
                    ..small()
                })
                .load(ms(60), 8)
                .slow_handlers(0.3)
        },
        meets: &[
            "outbox: full",
            "call: waits for room",
            "call: finds no room in time",
            "event: refused by a full outbox",
            "session: fresh, overflow",
        ],
    },
    Profile {
        name: "everything",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(5)..ms(250))
                .loss(0.05)
                .repeat(0.05)
                .sockets(&[
                    Sockets::Work,
                    Sockets::Work,
                    Sockets::Work,
                    Sockets::Refused,
                    Sockets::Swallowed,
                    Sockets::Hang,
                ])
                .cut_every(secs(6))
                .half_open_every(secs(10))
                .offline_every(secs(20));
            Fault::ALL
                .iter()
                .fold(varied(seed, network).clients(2), |plan, fault| {
                    plan.every(*fault, secs(25))
                })
        },
        meets: &[
            "session: first",
            "session: resumed",
            "client: Poll to WebSocket",
        ],
    },
    // A few faults at a time, others for each seed.
    Profile {
        name: "anything",
        plan: anything,
        meets: &[],
    },
];

/// A world of which the seed chooses all.
fn anything(seed: u64) -> Plan {
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
fn varied(seed: u64, network: Network) -> Plan {
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
fn small() -> Limits {
    Limits {
        window: secs(12),
        outbox_bytes: 128 * 1024,
        outbox_events: 300,
        max_message: 16 * 1024,
        max_frame: 12 * 1024,
        frame_size: 2 * 1024,
        handlers: 12,
        ping_after: secs(2),
        silence: secs(5),
        poll_hold: secs(4),
        ..Limits::default()
    }
}
