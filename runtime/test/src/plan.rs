//! What a simulated world is made of, and what happens in it beside the network's doings.

use std::time::Duration;

use sente_proto::Limits;
use sente_proto::client::{CarrierChoice, Timing};
use sente_proto::codec::Codec;
use sente_proto::server::Caps;

use crate::Network;

/// Something that goes wrong, or that a program or its user does at a bad moment.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Fault {
    /// A WebSocket is cut; both sides are told.
    Cut,
    /// A WebSocket goes dead, one way or both; nobody is told.
    HalfOpen,
    /// All of a client's network vanishes for a while.
    Offline,
    /// The server program dies, and all sessions with it. It comes back a little later.
    Crash,
    /// The server program shuts down in order, and comes back a little later.
    Shutdown,
    /// A client is told to use another carrier.
    ChooseCarrier,
    /// A client's program breaks its connection.
    Break,
    /// A client is told that the network is back.
    Wake,
    /// A client is told that nobody looks at its program, or that somebody does.
    Hide,
    /// A client's program reconnects.
    Reconnect,
    /// A client's user logs in as somebody else.
    ChangeUser,
    /// A client sleeps: its timers come late and its messages wait.
    Sleep,
    /// A client's program disconnects, and connects again later.
    Disconnect,
    /// The server's application ends a session.
    Kick,
    /// A copy of a client (a duplicated tab) takes its session over and falls silent.
    Duplicate,
    /// A client's program dies, and another one starts in its place.
    Kill,
    /// A client or the server stops reading a WebSocket for a while.
    SlowReader,
    /// A client shows its credentials anew, in the middle of everything.
    Reauthenticate,
    /// It shows those of somebody else, or of nobody, and later its own again.
    ShowAnother,
    /// The timers of a client or of the server come late for a while.
    LateTimers,
    /// The clock of a client or of the server jumps ahead by up to 40 s.
    ClockJump,
}

impl Fault {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Cut,
        Self::HalfOpen,
        Self::Offline,
        Self::Crash,
        Self::Shutdown,
        Self::ChooseCarrier,
        Self::Break,
        Self::Wake,
        Self::Reconnect,
        Self::ChangeUser,
        Self::Sleep,
        Self::Disconnect,
        Self::Kick,
        Self::Duplicate,
        Self::Kill,
        Self::SlowReader,
        Self::Reauthenticate,
        Self::ShowAnother,
        Self::LateTimers,
        Self::ClockJump,
        Self::Hide,
    ];

    /// What a plan without it is told by.
    pub(crate) fn word(self) -> String {
        let (_, name) = self.name().split_once(": ").unwrap_or_default();
        name.replace(' ', "-")
    }

    /// What coverage calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cut => "fault: cut",
            Self::HalfOpen => "fault: half-open",
            Self::Offline => "fault: offline",
            Self::Crash => "fault: crash",
            Self::Shutdown => "fault: shutdown",
            Self::ChooseCarrier => "fault: choose carrier",
            Self::Break => "fault: break connection",
            Self::Wake => "fault: wake",
            Self::Hide => "fault: hide",
            Self::Reconnect => "fault: reconnect",
            Self::ChangeUser => "fault: change user",
            Self::Sleep => "fault: sleep",
            Self::Disconnect => "fault: disconnect",
            Self::Kick => "fault: kick",
            Self::Duplicate => "fault: duplicate",
            Self::Kill => "fault: kill",
            Self::SlowReader => "fault: slow reader",
            Self::Reauthenticate => "fault: reauthenticate",
            Self::ShowAnother => "fault: show another",
            Self::LateTimers => "fault: late timers",
            Self::ClockJump => "fault: clock jump",
        }
    }
}

/// Who has a newer contract than the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Skew {
    /// Both have the same.
    None,
    /// The clients do.
    Clients,
    /// The server does.
    Server,
}

/// A world to simulate: its network, its programs, and what befalls them.
///
/// ```
/// use sente_test::{Fault, Network, Plan, secs};
///
/// let plan = Plan::on(Network::seeded(7).half_open_every(secs(5)))
///     .clients(2)
///     .every(Fault::Crash, secs(20));
/// # let _ = plan;
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) network: Network,
    pub(crate) clients: usize,
    /// Further clients, each on a network of its own.
    pub(crate) others: Vec<Network>,
    pub(crate) caps: Caps,
    /// How long identities are good, if not for ever.
    pub(crate) identities: Option<Duration>,
    pub(crate) one_user: bool,
    pub(crate) duration: Duration,
    pub(crate) carrier: CarrierChoice,
    pub(crate) codec: Codec,
    pub(crate) skew: Skew,
    pub(crate) limits: Limits,
    pub(crate) client_limits: Limits,
    pub(crate) timing: Timing,
    pub(crate) pause: Duration,
    pub(crate) burst: usize,
    pub(crate) slow_handlers: f64,
    pub(crate) faults: Vec<(Fault, Duration)>,
    pub(crate) script: Vec<u8>,
}

