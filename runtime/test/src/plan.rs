//! What a simulated world is made of, and what happens in it beside the network's doings.

use std::time::Duration;

use sente_proto::Limits;
use sente_proto::client::{CarrierChoice, Timing};
use sente_proto::codec::Codec;

use crate::{Network, Sockets};

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
}

impl Plan {
    /// One client and one server with default limits, that talk for 30 s on `network`.
    #[must_use]
    pub fn on(network: Network) -> Self {
        Self {
            network,
            clients: 1,
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
        }
    }

    /// Whether nothing goes wrong, so that everything can be expected at once.
    pub(crate) fn is_calm(&self) -> bool {
        let network = &self.network;
        network.loss == 0.0
            && !network.blocks_posts
            && network.sockets == [Sockets::Work]
            && network.faults.is_empty()
            && self.faults.is_empty()
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
}
