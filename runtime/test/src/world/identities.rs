//! Who clients are, and for how long: they show it anew, and the application looks at that.

use std::time::Duration;

use sente_proto::frame::{Authenticate, Frame};
use sente_proto::{Close, CloseReason, FreshReason, Time};

use super::World;
use super::queue::ForServer;
use super::server::At;
use crate::promise::{Promise, Verdict};

/// What nobody is let in by.
pub(super) const NOBODY: &str = "nobody";

impl World {
    /// When an identity that is shown now expires, by the server's clock.
    pub(super) fn identity_expires(&self) -> Option<Time> {
        self.plan
            .identities
            .map(|lasts| self.server_clock() + lasts)
    }

    /// A client shows anew who it is, and the application thinks about that for a moment.
    pub(super) fn is_shown(&mut self, half: usize, shown: &Authenticate) {
        self.coverage.meet("identity: shown anew");
        let token = shown.token.as_ref().map(|token| token.reveal().clone());
        let at = self.now + self.rng.around(Duration::from_millis(20));
        self.for_server(at, ForServer::Authenticates { half, token });
    }

    /// The application has come to a decision.
    pub(super) fn authenticates(&mut self, half: usize, token: Option<String>) -> Verdict {
        let (now, expires) = (self.server_clock(), self.identity_expires());
        let Some(seated) = self.server.seat(half) else {
            return Ok(());
        };
        let own = seated.asked.as_ref().and_then(|(_, user)| user.clone());
        if token.as_deref() == Some(NOBODY) {
            if seated.seat.expire_identity(&mut seated.session) {
                self.identity_is_over(half)?;
            }
        } else if token.as_deref() == own.as_deref() {
            seated.seat.authenticated(now, &mut seated.session, expires);
            seated.expires = expires;
        } else {
            self.coverage.meet("identity: another one in the middle");
            let close = Close::new(CloseReason::UserChanged);
            self.end_session(half, &close, FreshReason::UserChanged)?;
        }
        self.pump_seat(half)
    }

    /// The carrier of a client whose identity is no longer good is told so.
    pub(super) fn identity_is_over(&mut self, half: usize) -> Verdict {
        self.coverage.meet("identity: expired");
        let Some(seated) = self.server.seat(half) else {
            return Ok(());
        };
        let carrier = std::mem::replace(&mut seated.carrier, At::Nothing);
        let close = Close::new(CloseReason::IdentityExpired);
        self.leave(half, carrier, &Frame::Close(Box::new(close)))
    }

    /// Nobody is served by an identity that is no longer good.
    pub(super) fn check_identities(&self) -> Verdict {
        if self.server.clock.is_excused(self.now) {
            return Ok(());
        }
        let now = self.server_clock();
        for (half, seated) in self.server.alive() {
            let is_over = seated.expires.is_some_and(|expires| expires < now);
            if is_over && seated.seat.carrier().is_some() {
                return Err(Promise::Identity.broken(format!(
                    "server {half}: its client's identity expired at {:?}, and it is served",
                    seated.expires
                )));
            }
        }
        Ok(())
    }
}
