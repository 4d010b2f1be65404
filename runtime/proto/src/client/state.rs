//! What a client knows of itself, for people to watch.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::contract::Skew;
use crate::session::Unconfirmed;
use crate::{Carrier, CloseReason, FreshReason, Refused, SessionId, Time};

/// The state of a client.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// The carrier that serves the session now.
    pub carrier: Option<Carrier>,
    /// Whether one does.
    pub open: bool,
    /// Whether one ever did.
    pub ever_opened: bool,
    /// Whether this is the first time that one does.
    pub first_open: bool,
    /// Who the server takes this client for.
    pub user: Option<String>,
    /// The token against cross-site request forgery that was last sent. Only whether there is one.
    pub has_csrf_token: bool,
    /// The present session; `None` before the first and between two.
    pub session_id: Option<SessionId>,
    /// How the present session came about; `None` before the first handshake.
    pub session: Option<SessionState>,
    /// What the server said at the handshake: the name of a namespace and its value, encoded.
    pub handshake: Vec<(String, Bytes)>,
    /// What last went wrong with a WebSocket.
    pub last_ws_error: Option<String>,
    /// What last went wrong with a request of polling.
    pub last_poll_error: Option<String>,
    /// How a WebSocket was last closed.
    pub last_ws_close: Option<SocketClosed>,
    /// How a connection last ended.
    pub last_close: Option<LastClose>,
    /// When the next try is due.
    pub next_reconnect_at: Option<Time>,
    /// When the identity that this client has shown expires, once the server has warned of that;
    /// `None` while no carrier serves the session.
    pub identity_expires_at: Option<Time>,
    /// The server's refusal; this client does not come back by itself.
    pub refused: Option<Refused>,
    /// How long the last handshake took.
    pub round_trip: Option<Duration>,
    /// What one side may send and the other cannot take.
    pub skew: Arc<[Skew]>,
}

/// How a session came about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionState {
    /// It is new.
    Fresh {
        /// Why.
        reason: FreshReason,
    },
    /// It goes on; nothing was lost.
    Resumed,
}

/// How a WebSocket ended.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by drivers")]
pub struct SocketClosed {
    /// Whether both sides said goodbye.
    pub clean: bool,
    /// The code of the close frame.
    pub code: Option<u16>,
    /// The reason in the close frame.
    pub reason: String,
    /// What went wrong, if anything did.
    pub error: Option<String>,
}

/// How a connection ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LastClose {
    /// Why.
    pub reason: ConnectionEnd,
    /// When.
    pub at: Time,
}

/// Why a connection ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConnectionEnd {
    /// The program asked for it: `disconnect`.
    Disconnect,
    /// The program asked for a new one: `reconnect`.
    Reconnect,
    /// The program broke it: `break_connection`.
    Broken,
    /// The network lost it.
    Lost,
    /// Nothing was received for too long.
    Silent,
    /// The server did not let this client in; [`State::refused`] says why.
    Refused,
    /// The server ended it.
    Server(CloseReason),
}

/// What happened to a client.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The state is another.
    Changed(Box<StateChange>),
    /// The last session has ended for good, and a fresh one takes its place.
    SessionEnded {
        /// Why.
        reason: FreshReason,
        /// What the server has not confirmed.
        unconfirmed: Unconfirmed,
    },
    /// Events were accepted before the first welcome of their session, which says that the server
    /// does not take them. They are not sent.
    NotTaken(Unconfirmed),
}

/// One change of state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StateChange {
    /// The state before.
    pub old: State,
    /// The state after.
    pub new: State,
}
