//! What is measured, and what is asked of it.

/// One thing that is measured, for each side in turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Figure {
    One,
    OneCore,
    Many,
    Idle,
    Push,
    Burst,
    Events,
}

/// One line of the report: a number that a run of a figure brings.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its name between the generator and the harness.
    pub(crate) key: &'static str,
    /// What it counts, with its unit.
    pub(crate) what: &'static str,
    pub(crate) goal: Option<Goal>,
}

/// What sente has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// The median of the ratio to the raw side is at least this.
    Times(f64),
    /// The median is at most this.
    AtMost(f64),
}

/// How many clients share the work of `many`, and how many calls each keeps in flight.
pub(crate) const CLIENTS: usize = 32;
pub(crate) const IN_FLIGHT: usize = 32;

/// How many sessions a push goes to, and how many pushes go at once in a burst.
pub(crate) const LISTENERS: usize = 1_000;
pub(crate) const BURST: usize = 50;

/// Sessions that stand before the memory is first read, so that what a server needs once is not
/// divided among those that follow.
pub(crate) const FIRST_SESSIONS: usize = 200;
pub(crate) const IDLE_SESSIONS: usize = 2_000;
/// What each idle session is sent, and sends back, before its memory is read again.
pub(crate) const EVENTS_EACH: usize = 1_000;

/// The payload of everything.
pub(crate) const TEXT: &str = "a small payload of 32 characters";

/// The numbers by their names.
pub(crate) type Measures = Vec<(&'static str, f64)>;

pub(crate) const RATE: &str = "rate";
pub(crate) const SERVER: &str = "server";
pub(crate) const CLIENT: &str = "client";
pub(crate) const MEMORY: &str = "memory";
pub(crate) const MEMORY_AFTER: &str = "memory-after";
pub(crate) const CONNECTS: &str = "connects";

impl Figure {
    pub(crate) const ALL: [Self; 7] = [
        Self::One,
        Self::OneCore,
        Self::Many,
        Self::Idle,
        Self::Push,
        Self::Burst,
        Self::Events,
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::OneCore => "one-core",
            Self::Many => "many",
            Self::Idle => "idle",
            Self::Push => "push",
            Self::Burst => "burst",
            Self::Events => "events",
        }
    }

    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::One => "one client, one call at a time",
            Self::OneCore => "the same, with server and client on one core",
            Self::Many => "32 clients, each one task with 32 calls in flight",
            Self::Idle => "2,000 idle sessions; then 1,000 events to and from each",
            Self::Push => "one push at a time to 1,000 sessions",
            Self::Burst => "50 pushes at once to 1,000 sessions",
            Self::Events => "one-way events from one client",
        }
    }

    pub(crate) const fn rows(self) -> &'static [Row] {
        const fn row(key: &'static str, what: &'static str, goal: Option<Goal>) -> Row {
            Row { key, what, goal }
        }
        // Wall time is decided by who wakes whom; processor time says what the work costs.
        const OF_SERVER: Row = row(SERVER, "µs of the server for each", None);
        const OF_CLIENT: Row = row(CLIENT, "µs of the clients for each", None);
        const fn rate(what: &'static str, goal: Option<Goal>) -> [Row; 3] {
            [row(RATE, what, goal), OF_SERVER, OF_CLIENT]
        }
        match self {
            Self::One => const { &rate("round trips/s", Some(Goal::Times(0.8))) },
            Self::OneCore => const { &rate("round trips/s", None) },
            Self::Many => const { &rate("replies/s", Some(Goal::Times(4.0))) },
            Self::Push | Self::Burst => const { &rate("deliveries/s", None) },
            Self::Events => const { &rate("events/s", None) },
            Self::Idle => {
                const {
                    &[
                        row(MEMORY, "KiB a session, idle", Some(Goal::AtMost(12.0))),
                        row(MEMORY_AFTER, "KiB a session, after", None),
                        row(CONNECTS, "connects/s", None),
                    ]
                }
            }
        }
    }
}
