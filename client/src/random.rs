//! Random numbers that nobody can foresee, and others that only have to be even.

use std::fmt;

use crate::error::SetupError;
use crate::platform::random;

/// 128 random bits a time: the operating system's, or those of a simulation.
pub(crate) struct Random(pub(crate) Box<dyn FnMut() -> u128 + Send>);

impl Random {
    /// Fails where the system gives no random numbers at all.
    pub(crate) fn new() -> Result<Self, SetupError> {
        Ok(Self(Box::new(random().map_err(SetupError::Random)?)))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// Strikes a share of what it is asked about: a simulated bad connection.
#[derive(Debug)]
pub(crate) struct Fault {
    rate: f64,
    state: u64,
}

impl Fault {
    pub(crate) fn new(rate: f64, seed: u64) -> Self {
        let mut fault = Self {
            rate: 0.0,
            state: seed,
        };
        fault.set_rate(rate);
        fault
    }

    pub(crate) fn set_rate(&mut self, rate: f64) {
        self.rate = if rate.is_nan() {
            0.0
        } else {
            rate.clamp(0.0, 1.0)
        };
    }

    pub(crate) fn strikes(&mut self) -> bool {
        // Most clients have none: they pay one comparison.
        self.rate > 0.0 && self.draw() < self.rate
    }

    /// A number from 0 up to 1 (SplitMix64).
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_about_as_often_as_it_is_told() {
        let mut fault = Fault::new(0.25, 7);
        let struck = (0..10_000).filter(|_| fault.strikes()).count();
        assert!((2_300..2_700).contains(&struck), "{struck}");
        assert!(!Fault::new(0.0, 7).strikes());
        assert!(Fault::new(1.0, 7).strikes());
        assert!(!Fault::new(f64::NAN, 7).strikes());
        fault.set_rate(5.0);
        assert!(fault.strikes());
    }
}
