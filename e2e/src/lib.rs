//! Servers, clients and what may stand between them, over real sockets.
//!
//! * [`Talk`]: a contract with one event of each kind
//! * [`Host`]: a server that can be stopped and started again at the same address
//! * [`Proxy`]: what stands between: passes on, refuses, swallows, stalls, cuts

mod host;
mod proxy;
mod talk;

use std::future::Future;
use std::time::Duration;

pub use host::Host;
pub use proxy::{Mode, Proxy};
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
