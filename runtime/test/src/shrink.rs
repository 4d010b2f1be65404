//! From a seed that fails to the smallest plan that does.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sente_proto::Limits;
use sente_proto::codec::Codec;

use crate::campaign::first_failure;
use crate::{Failure, Fault, Network, Plan, Skew, Sockets, World};

/// How many seeds are tried of each smaller plan.
const TRIES: u64 = 150;

/// Something that a plan can do without.
///
/// ```
/// use sente_test::Cut;
///
/// let cut: Cut = "no-loss".parse()?;
/// assert_eq!(cut.to_string(), "no-loss");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cut {
    /// All clients but the first.
    Clients,
    /// Loss and stalls.
    Loss,
    /// Requests that come twice.
    Repeats,
    /// Responses that break off.
    Breaks,
    /// Delays that differ.
    Jitter,
    /// WebSockets that do not open.
    Sockets,
    /// Requests that are blocked.
    Blocks,
    /// Contracts that differ.
    Skew,
    /// A codec of text.
    Text,
    /// Limits other than the default ones.
    Limits,
    /// Identities that expire.
    Identities,
    /// Handlers that take their time.
    SlowHandlers,
    /// A kind of fault.
    Fault(Fault),
    /// All that happens after so long.
    After(Duration),
}

/// A failure, and the smallest plan that was found to show one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shrunk {
    /// What the plan does without.
    pub cuts: Vec<Cut>,
    /// How it fails; its seed is the plan's.
    pub failure: Failure,
}

impl Cut {
    const SIMPLE: &'static [(&'static str, Self)] = &[
        ("one-client", Self::Clients),
        ("no-loss", Self::Loss),
        ("no-repeats", Self::Repeats),
        ("no-breaks", Self::Breaks),
        ("no-jitter", Self::Jitter),
        ("no-bad-sockets", Self::Sockets),
        ("no-blocked-posts", Self::Blocks),
        ("no-skew", Self::Skew),
        ("no-text", Self::Text),
        ("no-limits", Self::Limits),
        ("no-expiring-identities", Self::Identities),
        ("no-slow-handlers", Self::SlowHandlers),
    ];

    /// The plan without it; `None` if it never had it.
    #[must_use]
    pub fn of(self, plan: &Plan) -> Option<Plan> {
        let mut cut = plan.clone();
        match self {
            Self::Clients => {
                cut.others.clear();
                cut.clients = 1;
                let clients = plan.clients + plan.others.len();
                return (clients > 1).then_some(cut);
            }
            Self::Skew => {
                cut.skew = Skew::None;
                return (plan.skew != Skew::None).then_some(cut);
            }
            Self::Text => {
                cut.codec = Codec::default();
                return (plan.codec != cut.codec).then_some(cut);
            }
            Self::Limits => {
                cut = cut.limits(Limits::default());
                let differs =
                    |limits: &Limits| format!("{limits:?}") != format!("{:?}", cut.limits);
                return (differs(&plan.limits) || differs(&plan.client_limits)).then_some(cut);
            }
            Self::Identities => {
                cut.identities = None;
                return plan.identities.is_some().then_some(cut);
            }
            Self::SlowHandlers => {
                cut.slow_handlers = 0.0;
                return (plan.slow_handlers > 0.0).then_some(cut);
            }
            Self::After(duration) => {
                cut.duration = duration;
                return (duration < plan.duration).then_some(cut);
            }
            Self::Fault(fault) => cut.faults.retain(|(kind, _)| *kind != fault),
            _ => {}
        }
        let mut networks = vec![&mut cut.network];
        networks.extend(&mut cut.others);
        for network in networks {
            self.in_network(network);
        }
        let differs = |one: &Plan, other: &Plan| format!("{one:?}") != format!("{other:?}");
        differs(plan, &cut).then_some(cut)
    }

    fn in_network(self, network: &mut Network) {
        match self {
            Self::Loss => {
                network.socket.loss = 0.0;
                network.post.loss = 0.0;
            }
            Self::Repeats => network.repeat = 0.0,
            Self::Breaks => network.breaks_off = 0.0,
            Self::Jitter => {
                network.socket.delay.end = network.socket.delay.start;
                network.post.delay.end = network.post.delay.start;
            }
            Self::Sockets => network.sockets = vec![Sockets::Work],
            Self::Blocks => network.blocks_posts = false,
            Self::Fault(fault) => network.faults.retain(|(kind, _)| *kind != fault),
            _ => {}
        }
    }

    /// The plan without any of these.
    #[must_use]
    pub fn all(cuts: &[Self], plan: Plan) -> Plan {
        let cut = |plan: Plan, cut: &Self| cut.of(&plan).unwrap_or(plan);
        cuts.iter().fold(plan, cut)
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(f, "no-{}", fault.word()),
            Self::After(duration) => write!(f, "{}ms", duration.as_millis()),
            simple => {
                let named = Self::SIMPLE.iter().find(|(_, cut)| cut == simple);
                f.write_str(named.map_or("", |(name, _)| name))
            }
        }
    }
}

