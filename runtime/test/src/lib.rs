//! A deterministic simulator for sente: client and server machines under virtual time, on a network
//! that misbehaves by a seed, with a model that looks at every promise after every step.
//!
//! A [`Plan`] says what there is and what goes wrong; a [`World`] lets it happen. Whatever it finds
//! it finds again: the same plan with the same seed does the same thing on every machine, and thirty
//! simulated seconds take a few milliseconds.
//!
//! ```
//! use sente_test::{Fault, Network, Plan, World, ms, secs};
//!
//! let network = Network::seeded(7)
//!     .delay(ms(50)..ms(400))
//!     .loss(0.05)
//!     .half_open_every(secs(5));
//! let plan = Plan::on(network)
//!     .clients(2)
//!     .every(Fault::Crash, secs(20));
//! let summary = World::new(plan).run()?;
//! assert!(summary.delivered > 0);
//! # Ok::<(), sente_test::Failure>(())
//! ```

mod contract;
mod coverage;
mod model;
mod network;
mod plan;
mod promise;
mod report;
mod rng;
mod tag;
mod world;

use std::time::Duration;

pub use coverage::Coverage;
pub use network::{Network, Sockets};
pub use plan::{Fault, Plan, Skew};
pub use promise::Promise;
pub use report::{Failure, Summary};
pub use rng::Rng;
pub use world::World;

/// So many milliseconds.
#[must_use]
pub const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// So many seconds.
#[must_use]
pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
