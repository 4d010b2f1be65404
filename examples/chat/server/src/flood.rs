//! How much one device may say.

use std::time::{Duration, Instant};

/// One line a second in the long run …
const PER_LINE: Duration = Duration::from_secs(1);

/// … and this much at once, which lets someone paste a poem but not a book.
const AT_ONCE: Duration = Duration::from_secs(30);

/// What a device has said lately, as the moment at which all of it is paid for.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    paid: Option<Instant>,
}

impl Flood {
    /// Counts a line.
    ///
    /// # Errors
    /// If it is too much: for how many seconds more the device has to be silent.
    pub(crate) fn say(&mut self, now: Instant) -> Result<(), u32> {
        let paid = self.paid.map_or(now, |paid| paid.max(now)) + PER_LINE;
        let over = (paid - now).saturating_sub(AT_ONCE);
        if over.is_zero() {
            self.paid = Some(paid);
            Ok(())
        } else {
            Err(over.as_secs_f64().ceil() as u32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poem_passes_and_a_book_does_not() {
        let mut flood = Flood::default();
        let now = Instant::now();
        for _ in 0..30 {
            assert_eq!(flood.say(now), Ok(()));
        }
        assert_eq!(flood.say(now), Err(1));
    }

    #[test]
    fn silence_makes_good() {
        let mut flood = Flood::default();
        let start = Instant::now();
        while flood.say(start).is_ok() {}
        let later = start + Duration::from_millis(500);
        assert_eq!(flood.say(later), Err(1));
        assert_eq!(flood.say(start + Duration::from_secs(1)), Ok(()));
        assert_eq!(flood.say(start + Duration::from_secs(1)), Err(1));
        assert_eq!(flood.say(start + Duration::from_secs(3600)), Ok(()));
    }
}
