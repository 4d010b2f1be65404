//! What is going to happen, in the order of time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use bytes::Bytes;
use sente_proto::Time;
use sente_proto::client::{ExchangeId, Response};

use super::program::Work;

/// Something that is going to happen.
pub(super) enum What {
    Client {
        client: usize,
        what: ForClient,
    },
    Server(ForServer),
    /// The next fault of that kind of the plan.
    Fault(usize),
    /// A WebSocket is cut.
    Cut(usize),
    /// A client wakes up.
    Wakes(usize),
    /// The server program comes back.
    Starts,
}

/// Something that happens to a client, unless it sleeps.
pub(super) enum ForClient {
    Opened {
        socket: usize,
    },
    Message {
        socket: usize,
        message: Bytes,
        /// When it was.
        sent: Time,
    },
    /// A proxy says something on a WebSocket.
    Nonsense {
        socket: usize,
    },
    Closed {
        socket: usize,
        error: bool,
    },
    Response {
        exchange: ExchangeId,
        response: Result<Response, String>,
        /// When it was.
        sent: Time,
    },
    Credentials,
    /// It shows its own credentials again.
    IsItself,
    /// Its program does something.
    Tick,
    Work(Work),
    Connect,
}

/// Something that happens to the server, unless it is down.
pub(super) enum ForServer {
    Message {
        socket: usize,
        message: Bytes,
    },
    Closed {
        socket: usize,
    },
    /// A WebSocket that has not said hello by now is closed.
    HelloIsDue {
        socket: usize,
    },
    Request {
        of: Asked,
        body: Bytes,
    },
    /// The client has dropped a request.
    Aborted {
        of: Asked,
    },
    /// The application knows who a client is that has shown itself anew.
    Authenticates {
        half: usize,
        token: Option<String>,
    },
    Tick {
        half: usize,
    },
    Work {
        half: usize,
        work: Work,
    },
    /// The session is closed since the server shuts down.
    Drain {
        half: usize,
    },
}

/// A request, by its client and its number there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Asked {
    pub(super) client: usize,
    /// `None` for that of a duplicate, which never hears of it.
    pub(super) exchange: Option<ExchangeId>,
}

#[derive(Default)]
pub(super) struct Queue {
    entries: BinaryHeap<Reverse<Entry>>,
    next: u64,
}

struct Entry {
    at: Time,
    /// What was put in first comes out first.
    order: u64,
    what: What,
}

impl Queue {
    pub(super) fn at(&mut self, at: Time, what: What) {
        self.next += 1;
        let order = self.next;
        self.entries.push(Reverse(Entry { at, order, what }));
    }

    pub(super) fn next_at(&self) -> Option<Time> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    pub(super) fn pop(&mut self) -> Option<What> {
        self.entries.pop().map(|Reverse(entry)| entry.what)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Entry {}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
