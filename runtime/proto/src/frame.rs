//! Frames: what travels on a carrier, as typed values. `wire` turns them into bytes and back.

use std::time::Duration;

use bytes::Bytes;

use crate::contract::Table;
use crate::reason::{Close, Refused};
use crate::{FreshReason, ResumeSecret, Secret, SessionId};

/// The version of the wire format that this crate speaks.
pub const VERSION: u16 = 1;

/// The most polls that one client awaits at a time.
pub const POLLS: u8 = 3;

/// A held poll that has a newer one behind it is given back after so long: the client may have use for
/// its connection, and has the newer one.
pub(crate) const SPARE: Duration = Duration::from_secs(2);

/// One frame. A WebSocket message is one frame; the body of a poll holds several.
pub enum Frame {
    /// Client to server: opens or resumes a session. The first frame on every carrier.
    Hello(Box<Hello>),
    /// Server to client: the answer to a hello.
    Welcome(Box<Welcome>),
    /// Server to client: the other answer to a hello.
    Refused(Box<Refused>),
    /// Client to server, after a welcome that asked for them: the tables of its namespaces.
    Tables(Vec<Table>),
    /// Client to server: the head of every request of a poll carrier after its hello.
    Request(Request),
    /// Client to server: who it is, anew.
    Authenticate(Authenticate),
    /// Server to client: the identity that it has shown is good for only so long. Milliseconds on the
    /// wire.
    Expires(Duration),
    /// Either way: asks the other side for a [`Pong`](Self::Pong) of the same number at once, and for
    /// an acknowledgement.
    Ping(u64),
    /// Either way: the answer to the newest ping.
    Pong(u64),
    /// Either way: acknowledgement and numbered items.
    Data(Data),
    /// Either way: this carrier, or the whole session, ends.
    Close(Box<Close>),
}

/// The first frame of a client.
pub struct Hello {
    /// The wire version, [`VERSION`].
    pub version: u16,
    /// The name of the codec of all payloads, for instance `bincode`.
    pub codec: String,
    /// Made once for each fresh session that the client may come to want.
    pub attempt: u128,
    /// Grows with every attachment of this client.
    pub epoch: u64,
    /// The namespaces that the client speaks, in the order of its numbers.
    pub namespaces: Vec<Offer>,
    /// A token for `authenticate`.
    pub token: Option<Secret<String>>,
    /// The token against cross-site request forgery, where the application has one.
    pub csrf: Option<Secret<String>>,
    /// A name that the client gives to its device.
    pub device: Option<String>,
    /// The session to go on with, if any.
    pub resume: Option<Resume>,
}

/// A namespace in a hello: enough to see whether both sides agree.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Offer {
    /// The namespace's name.
    pub name: String,
    /// The digest of its table.
    pub digest: u128,
    /// How many numbers it takes.
    pub events: u32,
}

/// What a client shows to go on with a session.
pub struct Resume {
    /// The session.
    pub session: SessionId,
    /// Its secret.
    pub secret: ResumeSecret,
    /// What the client has received and how far the server may go.
    pub acknowledge: Acknowledge,
}

/// The server's answer to a hello.
pub struct Welcome {
    /// The session, new or resumed.
    pub session: SessionId,
    /// The secret that resumes it.
    pub secret: ResumeSecret,
    /// The epoch of the hello that this answers.
    pub epoch: u64,
    /// Differs between two runs of a server program, so that a client can tell a restart.
    pub server: u64,
    /// Why the session is a fresh one; `None` if it was resumed.
    pub fresh: Option<FreshReason>,
    /// Who the server takes the client for.
    pub user: Option<String>,
    /// What the server has received and how far the client may go.
    pub acknowledge: Acknowledge,
    /// The times and sizes that the client keeps to.
    pub terms: Terms,
    /// The server's namespaces, in the order of its numbers.
    pub namespaces: Vec<Answer>,
    /// Handshake data: the name of a namespace and its value, encoded by the codec.
    pub handshake: Vec<(String, Bytes)>,
}

