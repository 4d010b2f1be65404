//! Servers, clients and what may stand between them, over real sockets.
//!
//! * [`Talk`]: a contract with one event of each kind
//! * [`Host`]: a server that can be stopped and started again at the same address
//! * [`Proxy`]: what stands between: passes on, refuses, swallows, stalls, cuts
//! * [`Count`]: a contract for counting, [`count_server`] and [`count_client`], which write down what
//!   they do as [`Entry`]s, and [`Story`], which says whether that is what was promised
//! * [`Program`]: one of these two in a process of its own; [`standard`] is what both begin with

mod count;
mod entry;
mod host;
mod program;
mod proxy;
pub mod standard;
mod story;
mod talk;

use std::future::Future;
use std::time::Duration;

pub use count::{
    Count, CountClient, CountServer, CountToClient, CountToClients, CountToServer, Counting,
    Recorder, carrier_named, count_client, count_server,
};
pub use entry::{Answer, Back, Entry};
pub use host::Host;
pub use program::Program;
pub use proxy::{Draws, Line, Mode, Proxy, Way};
pub use story::{Story, Summary};
pub use talk::{
    Heard, Talk, TalkClient, TalkServer, TalkToClient, TalkToClients, TalkToServer, connect,
};

/// The longest that anything may take here. Nothing waits that long unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must come.
///
/// # Panics
/// If it does not come.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} did not come within {PATIENCE:?}"),
    }
}
