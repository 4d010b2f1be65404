//! The profiles: what the networks are like, and what goes wrong on them.

mod varied;

use sente_proto::client::{CarrierChoice, Timing};
use sente_proto::server::Caps;
use sente_proto::{Carrier, Limits};

use crate::{Fault, Network, Plan, Sockets, ms, secs};
use varied::{anything, small, varied};

/// A kind of world, of which a seed makes one.
///
/// ```
/// use sente_test::{Profile, World};
///
/// let lossy = Profile::named("lossy").expect("there is one");
/// let summary = World::new((lossy.plan)(7)).run()?;
/// assert!(summary.delivered > 0);
/// # Ok::<(), sente_test::Failure>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// Makes the plan of a seed.
    pub plan: fn(u64) -> Plan,
    /// What its seeds together have to meet, among all that [`Coverage`](crate::Coverage) names.
    pub meets: &'static [&'static str],
}

impl Profile {
    /// All of them.
    pub const ALL: &'static [Self] = PROFILES;

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }
}

const PROFILES: &[Profile] = &[
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
    Profile {
        name: "hidden",
        plan: |seed| {
            let network = Network::seeded(seed)
                .delay(ms(5)..ms(300))
                .loss(0.1)
                .repeat(0.15)
                .offline_every(secs(20));
            varied(seed, network)
                .carrier(CarrierChoice::Poll)
                .every(Fault::Hide, secs(3))
        },
        meets: &[
            "fault: hide",
            "carrier: brief poll",
            "carrier: held poll superseded",
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
                    Sockets::Greeted,
                    Sockets::Brief,
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
    // Polling serves well, and each WebSocket that is tried beside it is of no use. Nobody notices.
    Profile {
        name: "deaf",
        plan: |seed| {
            let network = Network::seeded(seed).sockets(&[Sockets::Deaf, Sockets::Greeted]);
            varied(seed, network).timing(Timing {
                upgrade: secs(2),
                upgrade_cap: secs(4),
                ..Timing::default()
            })
        },
        meets: &["network: socket deaf", "network: socket greeted"],
    },
    Profile {
        name: "brief",
        plan: |seed| {
            let network = Network::seeded(seed).loss(0.03).sockets(&[
                Sockets::Brief,
                Sockets::Brief,
                Sockets::Deaf,
            ]);
            varied(seed, network)
        },
        meets: &["network: socket brief", "client: Poll to WebSocket"],
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
    // A line so slow, and so little room, that replies pile up.
    Profile {
        name: "unread",
        plan: |seed| {
            let network = Network::seeded(seed).bytes_per_second(20_000);
            varied(seed, network)
                .limits(Limits {
                    outbox_bytes: 12 * 1024,
                    ..small()
                })
                .load(ms(60), 6)
                .every(Fault::SlowReader, secs(4))
        },
        meets: &["outbox: full", "call: its reply finds no room"],
    },
    // So little room that what waits for credit fills it, on both sides.
    Profile {
        name: "cramped",
        plan: |seed| {
            let network = Network::seeded(seed).delay(ms(5)..ms(100));
            varied(seed, network)
                .limits(Limits {
                    outbox_events: 1,
                    handlers: 1,
                    ..small()
                })
                .load(ms(800), 1)
        },
        meets: &["outbox: full", "session: fresh, overflow"],
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
    Profile {
        name: "identities",
        plan: |seed| {
            let network = Network::seeded(seed)
                .loss(0.05)
                .repeat(0.05)
                .sockets(&[Sockets::Work, Sockets::Work, Sockets::Refused])
                .cut_every(secs(8));
            varied(seed, network)
                .clients(2)
                .identities_last(secs(3))
                .every(Fault::Reauthenticate, secs(3))
                .every(Fault::ShowAnother, secs(8))
                .every(Fault::LateTimers, secs(10))
                .every(Fault::Kick, secs(20))
        },
        meets: &[
            "fault: reauthenticate",
            "fault: show another",
            "identity: shown anew",
            "identity: warned of its end",
            "identity: expired",
            "identity: another one in the middle",
            "client: refused",
        ],
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
                    Sockets::Deaf,
                    Sockets::Greeted,
                    Sockets::Brief,
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
