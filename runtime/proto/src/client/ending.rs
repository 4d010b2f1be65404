//! How carriers and sessions end: lost, closed, refused, replaced, or of no use.
//!
//! What befalls the carrier that serves the session befalls the session. What befalls one that is
//! only tried does not, whatever it is: [`Client::carrier_failed`] is the one road for both.

use super::{CarrierChoice, Client, ConnectionEnd, Event, LastClose, Phase, Transmit, encode};
use crate::backoff::Backoff;
use crate::frame::Frame;
use crate::session::Session;
use crate::{Carrier, Close, CloseReason, FreshReason, Refused, RefusedReason, Time};

impl Client {
    // ---- carriers ----

    /// A carrier is of no use any more: it could not be had, was not answered in time, has ended,
    /// or was told to go. The session goes on by the other one, or another is dialled for it.
    pub(super) fn carrier_failed(
        &mut self,
        now: Time,
        session: &mut Session,
        carrier: Carrier,
        end: ConnectionEnd,
    ) {
        match carrier {
            _ if self.active == Some(carrier) => self.lost(now, session, end),
            Carrier::WebSocket => {
                self.drop_socket(true);
                if self.active.is_some() {
                    self.schedule_upgrade(now);
                } else if self.polling.is_none() {
                    match self.config.carrier {
                        CarrierChoice::Auto => self.start_polling(now, session),
                        _ => self.dial_failed(now, session, end),
                    }
                }
            }
            // A WebSocket that is still dialled may yet be answered; polling tries again meanwhile.
            Carrier::Poll if self.socket.is_some() => self.greet_again(now),
            Carrier::Poll => self.dial_failed(now, session, end),
        }
    }

    /// What serves the session is gone, and the session is to go on: dial at once.
    ///
    /// There are networks on which each connection is welcomed and then lost. While none proves
    /// itself, polling has its turn, and after those that were of no use at all the waits grow.
    pub(super) fn lost(&mut self, now: Time, session: &mut Session, end: ConnectionEnd) {
        let was_socket = self.active == Some(Carrier::WebSocket);
        let was_useless = session.progress() == self.served_from;
        self.drop_carriers(session, false);
        self.closed(now, end);
        if self.losses.is_some() && was_socket {
            self.schedule_upgrade(now);
        }
        let random = (self.random)() as u64;
        match &mut self.losses {
            Some(losses) if was_useless => {
                let until = now + losses.failed(random);
                self.wait(Phase::Waiting(until));
            }
            _ => {
                self.expect_proof();
                self.begin(now, session);
            }
        }
    }

    /// From now on a carrier that is lost before it has proved itself is not simply dialled again.
    pub(super) fn expect_proof(&mut self) {
        let timing = &self.config.timing;
        self.losses
            .get_or_insert_with(|| Backoff::new(timing.backoff, timing.backoff_cap));
    }

    /// No carrier could be had: wait and try again.
    pub(super) fn dial_failed(&mut self, now: Time, session: &mut Session, end: ConnectionEnd) {
        self.drop_carriers(session, false);
        let random = (self.random)() as u64;
        let until = if mutated!("dial-at-once") {
            now
        } else {
            now + self.backoff.failed(random)
        };
        self.closed(now, end);
        self.wait(Phase::Waiting(until));
    }

    /// Dials again at the time that `phase` says.
    fn wait(&mut self, phase: Phase) {
        self.phase = phase;
        self.change(|state| state.next_reconnect_at = phase.waits_until());
    }

    pub(super) fn drop_carriers(&mut self, session: &mut Session, clean: bool) {
        self.drop_socket(clean);
        self.drop_polling();
        self.active = None;
        self.proved_at = None;
        self.probe = None;
        session.detach();
        self.upgrade.at = None;
    }

    pub(super) fn closed(&mut self, now: Time, reason: ConnectionEnd) {
        self.change(|state| {
            state.open = false;
            state.first_open = false;
            state.carrier = None;
            state.identity_expires_at = None;
            state.last_close = Some(LastClose { reason, at: now });
        });
    }

    // ---- sessions ----

    /// Ends the present session, if there is one, in favour of a fresh one.
    pub(super) fn end_session(&mut self, session: &mut Session, reason: FreshReason) {
        if self.known.is_some() {
            self.restart(session, reason);
        }
    }

    pub(super) fn restart(&mut self, session: &mut Session, reason: FreshReason) {
        self.known = None;
        self.attempt = (self.random)();
        self.fresh = Some(reason);
        self.change(|state| state.session_id = None);
        let unconfirmed = session.restart();
        self.events.push_back(Event::SessionEnded {
            reason,
            unconfirmed,
        });
    }

    pub(super) fn say_goodbye(&mut self, session: &mut Session) {
        let goodbye = Frame::Close(Box::new(Close::new(CloseReason::Goodbye)));
        match (self.active, &self.socket) {
            (Some(Carrier::WebSocket), Some(socket)) => {
                let message = encode(session, &goodbye);
                self.transmits.push_back(Transmit::Message {
                    socket: socket.id,
                    message,
                });
            }
            (Some(Carrier::Poll), _) => self.post_goodbye(session, &goodbye),
            _ => {}
        }
    }

    // ---- what the server says ----

