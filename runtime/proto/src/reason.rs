//! Why things end: carriers, sessions, handshakes.

use std::time::Duration;

/// Why a session is a fresh one and not the last one resumed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FreshReason {
    /// It is the first.
    First,
    /// The server program was started anew, and with it all sessions are gone.
    Restarted,
    /// The server does not know the last session: the window had passed.
    Expired,
    /// More waited for this client than the server keeps for one session.
    Overflow,
    /// The identity is another than that of the last session.
    UserChanged,
    /// Another client resumed the last session (a duplicated tab).
    Replaced,
    /// The program had ended the last session.
    Requested,
    /// The server was shutting down.
    Shutdown,
    /// The server ended the last session because this client broke the protocol.
    Violation,
}

/// The end of a carrier or of a session, as told to the other side.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Close {
    /// Why.
    pub reason: CloseReason,
    /// For people and logs.
    pub message: String,
    /// Not to come back earlier than after this.
    pub retry_after: Option<Duration>,
    /// With [`CloseReason::Replaced`]: the epoch that took over. Otherwise 0.
    pub epoch: u64,
}

impl Close {
    /// A close for `reason` with its usual message.
    #[must_use]
    pub fn new(reason: CloseReason) -> Self {
        Self {
            reason,
            message: reason.describe().to_owned(),
            retry_after: None,
            epoch: 0,
        }
    }
}

/// Why a carrier or a session ends.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The other program is done with the session.
    Goodbye,
    /// A newer carrier serves the session; the session goes on.
    Replaced,
    /// The server shuts down.
    Shutdown,
    /// More waited for this client than the server keeps for one session.
    Overflow,
    /// The application ended the session; the client does not come back by itself.
    Kicked,
    /// The server does not know this session, or its secret is another.
    UnknownSession,
    /// The identity of the client changed.
    UserChanged,
    /// Bytes that are no frame.
    Malformed,
    /// A frame or an event larger than allowed.
    TooLarge,
    /// A frame that may not come here: a second hello, data before the hello, a server's frame.
    Unexpected,
    /// Items beyond a gap: something was sent that never arrived.
    Gap,
    /// More events or calls than the credit allows.
    CreditExceeded,
    /// An acknowledgement of items that were never sent.
    AcknowledgedUnsent,
    /// A reply to a call that was never made.
    UnknownCall,
    /// No hello in time.
    HandshakeTimeout,
    /// Nothing was received for too long.
    Silent,
    /// The identity that the client has shown is no longer good. Its session waits for it to show
    /// another proof.
    IdentityExpired,
    /// The session was made by another server, or by this one before it was started anew.
    WrongServer,
}

impl CloseReason {
    /// Whether the other side broke the protocol.
    #[must_use]
    pub const fn is_violation(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::TooLarge
                | Self::Unexpected
                | Self::Gap
                | Self::CreditExceeded
                | Self::AcknowledgedUnsent
                | Self::UnknownCall
        )
    }

    /// What a client that wants its session back is told of why it ended.
    #[must_use]
    pub const fn fresh_reason(self) -> FreshReason {
        match self {
            Self::Goodbye | Self::Kicked => FreshReason::Requested,
            Self::Overflow => FreshReason::Overflow,
            Self::Shutdown => FreshReason::Shutdown,
            Self::UserChanged => FreshReason::UserChanged,
            Self::Replaced => FreshReason::Replaced,
            reason if reason.is_violation() => FreshReason::Violation,
            _ => FreshReason::Expired,
        }
    }

    /// The reason as a sentence.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Goodbye => "the other program is done with the session",
            Self::Replaced => "a newer connection serves the session",
            Self::Shutdown => "the server shuts down",
            Self::Overflow => "more waited for this client than the server keeps for one session",
            Self::Kicked => "the application ended the session",
            Self::UnknownSession => "the server does not know this session",
            Self::UserChanged => "the identity of the client changed",
            Self::Malformed => "the bytes are no frame",
            Self::TooLarge => "a frame or an event is larger than allowed",
            Self::Unexpected => "a frame came where it may not",
            Self::Gap => "items are missing before those that came",
            Self::CreditExceeded => "more events came than the credit allows",
            Self::AcknowledgedUnsent => "items were acknowledged that were never sent",
            Self::UnknownCall => "a reply came to a call that was never made",
            Self::HandshakeTimeout => "no hello came in time",
            Self::Silent => "nothing was received for too long",
            Self::IdentityExpired => "the identity that the client has shown is no longer good",
            Self::WrongServer => {
                "another server has the session, or this one had it before it was started anew; \
                 where several servers have one address, polling needs sticky routing"
            }
        }
    }
}

/// The refusal of a hello. The client does not try again by itself unless `retry_after` says when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The HTTP status that says the same: 401, 403, 426, 503 and so on.
    pub status: u16,
    /// Why.
    pub reason: RefusedReason,
    /// For people: what to do.
    pub message: String,
    /// Not to come back earlier than after this; without it, not by itself.
    pub retry_after: Option<Duration>,
    /// With [`RefusedReason::Codec`]: the codecs that the server has.
    pub codecs: Vec<String>,
}

/// Why a hello is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RefusedReason {
    /// The application does not know who this is.
    Unauthorized,
    /// The application does not want this client.
    Forbidden,
    /// The page comes from an origin that may not connect.
    Origin,
    /// The token against cross-site request forgery is missing or wrong.
    Csrf,
    /// The server does not speak this wire version.
    Version,
    /// The server does not have this codec.
    Codec,
    /// The server has as many sessions as it may have.
    Full,
    /// The server is shutting down.
    Shutdown,
    /// The hello makes no sense.
    Malformed,
}
