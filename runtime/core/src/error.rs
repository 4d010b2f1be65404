//! What can go wrong with a send and with a call.

use std::convert::Infallible;
use std::fmt;

use sente_proto::codec::{DecodeError, EncodeError};
use sente_proto::frame::Failure;

/// Why an event was not accepted for sending. Nothing was sent.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// As much waits to be sent as may wait. Send again later, or slow down.
    #[error("the outbox is full: send again later, or slow down")]
    Full,
    /// The event is larger than a message may be. Split it, or raise `max_message` on the server.
    #[error("the event takes {size} bytes, {limit} are allowed: split it, or raise `max_message`")]
    TooLarge {
        /// The size of the encoded event, in bytes.
        size: usize,
        /// The largest that is allowed, in bytes.
        limit: usize,
    },
    /// The other side knows the event in another form, and one of both programs has to be renewed;
    /// or its types need a codec that writes names, and this one writes none.
    #[error(
        "`{event}` has another form on the other side: renew the older of both programs; or it needs \
         a codec that writes names, as `json` and `msgpack` do"
    )]
    Incompatible {
        /// The event, for instance `chat/post`.
        event: &'static str,
    },
    /// The other side does not know the event, or this side has not been told to speak its
    /// namespace.
    #[error(
        "`{event}` is not known to the other side, or its namespace was not given to the builder"
    )]
    Unsupported {
        /// The event, for instance `chat/post`.
        event: &'static str,
    },
    /// The event is a value, and the contract has it in the other direction only: from the server
    /// where a client sends it, or from clients where the server does. Send it from there, or give
    /// it this direction in the contract too.
    #[error(
        "`{event}` goes in the other direction only: see `#[to_server]` and `#[to_client]` on it"
    )]
    WrongDirection {
        /// The event, for instance `chat/posted`.
        event: &'static str,
    },
    /// The session has ended and will not come back.
    #[error("the session has ended")]
    Ended,
    /// The client has not finished its handshake. Send when it has joined, or say it in the handshake
    /// data.
    #[error("the client has not finished its handshake: send when it has joined")]
    Unconfirmed,
    /// The codec cannot encode the value. Use another codec or another type.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Why a call brought back no reply.
///
/// [`maybe_executed`](Self::maybe_executed) tells whether the handler may have run: only then is
/// it unsafe to simply call again.
///
/// With no `error` in the contract, `E` is [`Infallible`] and `Rejected` may be left out of a
/// `match` by value:
///
/// ```
/// use sente::CallError;
///
/// fn advice(error: CallError) -> &'static str {
///     match error {
///         CallError::TimedOut { maybe_executed: false } => "it never left: call again",
///         _ => "look before calling again",
///     }
/// }
/// # assert_eq!(advice(CallError::TimedOut { maybe_executed: false }), "it never left: call again");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CallError<E = Infallible> {
    /// The handler ran and said no.
    Rejected(E),
    /// No answer came within the deadline.
    TimedOut {
        /// Whether the call had been put on a carrier.
        maybe_executed: bool,
    },
    /// The session ended, or was never there.
    Disconnected {
        /// Whether the call had been put on a carrier.
        maybe_executed: bool,
    },
    /// The other side does not know the event, or nobody there handles it. It did not run.
    Unsupported,
    /// The other side knows the event in another form, or the codec cannot carry its types. It did
    /// not run.
    Incompatible,
    /// The handler panicked, or its answer could not be sent or understood. It may have done all or part
    /// of its work.
    Internal,
    /// As much waits to be sent as may wait, and no room came within the deadline. It did not run.
    Full,
    /// The call is larger than a message may be. It did not run.
    TooLarge,
    /// The codec cannot encode the call. It did not run. Use another codec or another type.
    Encode,
}

impl<E> CallError<E> {
    /// Whether the handler may have run, or a part of it, and nobody here knows what came of it.
    #[must_use]
    pub const fn maybe_executed(&self) -> bool {
        matches!(
            self,
            Self::TimedOut {
                maybe_executed: true
            } | Self::Disconnected {
                maybe_executed: true
            } | Self::Internal
        )
    }

    pub(crate) fn from_send(error: &SendError) -> Self {
        match error {
            SendError::Full => Self::Full,
            SendError::TooLarge { .. } => Self::TooLarge,
            SendError::Incompatible { .. } => Self::Incompatible,
            SendError::Unsupported { .. } | SendError::WrongDirection { .. } => Self::Unsupported,
            SendError::Ended | SendError::Unconfirmed => Self::Disconnected {
                maybe_executed: false,
            },
            SendError::Encode(_) => Self::Encode,
        }
    }

    pub(crate) const fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Unsupported => Self::Unsupported,
            Failure::Incompatible | Failure::Malformed => Self::Incompatible,
            Failure::Internal | Failure::TooLarge => Self::Internal,
        }
    }
}

// Every error type has `Debug`; few contracts give theirs `Display`, and none should have to.
impl<E: fmt::Debug> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(error) => write!(f, "the handler refused: {error:?}"),
            Self::TimedOut {
                maybe_executed: true,
            } => f.write_str("no answer within the deadline; the handler may have run"),
            Self::TimedOut {
                maybe_executed: false,
            } => f.write_str("the call could not be sent within its deadline"),
            Self::Disconnected {
                maybe_executed: true,
            } => f.write_str("the session ended before an answer came; the handler may have run"),
            Self::Disconnected {
                maybe_executed: false,
            } => f.write_str("the session ended before the call was sent"),
            Self::Unsupported => f.write_str("the other side does not handle this call"),
            Self::Incompatible => f.write_str(
                "the other side has another form of this call: renew the older of both programs; or it \
                 needs a codec that writes names, as `json` and `msgpack` do",
            ),
            Self::Internal => {
                f.write_str("the handler failed, or its answer did; it may have done its work")
            }
            Self::Full => f.write_str("too much waited to be sent"),
            Self::TooLarge => f.write_str("the call is larger than a message may be"),
            Self::Encode => f.write_str("the codec cannot encode the call"),
        }
    }
}

impl<E: fmt::Debug> std::error::Error for CallError<E> {}

/// Why an incoming event reached no handler.
#[derive(Debug)]
pub enum RouteError {
    /// This side has no handler for it.
    Unsupported,
    /// Its fields could not be decoded.
    Malformed(DecodeError),
}

impl From<DecodeError> for RouteError {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl RouteError {
    pub(crate) const fn failure(&self) -> Failure {
        match self {
            Self::Unsupported => Failure::Unsupported,
            Self::Malformed(_) => Failure::Malformed,
        }
    }
}