/// A server's namespace in a welcome.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The namespace's name.
    pub name: String,
    /// How many numbers it takes.
    pub events: u32,
    /// The server's table, where the client's digest differs. It asks the client for its own.
    pub table: Option<Table>,
}

/// Times and sizes that the server sets and the client keeps to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Terms {
    /// The largest payload of one event, in bytes.
    pub max_message: u32,
    /// The session outlives the last received byte by this. Milliseconds on the wire.
    pub window: Duration,
    /// A carrier that has been silent for this is dead. Milliseconds on the wire.
    pub silence: Duration,
    /// The longest that the server holds a poll. Milliseconds on the wire.
    pub poll_hold: Duration,
}

/// The head of a request of the poll carrier.
pub struct Request {
    /// The session.
    pub session: SessionId,
    /// Its secret.
    pub secret: ResumeSecret,
    /// What [`Welcome::server`] said: another server can tell that it has not lost the session.
    pub server: u64,
    /// The epoch of the hello that opened this carrier.
    pub epoch: u64,
    /// Grows by one with each request of its kind on this carrier, from 1.
    pub number: u64,
    /// Whether the server holds it until something waits (a poll) or answers at once (a send).
    pub hold: bool,
    /// How many of the polls before this one the client still awaits; less than [`POLLS`]. 0 of a
    /// send.
    pub beside: u8,
    /// Of a poll with none beside it: whether the server answers at once with what waits, rather
    /// than hold it.
    pub brief: bool,
}

/// Fresh credentials of a client, in the middle of its session.
pub struct Authenticate {
    /// A token for `authenticate`.
    pub token: Option<Secret<String>>,
    /// The token against cross-site request forgery, where the application has one.
    pub csrf: Option<Secret<String>>,
}

impl std::fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticate").finish_non_exhaustive()
    }
}

/// Acknowledgement and numbered items, either way.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Data {
    /// What this side has received, where it has changed.
    pub acknowledge: Option<Acknowledge>,
    /// The number of the first item; the others follow. Meaningless without items.
    pub first: u64,
    /// The items, in order. A [`Item::Skip`] takes as many numbers as it counts.
    pub items: Vec<Item>,
}

/// What a side has received, and how far the other may go.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Acknowledge {
    /// All items up to this number have been received. Numbers begin at 1.
    pub received: u64,
    /// How many events and calls the other side may have sent since the session began.
    pub credit: u64,
}

/// One numbered item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Item {
    /// An event that wants no reply.
    Event {
        /// The sender's number of the event.
        event: u32,
        /// Its fields, encoded.
        payload: Bytes,
    },
    /// An event that wants a reply. The item's number is the call's name.
    Call {
        /// The sender's number of the event.
        event: u32,
        /// How long the caller will still wait. Milliseconds on the wire.
        remaining: Duration,
        /// Its fields, encoded.
        payload: Bytes,
    },
    /// The end of a call that the other side made.
    Reply {
        /// The number of the call.
        call: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// The caller no longer wants this call.
    Cancel {
        /// The number of the call.
        call: u64,
    },
    /// Numbers whose items will not come: volatile, superseded or expired, lost on an older carrier.
    Skip {
        /// How many numbers.
        count: u64,
    },
}

/// How a call ended, as the callee says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The handler's reply, encoded.
    Reply(Bytes),
    /// The handler's error, encoded.
    Rejected(Bytes),
    /// The handler did not run, or did not finish.
    Failed(Failure),
}

/// Why a call has neither reply nor error.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Failure {
    /// The callee does not know the event, or nobody there handles it. The handler did not run.
    Unsupported,
    /// Both know the event, but not in the same form. The handler did not run.
    Incompatible,
    /// The fields could not be decoded. The handler did not run.
    Malformed,
    /// The handler panicked, or its reply could not be encoded.
    Internal,
    /// The handler's reply is larger than a message may be.
    TooLarge,
}
