//! The time of a server.

use std::time::Duration;

use sente_proto::Time;
use tokio::time::Instant;

use crate::around::Around;

/// The time of a server: the system's when it started, and a monotonic clock since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    unix: Duration,
}

impl Clock {
    pub(crate) fn start(around: &Around) -> Self {
        Self {
            started: Instant::now(),
            unix: around.since_unix(),
        }
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_unix(self.unix + self.started.elapsed())
    }

    /// The moment on tokio's clock.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        self.started + (time - Time::from_unix(self.unix))
    }
}
