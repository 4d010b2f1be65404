//! Time as the machines see it: handed in by a driver, never read from a clock.

use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

/// A moment, counted in nanoseconds from the Unix epoch by a clock that never goes back. The last
/// one is in the year 2554.
///
/// A driver makes one clock: the system time when it started, plus what a monotonic clock has
/// measured since. A simulator counts from zero.
///
/// ```
/// use std::time::Duration;
/// use sente_proto::Time;
///
/// let start = Time::default();
/// let later = start + Duration::from_secs(3);
/// assert_eq!(later - start, Duration::from_secs(3));
/// assert_eq!(start - later, Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Time(u64);

impl Time {
    /// The moment that lies `since_epoch` after the Unix epoch.
    #[must_use]
    pub const fn from_unix(since_epoch: Duration) -> Self {
        Self(nanoseconds(since_epoch))
    }

    /// How long after the Unix epoch this moment lies.
    #[must_use]
    pub const fn since_unix(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    pub(crate) const fn from_nanoseconds(since_epoch: u64) -> Self {
        Self(since_epoch)
    }

    pub(crate) const fn nanoseconds(self) -> u64 {
        self.0
    }
}

/// As many as fit.
const fn nanoseconds(duration: Duration) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    const MOST: u64 = u64::MAX / SECOND - 1;
    // A product that saturates by itself is ten times the code, and there are many of these.
    let seconds = if duration.as_secs() < MOST {
        duration.as_secs()
    } else {
        MOST
    };
    seconds * SECOND + duration.subsec_nanos() as u64
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(nanoseconds(before)))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(after)))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// How long after `earlier` this moment lies; zero if it lies before.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<Time> for SystemTime {
    fn from(time: Time) -> Self {
        SystemTime::UNIX_EPOCH + time.since_unix()
    }
}
