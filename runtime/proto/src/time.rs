//! Time as the machines see it: handed in by a driver, never read from a clock.

use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

/// A moment, counted from the Unix epoch by a clock that never goes back.
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
pub struct Time(Duration);

impl Time {
    /// The moment that lies `since_epoch` after the Unix epoch.
    #[must_use]
    pub const fn from_unix(since_epoch: Duration) -> Self {
        Self(since_epoch)
    }

    /// How long after the Unix epoch this moment lies.
    #[must_use]
    pub const fn since_unix(self) -> Duration {
        self.0
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(before))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(after))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// How long after `earlier` this moment lies; zero if it lies before.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<Time> for SystemTime {
    fn from(time: Time) -> Self {
        SystemTime::UNIX_EPOCH + time.0
    }
}
