//! Every limit in one place, with its default.

use std::time::Duration;

use crate::frame::Terms;
use crate::wire::{MAX_FRAME, WireLimits};

/// What a side allows itself and the other. All sizes are bytes.
///
/// ```
/// use std::time::Duration;
/// use sente_proto::Limits;
///
/// let limits = Limits { window: Duration::from_secs(600), ..Limits::default() };
/// assert_eq!(limits.handlers, 256);
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by struct update from the default"
)]
pub struct Limits {
    /// How long a session outlives the last received byte. Default 2 min. The server's counts.
    pub window: Duration,
    /// How many bytes of payload wait for acknowledgement, at most. Default 1 MiB.
    pub outbox_bytes: usize,
    /// How many items wait for acknowledgement, at most. Default 4,096.
    pub outbox_events: usize,
    /// The largest payload of one event. Default 256 KiB. The server's counts.
    pub max_message: usize,
    /// The size at which a frame is cut. Default 8 KiB: larger ones were measured to be no faster
    /// and leave grown buffers on idle sessions. [`MAX_FRAME`](crate::wire::MAX_FRAME) is the most.
    pub frame_size: usize,
    /// How many handlers run at once for one session, calls and events together. Default 256.
    pub handlers: u32,
    /// How many events and calls one session may send a second; more wait. Default 100,000.
    pub rate: u32,
    /// The longest that an acknowledgement waits for something to ride on. Default 20 ms.
    pub acknowledge_delay: Duration,
    /// A frame that is not full may wait this long for more. Default `None`: it goes at once.
    pub max_delay: Option<Duration>,
    /// A server pings a carrier that has been silent for this. Default 15 s.
    pub ping_after: Duration,
    /// A carrier that has been silent for this is dead. Default 30 s.
    pub silence: Duration,
    /// How long a hello may take, and how long an unconfirmed session lives. Default 10 s.
    pub handshake: Duration,
    /// The longest that a server holds a poll. Default 25 s.
    pub poll_hold: Duration,
    /// The deadline of a call whose contract gives none. Default 30 s.
    pub call_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(120),
            outbox_bytes: 1024 * 1024,
            outbox_events: 4096,
            max_message: 256 * 1024,
            frame_size: 8 * 1024,
            handlers: 256,
            rate: 100_000,
            acknowledge_delay: Duration::from_millis(20),
            max_delay: None,
            ping_after: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            poll_hold: Duration::from_secs(25),
            call_timeout: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The limits at the door through which bytes become frames.
    #[must_use]
    pub fn wire(&self) -> WireLimits {
        WireLimits {
            frame: MAX_FRAME,
            message: self.max_message,
        }
    }

    /// What a server tells its clients of them.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            max_message: u32::try_from(self.max_message).unwrap_or(u32::MAX),
            window: self.window,
            silence: self.silence,
            poll_hold: self.poll_hold,
        }
    }

    /// Takes over what the server says.
    pub fn adopt(&mut self, terms: &Terms) {
        self.max_message = terms.max_message as usize;
        self.window = terms.window;
        self.silence = terms.silence;
        self.poll_hold = terms.poll_hold;
    }
}
