//! What of two contracts does not fit, for people.

use std::fmt;
use std::sync::Arc;

/// So much is listed: a hostile peer must not fill the memory with names.
pub(super) const MOST_NAMES: usize = 256;
const LONGEST_NAME: usize = 128;

/// Something that one side may send and the other cannot take: one of both programs is older, or the
/// codec is not for it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Skew {
    /// An event, for instance `chat/post`; or a namespace, `chat`, for its handshake data.
    pub name: Arc<str>,
    /// Why.
    pub cause: SkewCause,
}

/// Why something does not fit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SkewCause {
    /// The other side sends it, and this side does not know it.
    UnknownHere,
    /// This side sends it, and the other side does not know it.
    UnknownThere,
    /// Both know it, in different forms.
    Form,
    /// Its types need a codec that writes names, and the session's writes none.
    Codec,
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match self.cause {
            SkewCause::UnknownHere => "not known here",
            SkewCause::UnknownThere => "not known there",
            SkewCause::Form => "another form",
            SkewCause::Codec => "not by this codec",
        };
        write!(f, "{} ({cause})", self.name)
    }
}

/// Collects what does not fit, each name once, by name.
#[derive(Default)]
pub(super) struct List(Vec<Skew>);

/// A name as it is kept: of one that is too long for anybody to read, the beginning.
pub(super) fn kept(name: &str) -> Arc<str> {
    name[..name.floor_char_boundary(LONGEST_NAME)].into()
}

impl List {
    pub(super) fn add(&mut self, name: &str, cause: SkewCause) {
        let place = self.0.partition_point(|skew| *skew.name < *name);
        let is_listed = self.0.get(place).is_some_and(|skew| *skew.name == *name);
        if self.0.len() < MOST_NAMES && !is_listed {
            let name = kept(name);
            self.0.insert(place, Skew { name, cause });
        }
    }

    pub(super) fn finish(self) -> Arc<[Skew]> {
        self.0.into()
    }
}
