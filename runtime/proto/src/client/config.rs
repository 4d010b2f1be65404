//! What a client is told at the start.

use std::time::Duration;

use crate::{Limits, Secret};

/// Which carriers a client uses.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum CarrierChoice {
    /// WebSocket where it works, polling where it does not, and back.
    #[default]
    Auto,
    /// WebSocket only.
    WebSocket,
    /// Polling only.
    Poll,
}

/// How a client begins.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by struct update from the default"
)]
pub struct Config {
    /// Which carriers to use.
    pub carrier: CarrierChoice,
    /// A name for this device.
    pub device: Option<String>,
    /// Whether to ask for credentials before each dial.
    pub asks_credentials: bool,
    /// The limits of this side.
    pub limits: Limits,
    /// When to do what.
    pub timing: Timing,
}

/// When a client does what.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by struct update from the default"
)]
pub struct Timing {
    /// Without an answer on WebSocket, polling starts beside it after this. Default 1 s.
    pub fallback: Duration,
    /// Without an answer, a WebSocket is closed after this where polling is allowed. Default 3 s.
    pub give_up: Duration,
    /// While polling, WebSocket is tried again after this, and then after twice as long each time.
    /// Default 5 s.
    pub upgrade: Duration,
    /// The longest between two such tries. Default 5 min.
    pub upgrade_cap: Duration,
    /// A carrier has proved itself when bytes come on it so long after its welcome. If one after the
    /// other is lost before, the client polls, and after those of no use waits. Default 5 s.
    pub proof: Duration,
    /// A probed carrier that does not answer within this is dead. Default 1 s.
    pub probe: Duration,
    /// A timer that comes later than this means that the program slept. Default 5 s.
    pub slept: Duration,
    /// While connected, a timer comes so often for that alone: a short sleep would not be noticed
    /// where the next timer is far away. Default 10 s.
    pub watch: Duration,
    /// The bound of the wait after the first failed dial. Default 0.5 s.
    pub backoff: Duration,
    /// The highest bound. Default 30 s.
    pub backoff_cap: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            fallback: Duration::from_secs(1),
            give_up: Duration::from_secs(3),
            upgrade: Duration::from_secs(5),
            upgrade_cap: Duration::from_secs(300),
            proof: Duration::from_secs(5),
            probe: Duration::from_secs(1),
            slept: Duration::from_secs(5),
            watch: Duration::from_secs(10),
            backoff: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(30),
        }
    }
}

/// What a client shows to be let in.
#[derive(Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct Credentials {
    /// A token for the server's `authenticate`.
    pub token: Option<Secret<String>>,
    /// The token against cross-site request forgery.
    pub csrf: Option<Secret<String>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
