//! What a client knows of its connection, for people to watch.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_core::Stream;
use sente::{SessionId, Skew};
use sente_proto::Carrier;
use sente_proto::Refused;
use sente_proto::client::{self as machine, ConnectionEnd, SessionState, SocketClosed};
use slab::Slab;

use crate::error::{NotReady, SetupError};

/// The state of a client at one moment.
///
/// ```no_run
/// # fn example(client: &sente_client::Client) {
/// let state = client.state();
/// match (state.carrier, state.next_reconnect_at) {
///     (Some(carrier), _) => println!("connected by {carrier:?} as {:?}", state.user),
///     (None, Some(when)) => println!("trying again at {when:?}"),
///     (None, None) => println!("not connected: {:?}", state.refused),
/// }
/// # }
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// The carrier that serves the session now; `None` while there is none.
    pub carrier: Option<Carrier>,
    /// Whether there is a connection: events flow.
    pub open: bool,
    /// Whether there ever was one.
    pub ever_opened: bool,
    /// Whether this connection is the first of this client.
    pub first_open: bool,
    /// Who the server takes this client for; `None` for an anonymous one.
    pub user: Option<String>,
    /// Whether a token against cross-site request forgery was shown last time.
    pub has_csrf_token: bool,
    /// The public name of the present session; `None` before the first, and when one has ended.
    pub session_id: Option<SessionId>,
    /// Whether the present session is a new one, and why, or goes on; `None` before the first
    /// handshake.
    pub session: Option<SessionState>,
    /// What last went wrong with a WebSocket, and what to do about it.
    pub last_ws_error: Option<String>,
    /// What last went wrong with a request of long polling.
    pub last_poll_error: Option<String>,
    /// How a WebSocket was last closed.
    pub last_ws_close: Option<SocketClosed>,
    /// How a connection last ended, and when.
    pub last_close: Option<LastClose>,
    /// When the next try to connect is due.
    pub next_reconnect_at: Option<SystemTime>,
    /// When the identity that this client has shown expires, once the server has warned of that and
    /// until another one is shown or the connection ends. See [`Client::reauthenticate`](crate::Client::reauthenticate).
    pub identity_expires_at: Option<SystemTime>,
    /// Why the server does not want this client. It does not come back by itself, unless
    /// `next_reconnect_at` says when.
    pub refused: Option<Refused>,
    /// How long the last handshake took.
    pub round_trip: Option<Duration>,
    /// What one side may send and the other cannot take, since one of both programs is older: events
    /// whose forms differ, or that one side does not know, and handshake data. The names are for
    /// people, and for asking whether there are any.
    pub skew: Arc<[Skew]>,
    /// The program has disconnected the client, and it stays away until it is told to reconnect.
    pub disconnected: bool,
    /// The client has come to its end and does nothing any more.
    pub ended: bool,
    /// What the builder was told that cannot be; the client never connects then.
    pub setup_error: Option<SetupError>,
    /// Handshake data: the name of a namespace and its value, encoded. Not to be printed.
    pub(crate) handshake: Vec<(String, Bytes)>,
}

/// How a connection ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LastClose {
    /// Why.
    pub reason: ConnectionEnd,
    /// When.
    pub at: SystemTime,
}

/// One change of a client's state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StateChange {
    /// The state before.
    pub old: Arc<State>,
    /// The state after.
    pub new: Arc<State>,
}

impl State {
    /// The machine's state, and whether the program wants to be disconnected.
    pub(crate) fn of(state: machine::State, disconnected: bool) -> Self {
        Self {
            carrier: state.carrier,
            open: state.open,
            ever_opened: state.ever_opened,
            first_open: state.first_open,
            user: state.user,
            has_csrf_token: state.has_csrf_token,
            session_id: state.session_id,
            session: state.session,
            last_ws_error: state.last_ws_error,
            last_poll_error: state.last_poll_error,
            last_ws_close: state.last_ws_close,
            last_close: state.last_close.map(|close| LastClose {
                reason: close.reason,
                at: close.at.into(),
            }),
            next_reconnect_at: state.next_reconnect_at.map(SystemTime::from),
            identity_expires_at: state.identity_expires_at.map(SystemTime::from),
            refused: state.refused,
            round_trip: state.round_trip,
            skew: state.skew,
            disconnected,
            ended: false,
            setup_error: None,
            handshake: state.handshake,
        }
    }

