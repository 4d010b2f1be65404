//! Random numbers that are the same on every machine.

use std::ops::Range;
use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood, 2014): small, quick, and good enough to choose delays by.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
    /// What comes before the numbers of the seed, a byte each, the last one first.
    script: Vec<u8>,
}

impl Rng {
    /// The numbers of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            script: Vec::new(),
        }
    }

    /// A number for each byte of `script`, then the numbers of `seed`. What depends on the bytes one
    /// by one can be led by a fuzzer.
    #[must_use]
    pub fn scripted(script: &[u8], seed: u64) -> Self {
        Self {
            state: seed,
            script: script.iter().rev().copied().collect(),
        }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        if let Some(byte) = self.script.pop() {
            // In all places, since some look at the upper bits and some at the lower ones.
            return u64::from_ne_bytes([byte; 8]);
        }
        self.seeded()
    }

    fn seeded(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next 128 bits.
    pub fn wide(&mut self) -> u128 {
        u128::from(self.bits()) << 64 | u128::from(self.bits())
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound as u64) as usize
    }

    /// `true` with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        // The upper 53 bits are exact in a float, so that all machines agree.
        ((self.bits() >> 11) as f64) < probability * 9_007_199_254_740_992.0
    }

    /// A duration from `range`, to the microsecond.
    pub fn within(&mut self, range: &Range<Duration>) -> Duration {
        let width = range.end.saturating_sub(range.start).as_micros() as u64;
        range.start + Duration::from_micros(self.bits() % (width + 1))
    }

    /// A duration around `mean`: between nothing and twice as much.
    pub fn around(&mut self, mean: Duration) -> Duration {
        self.within(&(Duration::ZERO..mean * 2))
    }

    /// One of `choices`, which are not empty.
    pub fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Another stream of numbers, which depends on this one's seed alone.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.seeded())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference_implementation() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.bits(), 6_457_827_717_110_365_317);
        assert_eq!(rng.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_script_comes_first() {
        let mut rng = Rng::scripted(&[0, 0xff, 7], 3);
        assert!(rng.chance(0.001));
        assert!(!rng.chance(0.999));
        assert_eq!(rng.bits(), 0x0707_0707_0707_0707);
        assert_eq!(rng.bits(), Rng::new(3).bits());
    }

    #[test]
    fn choices_stay_within_their_bounds() {
        let mut rng = Rng::new(7);
        let range = Duration::from_millis(5)..Duration::from_millis(9);
        for _ in 0..1_000 {
            assert!(rng.below(3) < 3);
            let delay = rng.within(&range);
            assert!(range.start <= delay && delay <= range.end);
        }
        assert!(!rng.chance(0.0) && rng.chance(1.0));
    }
}
