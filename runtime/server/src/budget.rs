//! How much may wait in all outboxes together.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sente_proto::{Close, CloseReason};

use crate::hub::Hub;

/// Counts the memory that all outboxes take, in bytes.
pub(crate) struct Budget {
    max: usize,
    bytes: AtomicUsize,
    /// One at a time makes room.
    relief: Mutex<()>,
}

impl Budget {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            bytes: AtomicUsize::new(0),
            relief: Mutex::new(()),
        }
    }
}

/// The part of one session, as whoever keeps its time last saw it.
pub(crate) struct Share {
    hub: Arc<Hub>,
    bytes: usize,
}

impl Share {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, bytes: 0 }
    }

    /// So much waits now. If that is too much in all, sessions end: see [`relieve`].
    pub(crate) fn set(&mut self, bytes: usize) {
        if bytes == self.bytes {
            return;
        }
        let budget = &self.hub.budget;
        if bytes < self.bytes {
            budget
                .bytes
                .fetch_sub(self.bytes - bytes, Ordering::Relaxed);
            self.bytes = bytes;
            return;
        }
        let more = bytes - self.bytes;
        self.bytes = bytes;
        if budget.bytes.fetch_add(more, Ordering::Relaxed) + more > budget.max {
            relieve(&self.hub);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Ends the sessions for which most waits until less than may waits in all: first those whose
/// clients are away.
fn relieve(hub: &Hub) {
    let Ok(_alone) = hub.budget.relief.try_lock() else {
        return;
    };
    let clients: Vec<_> = {
        let sessions = hub.sessions();
        sessions
            .iter()
            .map(|(_, client)| Arc::clone(client))
            .collect()
    };
    let mut loads: Vec<_> = clients
        .iter()
        .map(|client| {
            let (bytes, is_attached) = client
                .port
                .with(|_, session| (session.queued_memory(), session.is_attached()));
            (is_attached, Reverse(bytes), client)
        })
        .collect();
    loads.sort_unstable_by_key(|(is_attached, bytes, client)| (*is_attached, *bytes, client.id));
    let mut waiting: usize = loads.iter().map(|(_, Reverse(bytes), _)| bytes).sum();
    for (_, Reverse(bytes), client) in loads {
        if waiting <= hub.budget.max {
            return;
        }
        tracing::warn!(session = %client.id, bytes, "too much waits in all outboxes together; a session ends");
        hub.end(client, &Close::new(CloseReason::Overflow));
        waiting -= bytes;
    }
}