    /// The server does not want this client.
    pub(super) fn refused(
        &mut self,
        now: Time,
        session: &mut Session,
        carrier: Carrier,
        refused: Refused,
    ) {
        if self.active.is_some_and(|active| active != carrier) {
            return self.upgrade_refused(now, session, &refused);
        }
        self.drop_carriers(session, true);
        self.closed(now, ConnectionEnd::Refused);
        match refused.retry_after {
            Some(after) => self.wait(Phase::Told(now + after)),
            None => self.phase = Phase::Idle,
        }
        self.change(|state| state.refused = Some(refused));
    }

    /// The server wants no WebSocket of a client that it serves by polling. What serves it goes on,
    /// for as long as the server wants that.
    fn upgrade_refused(&mut self, now: Time, session: &mut Session, refused: &Refused) {
        self.change(|state| {
            state.last_ws_error = Some(format!(
                "the server refused the WebSocket: {}",
                refused.message
            ));
        });
        let end = ConnectionEnd::Refused;
        self.carrier_failed(now, session, Carrier::WebSocket, end);
        let earliest = refused.retry_after.map(|after| now + after);
        self.upgrade.at = self.upgrade.at.max(earliest);
    }

    pub(super) fn closed_by_server(
        &mut self,
        now: Time,
        session: &mut Session,
        carrier: Carrier,
        close: &Close,
    ) {
        let end = ConnectionEnd::Server(close.reason);
        let serves = self.active == Some(carrier);
        if close.reason == CloseReason::WrongServer {
            self.change(|state| {
                state.last_poll_error = Some(close.reason.describe().to_owned());
            });
        }
        match close.reason {
            CloseReason::Replaced if close.epoch > self.epoch && !mutated!("fight-duplicate") => {
                // Not by this client: a duplicate of it holds the session now. Never fight.
                self.drop_carriers(session, true);
                self.end_session(session, FreshReason::Replaced);
                // It may hold what this client has asked for and not been given yet.
                self.attempt = (self.random)();
                self.closed(now, end);
                self.begin(now, session);
            }
            // The hello of a WebSocket of this client was there first.
            CloseReason::Replaced if carrier == Carrier::Poll && !serves => {
                self.polling_overtaken(now);
            }
            CloseReason::Kicked => {
                self.drop_carriers(session, true);
                self.end_session(session, FreshReason::Requested);
                self.closed(now, end);
                self.phase = Phase::Idle;
                let refused = Refused {
                    status: 403,
                    reason: RefusedReason::Forbidden,
                    message: close.message.clone(),
                    retry_after: None,
                    codecs: Vec::new(),
                };
                self.change(|state| state.refused = Some(refused));
            }
            _ if !serves => self.carrier_failed(now, session, carrier, end),
            CloseReason::Replaced
            | CloseReason::Silent
            | CloseReason::UnknownSession
            | CloseReason::WrongServer
            | CloseReason::HandshakeTimeout
            | CloseReason::IdentityExpired
                if close.retry_after.is_none() =>
            {
                self.lost(now, session, end);
            }
            reason => {
                self.drop_carriers(session, true);
                self.end_session(session, fresh_after(reason));
                self.closed(now, end);
                let random = (self.random)() as u64;
                let phase = match close.retry_after {
                    Some(after) => Phase::Told(now + after),
                    None => Phase::Waiting(now + self.backoff.failed(random)),
                };
                self.wait(phase);
            }
        }
    }

    /// What came on a carrier is nothing that the server may send there.
    ///
    /// While a carrier is only tried, whatever answers need not be the server: a proxy may greet
    /// its own way.
    pub(super) fn spoiled(
        &mut self,
        now: Time,
        session: &mut Session,
        carrier: Carrier,
        reason: CloseReason,
    ) {
        if self.active == Some(carrier) || mutated!("heed-proxies") {
            return self.server_broke_the_protocol(now, session, carrier, reason);
        }
        if carrier == Carrier::WebSocket {
            self.change(|state| {
                state.last_ws_error = Some(
                    "what came on the WebSocket is none of sente's: something between client and \
                     server, or another program, has answered"
                        .to_owned(),
                );
            });
        }
        self.carrier_failed(now, session, carrier, ConnectionEnd::Lost);
    }

    /// The server sent what it must not: this session cannot go on.
    pub(super) fn server_broke_the_protocol(
        &mut self,
        now: Time,
        session: &mut Session,
        carrier: Carrier,
        reason: CloseReason,
    ) {
        tracing::warn!(?reason, "the server broke the protocol; the session ends");
        if let (Carrier::WebSocket, Some(socket)) = (carrier, &self.socket) {
            let close = Frame::Close(Box::new(Close::new(reason)));
            let message = encode(session, &close);
            self.transmits.push_back(Transmit::Message {
                socket: socket.id,
                message,
            });
        }
        self.end_session(session, FreshReason::Violation);
        self.dial_failed(now, session, ConnectionEnd::Server(reason));
    }
}

/// Why the next session is fresh when the server ended the last one for `reason`.
const fn fresh_after(reason: CloseReason) -> FreshReason {
    match reason {
        CloseReason::Overflow => FreshReason::Overflow,
        CloseReason::UserChanged => FreshReason::UserChanged,
        CloseReason::Shutdown | CloseReason::Goodbye => FreshReason::Shutdown,
        CloseReason::WrongServer => FreshReason::Restarted,
        CloseReason::UnknownSession
        | CloseReason::Silent
        | CloseReason::HandshakeTimeout
        | CloseReason::IdentityExpired => FreshReason::Expired,
        _ => FreshReason::Violation,
    }
}
