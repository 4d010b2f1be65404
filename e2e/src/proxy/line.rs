//! How a proxy passes bytes on: late, slowly, and up to a point.

use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::{Fate, Mode};

/// How good a line is, each way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Line {
    delay: Duration,
    jitter: Duration,
    bytes_per_second: Option<u32>,
}

/// So many pieces are under way at most; then the sender has to wait.
const PIECES: usize = 256;
/// A piece has so many bytes at most.
const PIECE: usize = 16 * 1024;

impl Line {
    /// Everything is under way for so long.
    #[must_use]
    pub fn delayed(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    /// And for up to so much longer.
    #[must_use]
    pub fn jitter(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// Takes no more than this.
    #[must_use]
    pub fn bytes_per_second(self, bytes: u32) -> Self {
        Self {
            bytes_per_second: Some(bytes),
            ..self
        }
    }

    pub(super) fn delay(self) -> Duration {
        self.delay
    }
}

/// How many bytes may still pass in one direction before a connection is cut.
#[derive(Default)]
pub(super) struct Budget(Mutex<Option<(u64, oneshot::Sender<()>)>>);

impl Budget {
    pub(super) fn set(&self, bytes: u64) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        *self.0.lock().unwrap() = Some((bytes, tell));
        told
    }

    /// How many of so many bytes pass; then the connection is to be cut.
    fn take(&self, bytes: usize) -> Option<usize> {
        let mut budget = self.0.lock().unwrap();
        let (left, _) = budget.as_mut()?;
        if *left >= bytes as u64 {
            *left -= bytes as u64;
            return None;
        }
        let (passes, tell) = budget.take()?;
        // Whoever set it may have gone on.
        let _ = tell.send(());
        Some(passes as usize)
    }
}

/// Passes on what comes, as the line and the proxy's mode allow.
pub(super) async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    line: Line,
    budget: &Budget,
    mode: &mut watch::Receiver<Mode>,
    fate: impl Fn(Mode) -> Fate,
) -> std::io::Result<()> {
    let (under_way, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let takes_in = async {
        let mut free = Instant::now();
        let mut draws = Draws::default();
        let mut buffer = vec![0; PIECE];
        loop {
            let _ = mode.wait_for(|mode| fate(*mode) != Fate::Waits).await;
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                // One that swallows does not tell of the end either.
                let _ = mode.wait_for(|mode| fate(*mode) == Fate::Passes).await;
                drop(under_way);
                return Ok(());
            }
            if fate(*mode.borrow_and_update()) == Fate::IsSwallowed {
                continue;
            }
            if let Some(rate) = line.bytes_per_second {
                let takes = Duration::from_secs_f64(read as f64 / f64::from(rate));
                free = free.max(Instant::now()) + takes;
            }
            let late = line.delay + line.jitter.mul_f64(draws.draw());
            let at = (Instant::now() + late).max(free);
            if under_way.send((at, buffer[..read].to_vec())).await.is_err() {
                return Ok(());
            }
        }
    };
    let gives_out = async {
        let mut last = Instant::now();
        while let Some((at, bytes)) = arriving.recv().await {
            // What comes later is never there earlier.
            last = last.max(at);
            if last > Instant::now() {
                sleep_until(last).await;
            }
            match budget.take(bytes.len()) {
                None => to.write_all(&bytes).await?,
                Some(passes) => {
                    to.write_all(&bytes[..passes]).await?;
                    return Err(std::io::ErrorKind::ConnectionReset.into());
                }
            }
        }
        Ok(())
    };
    tokio::try_join!(takes_in, gives_out).map(|_| ())
}

/// Numbers from 0 up to 1, the same for the same seed (SplitMix64).
#[derive(Debug, Default)]
pub struct Draws(u64);

impl Draws {
    /// Those of that seed.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one.
    pub fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
