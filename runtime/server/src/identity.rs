//! Who a client is, or why it may not come in.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use sente_proto::{Refused, RefusedReason, Time};

/// Who a client is, as `authenticate` says.
///
/// ```
/// use sente_server::Identity;
///
/// let ann = Identity::user("ann");
/// let somebody = Identity::anonymous();
/// # let _ = (ann, somebody);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    pub(crate) user: Option<Arc<str>>,
    until: Option<Until>,
}

/// How long an identity is good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Until {
    After(Duration),
    At(SystemTime),
}

impl Identity {
    /// A client of this user. A user has as many clients as it has tabs and devices.
    #[must_use]
    pub fn user(id: impl AsRef<str>) -> Self {
        Self {
            user: Some(id.as_ref().into()),
            until: None,
        }
    }

    /// A client of nobody in particular.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self {
            user: None,
            until: None,
        }
    }

    /// Good for so long, counted from now. Default: for as long as the session lasts.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sente_server::Identity;
    /// let ann = Identity::user("ann").expires_after(Duration::from_secs(3600));
    /// # let _ = ann;
    /// ```
    ///
    /// The client is warned a minute ahead, or when half of the time is left if that is less, and
    /// again as what is left gets less. A client that has a function for its token shows a fresh one
    /// then, by itself; any can by `reauthenticate`. `authenticate` is asked again, with the headers of
    /// the handshake and the new token, while events and calls go on. A client that shows nothing new
    /// is disconnected in time, one that is refused at once; but not by a refusal that lets it come
    /// back or has a status of 500 or more. Its session waits for it to come back with something
    /// better, for the window at most.
    #[must_use]
    pub fn expires_after(mut self, time: Duration) -> Self {
        self.until = Some(Until::After(time));
        self
    }

    /// As [`expires_after`](Self::expires_after), by the clock: what a token says of itself, say.
    #[must_use]
    pub fn expires_at(mut self, moment: SystemTime) -> Self {
        self.until = Some(Until::At(moment));
        self
    }

    /// When it is good no longer. The server's clock stands still while the machine sleeps, and knows
    /// nothing of a time of day that is set anew: what it is now, `since_unix`, counts.
    pub(crate) fn expires(&self, now: Time, since_unix: Duration) -> Option<Time> {
        self.until.map(|until| match until {
            Until::After(time) => now + time,
            Until::At(moment) => {
                let moment = moment.duration_since(SystemTime::UNIX_EPOCH);
                now + moment.unwrap_or_default().saturating_sub(since_unix)
            }
        })
    }

    pub(crate) fn has_expired(&self, since_unix: Duration) -> bool {
        let now = Time::default();
        self.expires(now, since_unix)
            .is_some_and(|expires| expires == now)
    }
}

/// The refusal of a client. It does not try again by itself unless told [when](Self::retry_after).
///
/// Any error becomes one with `?`: the client is told "unauthorized" and nothing of the error,
/// which is logged at `trace`, since it may quote the token.
///
/// ```
/// use sente_server::Refusal;
///
/// let refusal = Refusal::unauthorized("your session has ended: log in again");
/// # let _ = refusal;
/// ```
pub struct Refusal {
    pub(crate) refused: Box<Refused>,
    /// The application's own answer, where the carrier is HTTP.
    pub(crate) response: Option<Box<Response>>,
}

impl Refusal {
    /// The application does not know who this is: status 401.
    #[must_use]
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// The application does not want this client: status 403.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// A refusal with any status. The message goes to the client.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let reason = match status.as_u16() {
            401 => RefusedReason::Unauthorized,
            503 | 429 => RefusedReason::Full,
            _ => RefusedReason::Forbidden,
        };
        Self::of(Refused {
            status: status.as_u16(),
            reason,
            message: message.into(),
            retry_after: None,
            codecs: Vec::new(),
        })
    }

    /// Whether it says more of the server than of the client.
    pub(crate) fn is_for_now(&self) -> bool {
        self.refused.retry_after.is_some() || self.refused.status >= 500
    }

    pub(crate) fn of(refused: Refused) -> Self {
        Self {
            refused: Box::new(refused),
            response: None,
        }
    }

    /// A refusal that is answered by the application's own response where the carrier is HTTP. On
    /// a WebSocket, which has none, it is told by the response's status.
    #[must_use]
    pub fn response(response: impl IntoResponse) -> Self {
        let response = response.into_response();
        let status = response.status();
        Self {
            response: Some(Box::new(response)),
            ..Self::new(status, status.canonical_reason().unwrap_or_default())
        }
    }

    /// Lets the client come back by itself after this.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.refused.retry_after = Some(after);
        self
    }
}

impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Self {
        tracing::debug!("authentication failed");
        // It may quote the token.
        tracing::trace!(%error);
        Self::unauthorized("the server does not know who this is: log in")
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("status", &self.refused.status)
            .field("reason", &self.refused.reason)
            .field("message", &self.refused.message)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_unix(Duration::from_secs(1_000));

    fn until(since_unix: u64) -> Identity {
        Identity::anonymous().expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(since_unix))
    }

    #[test]
    fn the_time_of_day_counts_wherever_the_clock_has_stood_still() {
        let since_unix = Duration::from_secs(9_000);
        let expires = until(9_060).expires(NOW, since_unix);
        assert_eq!(expires, Some(NOW + Duration::from_secs(60)));
        assert!(!until(9_060).has_expired(since_unix));
        for past in [8_999, 9_000] {
            assert_eq!(until(past).expires(NOW, since_unix), Some(NOW));
            assert!(until(past).has_expired(since_unix));
        }
    }

    #[test]
    fn a_span_counts_by_the_clock() {
        let minute = Duration::from_secs(60);
        let identity = Identity::user("ann").expires_after(minute);
        assert_eq!(identity.expires(NOW, Duration::MAX), Some(NOW + minute));
        assert!(!identity.has_expired(Duration::MAX));
    }
}
