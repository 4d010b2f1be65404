//! Events and calls that reach no handler.

use std::sync::Arc;

use crate::route::Direction;
use crate::send::{MaybeSend, MaybeSync};

/// An event or call that came in and reached no handler.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unhandled {
    /// Its name, for instance `chat/post`. `None` if it is of a namespace that this side does not know,
    /// where events have numbers only.
    pub event: Option<Arc<str>>,
    /// Why.
    pub cause: UnhandledCause,
    /// Whether the other side waits for an answer. It is told of the failure.
    pub is_call: bool,
    /// The size of its fields, encoded, in bytes.
    pub size: usize,
}

/// Why an event or call reached no handler.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum UnhandledCause {
    /// This side does not know it. A call fails with `Unsupported`.
    Unknown,
    /// This side knows it in another form, or the codec cannot carry it: one of both programs is older.
    /// A call fails with `Incompatible`.
    Form,
    /// This side speaks its namespace and serves nothing there that handles it. A call fails with
    /// `Unsupported`.
    NoHandler,
    /// Its fields cannot be decoded. A call fails.
    Malformed,
}

/// Is told of them.
pub(crate) trait Listen<D: Direction>: MaybeSend + MaybeSync {
    fn hear(&self, from: &D::From, event: Unhandled);
}

impl<D: Direction, F: Fn(&D::From, Unhandled) + MaybeSend + MaybeSync> Listen<D> for F {
    fn hear(&self, from: &D::From, event: Unhandled) {
        self(from, event);
    }
}
