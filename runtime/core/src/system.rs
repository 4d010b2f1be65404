//! The operating system, where a simulation stands in for it.

use std::time::Duration;

use crate::send::SendFuture;

/// What servers and clients take from the operating system beside tokio's clock: for simulations,
/// in which nothing may depend on chance.
pub trait System: Send + Sync + 'static {
    /// The time of day: how long ago the Unix epoch was. Servers and clients ask once, when they
    /// are made, and count on by tokio's clock.
    fn since_unix(&self) -> Duration;

    /// 128 random bits.
    fn random(&self) -> u128;

    /// Runs a task.
    fn spawn(&self, task: SendFuture<()>);
}
