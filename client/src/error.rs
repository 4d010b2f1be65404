//! What can go wrong before there is a connection, and instead of one.

use sente_proto::contract::DuplicateNamespace;
use sente_proto::{Refused, RefusedReason};

/// A client cannot be set up as its builder was told. Nothing was connected; change the program.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The URL of the server cannot be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Two namespaces have the same name.
    #[error(transparent)]
    Namespace(#[from] DuplicateNamespace),
    /// A header has a name or a value that HTTP does not allow.
    #[error(
        "the header `{name}` cannot be sent: its name or its value has characters that HTTP does not allow"
    )]
    Header {
        /// The name that was given.
        name: String,
    },
    /// There is no tokio runtime here to run the client.
    #[error(
        "a client needs a tokio runtime: call `connect` within `#[tokio::main]`, or after `runtime.enter()`"
    )]
    NoRuntime,
    /// TLS cannot be set up, for an `https` or `wss` address.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The operating system gives no random numbers.
    #[error("the system gives no random numbers, and sessions need them: {0}")]
    Random(String),
}

/// The URL of a server cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin with a scheme.
    #[error("`{0}` has no scheme: write for instance `https://example.org/sente`")]
    NoScheme(String),
    /// Its scheme is none that a client speaks.
    #[error("`{0}` is no scheme of a sente server: use http, https, ws or wss")]
    Scheme(String),
    /// It names no host.
    #[error("`{0}` names no host")]
    NoHost(String),
    /// It has a query or a fragment, where nothing may be that a log could keep.
    #[error("`{0}` has a query or a fragment: leave it out, and give a token by `.token(…)`")]
    Query(String),
    /// It has a user name or a password.
    #[error("the URL has a user name or a password: leave it out, and give a token by `.token(…)`")]
    Credentials,
    /// It is no URL.
    #[error("`{url}` is no URL: {problem}")]
    Malformed {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl UrlError {
    /// A URL as it may be shown: one with a user's name and password is not.
    pub(crate) fn harmless(url: &str) -> String {
        if url.as_bytes().contains(&b'@') {
            "the URL".to_owned()
        } else {
            url.to_owned()
        }
    }
}

/// Why a client is not [ready](crate::Client::ready) and will not be by itself.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// The server refused the client. Log in, then [reconnect](crate::Client::reconnect); or see
    /// what the message says.
    #[error("the server refused the connection ({status}, {reason:?}): {message}")]
    Refused {
        /// The HTTP status that says the same, for instance 401.
        status: u16,
        /// Why.
        reason: RefusedReason,
        /// What the server says to people.
        message: String,
    },
    /// The client was disconnected, by its program or for good by the server.
    /// [Reconnect](crate::Client::reconnect) begins anew.
    #[error("the client is disconnected: call `reconnect` to begin anew")]
    Disconnected,
    /// The builder was told something that cannot be.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The client has come to its end: its runtime has.
    #[error("the client has ended, with the runtime that it ran on")]
    Ended,
}

impl From<&Refused> for NotReady {
    fn from(refused: &Refused) -> Self {
        Self::Refused {
            status: refused.status,
            reason: refused.reason,
            message: refused.message.clone(),
        }
    }
}
