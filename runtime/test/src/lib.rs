//! Networks that misbehave by a seed, in virtual time: for tests of handlers, and for sente's own
//! machines.
//!
//! [`run`] gives a test a network on which real servers and clients live, with the test's own
//! handlers. Connections are slow, break and go dead; a simulated minute takes milliseconds; and the
//! same seed does the same thing again.
//!
//! ```
//! use sente::Peer;
//! use sente_server::Server;
//! use sente_test::{Network, ms, secs};
//!
//! #[sente::events]
//! enum Chat {
//!     #[to_server(reply = usize)]
//!     Post { text: String },
//! }
//!
//! struct Room { server: Server }
//!
//! impl ChatServer for Room {
//!     async fn post(&self, _from: &Peer, text: String) -> usize {
//!         tokio::time::sleep(secs(1)).await; // your database
//!         text.len()
//!     }
//! }
//!
//! let network = Network::seeded(7).loss(0.2).delay(ms(50)..ms(400)).half_open_every(secs(5));
//! sente_test::run(network, async |net| {
//!     let (client, _server) = net.pair(|server| Chat::server(Room { server }), Chat::client(()));
//!     let call = Chat::to_server(&client).post("hello");
//!     assert_eq!(call.timeout(secs(60)).await, Ok(5));
//! });
//! ```
//!
//! # Layout
//! * [`run`] and [`pair`]: where a test begins; [`advance`] lets time pass
//! * [`Net`] and [`Uplink`]: several clients, their users, and what is done to them meanwhile
//! * [`Network`]: how good or bad it is
//! * [`Plan`], [`World`] and the rest: the machines of sente alone, with a model that looks at every
//!   promise after every step

mod campaign;
mod contract;
mod coverage;
#[cfg(feature = "live")]
mod live;
mod model;
mod network;
mod plan;
mod profiles;
mod promise;
mod report;
mod rng;
mod shrink;
mod tag;
mod world;

use std::time::Duration;

pub use campaign::{Campaign, Report};
pub use coverage::Coverage;
#[cfg(feature = "live")]
pub use live::{Net, Uplink, advance, pair, run};
pub use network::{Network, Sockets};
pub use plan::{Fault, Plan, Skew};
pub use profiles::Profile;
pub use promise::Promise;
pub use report::{Failure, Summary};
pub use rng::Rng;
pub use shrink::{Cut, Shrunk, shrink};
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
