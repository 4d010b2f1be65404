//! The profiles: what the networks are like, and what goes wrong on them.

use sente_proto::Limits;
use sente_proto::client::{CarrierChoice, Timing};
use sente_proto::codec::Codec;
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
            "reliable events delivered",
            "latest events delivered",
            "volatile events delivered",
            "calls replied",
            "calls rejected",
            "calls failed",
            "calls timed out",
            "calls cancelled",
            "handlers cancelled",
            "goodbyes",
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
            "messages stalled by TCP",
            "handshakes that resume",
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
            "silent carriers",
            "pings",
            "handshakes that resume",
            "fresh sessions: expired",
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
            "fresh sessions: restarted",
            "fresh sessions: shutdown",
            "calls disconnected",
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
        meets: &["fault: choose carrier", "handshakes that resume"],
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
            "requests lost",
            "responses lost",
            "requests repeated",
            "late polls",
            "held polls superseded",
            "polls beside others",
            "requests too late for their carrier",
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
        meets: &["requests lost", "responses lost", "late polls"],
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
        meets: &["sockets that hang", "sockets refused", "carriers backed up"],
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
        meets: &["sockets swallowed", "fault: break connection"],
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
        meets: &["requests blocked", "handshakes that resume"],
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
            "sockets refused",
            "fault: wake",
            "moves between carriers without a break",
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
        meets: &["fault: sleep", "fault: wake", "fresh sessions: expired"],
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
            "fresh sessions: user changed",
            "fresh sessions: requested",
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
            "fresh sessions: replaced",
            "hellos overtaken",
            "unconfirmed sessions ended",
        ],
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
            "outboxes full",
            "calls that wait for room",
            "calls without room",
            "sends refused by a full outbox",
            "fresh sessions: overflow",
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
            [
                Fault::Crash,
                Fault::Shutdown,
                Fault::ChooseCarrier,
                Fault::Break,
                Fault::Wake,
                Fault::Reconnect,
                Fault::ChangeUser,
                Fault::Sleep,
                Fault::Disconnect,
                Fault::Kick,
                Fault::Duplicate,
            ]
            .into_iter()
            .fold(varied(seed, network).clients(2), |plan, fault| {
                plan.every(fault, secs(20))
            })
        },
        meets: &[
            "handshakes with a fresh session",
            "handshakes that resume",
            "moves between carriers without a break",
        ],
    },
];

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