impl FromStr for Cut {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let simple = Self::SIMPLE.iter().find(|(name, _)| *name == text);
        let fault = || {
            let word = text.strip_prefix("no-")?;
            let fault = Fault::ALL.iter().find(|fault| fault.word() == word)?;
            Some(Self::Fault(*fault))
        };
        let after = || {
            let milliseconds = text.strip_suffix("ms")?.parse().ok()?;
            Some(Self::After(Duration::from_millis(milliseconds)))
        };
        simple
            .map(|(_, cut)| *cut)
            .or_else(fault)
            .or_else(after)
            .ok_or_else(|| {
                format!(
                    "`{text}` is nothing that a plan can do without; `no-loss` and `2500ms` are"
                )
            })
    }
}

/// Takes away from the plan of a seed that fails whatever it still fails without, and all that comes
/// after the failure. A smaller plan may need another seed to fail, so some are tried.
///
/// `None` if the seed does not fail.
pub fn shrink(plan: impl Fn(u64) -> Plan + Sync, seed: u64) -> Option<Shrunk> {
    let mut shrunk = Shrunk {
        cuts: Vec::new(),
        failure: World::new(plan(seed)).run().err()?,
    };
    let faults = Fault::ALL.iter().copied().map(Cut::Fault);
    let simple = Cut::SIMPLE.iter().map(|(_, cut)| *cut);
    for cut in faults.chain(simple) {
        shrunk.try_without(cut, &plan);
    }
    // By halves, and then by less.
    for (part, whole) in [(1, 2), (1, 2), (1, 2), (1, 2), (3, 4), (7, 8)] {
        let until = shrunk.failure.at.since_unix();
        let longest = Cut::all(&shrunk.cuts, plan(shrunk.failure.seed)).duration;
        let duration = longest.min(until + Duration::from_millis(1)) * part / whole;
        shrunk.try_without(Cut::After(duration), &plan);
    }
    Some(shrunk)
}

impl Shrunk {
    fn try_without(&mut self, cut: Cut, plan: &(impl Fn(u64) -> Plan + Sync)) {
        let own = self.failure.seed;
        if cut.of(&Cut::all(&self.cuts, plan(own))).is_none() {
            return;
        }
        let mut cuts = self.cuts.clone();
        // A shorter one takes the place of a longer one.
        cuts.retain(|own| !matches!((own, cut), (Cut::After(_), Cut::After(_))));
        cuts.push(cut);
        // Its own seed first, then those that everybody would try.
        let seed = |place: u64| if place == 0 { own } else { place - 1 };
        let smaller = |place| Cut::all(&cuts, plan(seed(place)));
        if let Some(failure) = first_failure(self.failure.promise, TRIES, smaller) {
            *self = Self { cuts, failure };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn every_cut_is_read_as_it_is_written() {
        let faults = Fault::ALL.iter().copied().map(Cut::Fault);
        let simple = Cut::SIMPLE.iter().map(|(_, cut)| *cut);
        let after = Cut::After(Duration::from_millis(2_500));
        for cut in faults.chain(simple).chain([after]) {
            assert_eq!(cut.to_string().parse(), Ok(cut));
        }
        assert!("no-nonsense".parse::<Cut>().is_err());
    }

    #[test]
    fn a_plan_without_all_that_it_can_do_without_is_calm() {
        let everything = Profile::named("everything").expect("there is one");
        let faults = Fault::ALL.iter().copied().map(Cut::Fault);
        let simple = Cut::SIMPLE.iter().map(|(_, cut)| *cut);
        let cuts: Vec<_> = faults.chain(simple).collect();
        let plan = Cut::all(&cuts, (everything.plan)(1));
        assert!(cuts.iter().all(|cut| cut.of(&plan).is_none()), "{plan:?}");
        assert!(World::new(plan).run().is_ok());
    }
}