impl Plan {
    /// One client and one server with default limits, that talk for 30 s on `network`.
    #[must_use]
    pub fn on(network: Network) -> Self {
        Self {
            network,
            clients: 1,
            others: Vec::new(),
            caps: Caps::default(),
            identities: None,
            one_user: false,
            duration: Duration::from_secs(30),
            carrier: CarrierChoice::Auto,
            codec: Codec::default(),
            skew: Skew::None,
            limits: Limits::default(),
            client_limits: Limits::default(),
            timing: Timing::default(),
            pause: Duration::from_millis(200),
            burst: 4,
            slow_handlers: 0.1,
            faults: Vec::new(),
            script: Vec::new(),
        }
    }

    /// Whether nothing goes wrong, so that everything can be expected at once.
    pub(crate) fn is_calm(&self) -> bool {
        self.networks().all(Network::is_calm) && self.faults.is_empty()
    }

    /// Those of the clients, one each.
    pub(crate) fn networks(&self) -> impl Iterator<Item = &Network> {
        std::iter::repeat_n(&self.network, self.clients).chain(&self.others)
    }

    /// How long a full outbox takes on the slowest line, with what is on its way before it, where the
    /// other side gives no more credit than it has handlers.
    pub(crate) fn longest_queue(&self) -> Duration {
        let delays = self
            .networks()
            .map(|network| network.socket.delay.end.max(network.post.delay.end));
        let round_trip = delays.max().unwrap_or_default() * 2;
        let rates = self.networks().map(|network| network.bytes_per_second);
        let bytes = |limits: &Limits| 3 * limits.outbox_bytes + limits.max_message;
        let bytes = bytes(&self.limits).max(bytes(&self.client_limits)) as u64;
        let sent = Duration::from_secs(bytes / rates.min().unwrap_or(1).max(1));
        let rounds = |from: &Limits, to: &Limits| from.outbox_events as u32 / to.handlers.max(1);
        let up = rounds(&self.client_limits, &self.limits);
        let down = rounds(&self.limits, &self.client_limits);
        sent + round_trip * up.max(down)
    }

    /// The largest payload that both sides allow.
    pub(crate) fn largest(&self) -> usize {
        self.limits.max_message.min(self.client_limits.max_message)
    }

    /// How many clients there are. Default 1.
    #[must_use]
    pub fn clients(mut self, clients: usize) -> Self {
        self.clients = clients;
        self
    }

    /// One more client, on a network of its own, of which the seed counts for nothing.
    #[must_use]
    pub fn another_client_on(mut self, network: Network) -> Self {
        self.others.push(network);
        self
    }

    /// How many sessions the server lets in. Default [`Caps::default`].
    #[must_use]
    pub fn caps(mut self, caps: Caps) -> Self {
        self.caps = caps;
        self
    }

    /// How long an identity is good that a client shows. Default: for ever.
    #[must_use]
    pub fn identities_last(mut self, time: Duration) -> Self {
        self.identities = Some(time);
        self
    }

    /// All clients belong to the same user. Default: each to its own.
    #[must_use]
    pub fn one_user(mut self) -> Self {
        self.one_user = true;
        self
    }

    /// How long faults happen and programs talk. Then the world has to settle. Default 30 s.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// Which carriers the clients use. Default [`CarrierChoice::Auto`].
    #[must_use]
    pub fn carrier(mut self, carrier: CarrierChoice) -> Self {
        self.carrier = carrier;
        self
    }

    /// The codec of the clients. Default `bincode`.
    #[must_use]
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Who has a newer contract than the other. Default: nobody.
    #[must_use]
    pub fn skew(mut self, skew: Skew) -> Self {
        self.skew = skew;
        self
    }

    /// The limits of both sides.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.client_limits = limits.clone();
        self.limits = limits;
        self
    }

    /// Other limits for the clients. What the server tells them of its own they keep to all the
    /// same.
    #[must_use]
    pub fn client_limits(mut self, limits: Limits) -> Self {
        self.client_limits = limits;
        self
    }

    /// When the clients do what.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// How busy the programs are: about every `pause` each does up to `burst` things. Default
    /// 200 ms and 4.
    #[must_use]
    pub fn load(mut self, pause: Duration, burst: usize) -> Self {
        self.pause = pause;
        self.burst = burst.max(1);
        self
    }

    /// How many of the handlers take their time, up to 3 s. Default 0.1.
    #[must_use]
    pub fn slow_handlers(mut self, share: f64) -> Self {
        self.slow_handlers = share;
        self
    }

    /// Lets `fault` happen about so often.
    #[must_use]
    pub fn every(mut self, fault: Fault, mean: Duration) -> Self {
        self.faults.push((fault, mean));
        self
    }

    /// Lets the network and the programs decide by these bytes, one for each decision, as long as
    /// they last; then by the seed. This is how a fuzzer says what happens. Default: none.
    #[must_use]
    pub fn script(mut self, bytes: &[u8]) -> Self {
        self.script = bytes.to_vec();
        self
    }
}