    /// Whether the client is ready, or why it will not be; `None` while it may become so.
    pub(crate) fn readiness(&self) -> Option<Result<(), NotReady>> {
        if self.open {
            return Some(Ok(()));
        }
        if let Some(error) = &self.setup_error {
            return Some(Err(error.clone().into()));
        }
        if let (Some(refused), None) = (&self.refused, self.next_reconnect_at) {
            return Some(Err(refused.into()));
        }
        if self.ended {
            return Some(Err(NotReady::Ended));
        }
        self.disconnected.then_some(Err(NotReady::Disconnected))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("carrier", &self.carrier)
            .field("open", &self.open)
            .field("ever_opened", &self.ever_opened)
            .field("first_open", &self.first_open)
            .field("user", &self.user)
            .field("has_csrf_token", &self.has_csrf_token)
            .field("session_id", &self.session_id)
            .field("session", &self.session)
            .field("last_ws_error", &self.last_ws_error)
            .field("last_poll_error", &self.last_poll_error)
            .field("last_ws_close", &self.last_ws_close)
            .field("last_close", &self.last_close)
            .field("next_reconnect_at", &self.next_reconnect_at)
            .field("identity_expires_at", &self.identity_expires_at)
            .field("refused", &self.refused)
            .field("round_trip", &self.round_trip)
            .field("skew", &self.skew)
            .field("disconnected", &self.disconnected)
            .field("ended", &self.ended)
            .field("setup_error", &self.setup_error)
            .finish_non_exhaustive()
    }
}

/// So many changes may wait for one watcher. Beyond that the newest two become one.
const MOST: usize = 1024;

/// The state of a client and all that watch it.
#[derive(Debug, Default)]
pub(crate) struct Board {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Arc<State>,
    watchers: Slab<Watcher>,
}

#[derive(Debug, Default)]
struct Watcher {
    changes: VecDeque<StateChange>,
    waker: Option<Waker>,
}

impl Board {
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.lock().state)
    }

    /// Shows another state. Without effect if the client has ended.
    pub(crate) fn show(&self, state: State) {
        let mut wakers = Vec::new();
        {
            let mut inner = self.lock();
            if inner.state.ended {
                return;
            }
            let new = Arc::new(state);
            let old = std::mem::replace(&mut inner.state, Arc::clone(&new));
            for (_, watcher) in &mut inner.watchers {
                let mut change = StateChange {
                    old: Arc::clone(&old),
                    new: Arc::clone(&new),
                };
                if watcher.changes.len() == MOST
                    && let Some(last) = watcher.changes.pop_back()
                {
                    change.old = last.old;
                }
                watcher.changes.push_back(change);
                wakers.extend(watcher.waker.take());
            }
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn watch(self: &Arc<Self>) -> StateChanges {
        let key = self.lock().watchers.insert(Watcher::default());
        StateChanges {
            board: Arc::clone(self),
            key,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All changes of a client's state since it was asked for, in order and none skipped.
///
/// [`Client::states`](crate::Client::states) makes it, or
/// [`ClientBuilder::states`](crate::ClientBuilder::states) before the first change can come. It
/// ends when the client does. Of a reader that is more than 1,024 changes behind, the newest are
/// joined into one.
#[derive(Debug)]
pub struct StateChanges {
    board: Arc<Board>,
    key: usize,
}

impl Stream for StateChanges {
    type Item = StateChange;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<StateChange>> {
        let mut inner = self.board.lock();
        let ended = inner.state.ended;
        let Some(watcher) = inner.watchers.get_mut(self.key) else {
            return Poll::Ready(None);
        };
        if let Some(change) = watcher.changes.pop_front() {
            return Poll::Ready(Some(change));
        }
        if ended {
            return Poll::Ready(None);
        }
        watcher.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for StateChanges {
    fn drop(&mut self) {
        self.board.lock().watchers.try_remove(self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    #[test]
    fn each_watcher_sees_each_change_and_one_that_sleeps_does_not_fill_memory() {
        let board = Arc::new(Board::default());
        let mut changes = board.watch();
        for user in 0..MOST + 10 {
            board.show(State {
                user: Some(user.to_string()),
                ..State::default()
            });
        }
        board.show(State {
            ended: true,
            ..State::default()
        });
        let mut before = Arc::new(State::default());
        let mut count = 0;
        while let Some(Some(change)) = changes.next().now_or_never() {
            assert_eq!(change.old, before);
            before = change.new;
            count += 1;
        }
        assert_eq!(count, MOST);
        assert!(before.ended);
        assert_eq!(
            changes.next().now_or_never().map(|end| end.is_none()),
            Some(true)
        );
    }
}
