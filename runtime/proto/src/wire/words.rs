//! Reasons as one byte and as one word.
//!
//! A newer peer may give reasons that this side does not know. Such a reason is read as the known one
//! that leads to the most careful behaviour, so that it never makes a frame unreadable.

use crate::frame::Failure;
use crate::{CloseReason, FreshReason, RefusedReason};

/// An enum of reasons that has codes and words on the wire.
pub(super) trait Word: Copy {
    /// The byte in binary frames; never 0, which stands for nothing.
    fn code(self) -> u8;
    /// The word in text frames.
    fn word(self) -> &'static str;
    /// The reason of that byte, or the stand-in for those not known.
    fn from_code(code: u8) -> Self;
    /// The reason of that word, or the stand-in for those not known.
    #[cfg(feature = "json")]
    fn from_word(word: &str) -> Self;
}

macro_rules! words {
    ($type:ident, unknown: $unknown:ident, { $($variant:ident = $code:literal $word:literal,)* }) => {
        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its word on the wire, which serves as a label too.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl Word for $type {
            fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            fn word(self) -> &'static str {
                self.name()
            }

            fn from_code(code: u8) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    _ => Self::$unknown,
                }
            }

            #[cfg(feature = "json")]
            fn from_word(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    _ => Self::$unknown,
                }
            }
        }
    };
}

// ANCHOR: fresh
words!(FreshReason, unknown: Expired, {
    First = 1 "first",
    Restarted = 2 "restarted",
    Expired = 3 "expired",
    Overflow = 4 "overflow",
    UserChanged = 5 "user_changed",
    Replaced = 6 "replaced",
    Requested = 7 "requested",
    Shutdown = 8 "shutdown",
    Violation = 9 "violation",
});
// ANCHOR_END: fresh

// ANCHOR: close
words!(CloseReason, unknown: Goodbye, {
    Goodbye = 1 "goodbye",
    Replaced = 2 "replaced",
    Shutdown = 3 "shutdown",
    Overflow = 4 "overflow",
    Kicked = 5 "kicked",
    UnknownSession = 6 "unknown_session",
    UserChanged = 7 "user_changed",
    Malformed = 8 "malformed",
    TooLarge = 9 "too_large",
    Unexpected = 10 "unexpected",
    Gap = 11 "gap",
    CreditExceeded = 12 "credit_exceeded",
    AcknowledgedUnsent = 13 "acknowledged_unsent",
    UnknownCall = 14 "unknown_call",
    HandshakeTimeout = 15 "handshake_timeout",
    Silent = 16 "silent",
    IdentityExpired = 17 "identity_expired",
    WrongServer = 18 "wrong_server",
});
// ANCHOR_END: close

// ANCHOR: refused
words!(RefusedReason, unknown: Forbidden, {
    Unauthorized = 1 "unauthorized",
    Forbidden = 2 "forbidden",
    Origin = 3 "origin",
    Csrf = 4 "csrf",
    Version = 5 "version",
    Codec = 6 "codec",
    Full = 7 "full",
    Shutdown = 8 "shutdown",
    Malformed = 9 "malformed",
});
// ANCHOR_END: refused

// A handler that failed for a reason not known may have run, as with `Internal`.
// ANCHOR: failure
words!(Failure, unknown: Internal, {
    Unsupported = 1 "unsupported",
    Incompatible = 2 "incompatible",
    Malformed = 3 "malformed",
    Internal = 4 "internal",
    TooLarge = 5 "too_large",
});
// ANCHOR_END: failure
