//! What moves the frames of a session.

/// A carrier: what moves the frames of a session, on either side.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Carrier {
    /// A WebSocket.
    WebSocket,
    /// Long polling.
    Poll,
}
