//! When to try again: capped exponential backoff with full jitter.
//!
//! Full jitter spreads the clients of a server that came back better than equal or decorrelated
//! jitter does: Marc Brooker, *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015.

use std::time::Duration;

/// Counts failures and says how long to wait after each.
#[derive(Clone, Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits up to `base` after the first failure, doubling with each up to `cap`.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self {
            base,
            cap,
            failures: 0,
        }
    }

    /// Notes a failure. Returns how long to wait: between nothing and the present bound, evenly,
    /// as `random` says.
    pub fn failed(&mut self, random: u64) -> Duration {
        let bound = self
            .base
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX))
            .min(self.cap);
        self.failures = (self.failures + 1).min(31);
        let micros = bound.as_micros() as u64;
        Duration::from_micros(random % (micros + 1))
    }

    /// Notes a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_stays_below_a_bound_that_doubles_up_to_the_cap() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        for bound in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let mut highest = backoff.clone();
            assert_eq!(highest.failed(bound * 1_000), Duration::from_millis(bound));
            assert_eq!(backoff.failed(0), Duration::ZERO);
        }
        backoff.reset();
        assert_eq!(backoff.failed(500_000), Duration::from_millis(500));
    }

    #[test]
    fn many_failures_do_not_overflow() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        for _ in 0..100 {
            assert!(backoff.failed(u64::MAX) <= Duration::from_secs(30));
        }
    }
}
