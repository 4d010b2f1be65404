//! What simulated payloads hold: who sent them, and as the how-manieth.

use std::fmt;

use bytes::Bytes;

/// Names one event or call among all of a run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Tag {
    /// The end of the session that sent it.
    pub(crate) half: usize,
    /// Its place among all that this end has sent.
    pub(crate) place: usize,
}

impl Tag {
    /// A payload of about `size` bytes. It is JSON, so that every codec can carry it.
    pub(crate) fn payload(self, size: usize) -> Bytes {
        let mut text = format!("[{},{},\"", self.half, self.place);
        let padding = size.saturating_sub(text.len() + 2);
        text.extend(std::iter::repeat_n('x', padding));
        text.push_str("\"]");
        Bytes::from(text)
    }

    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        let mut parts = text.strip_prefix('[')?.strip_suffix("\"]")?.split(',');
        let half = parts.next()?.parse().ok()?;
        let place = parts.next()?.parse().ok()?;
        Some(Self { half, place })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.half, self.place)
    }
}
