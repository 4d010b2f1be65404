//! The hello, its answers, and frames that end things.

use std::sync::Arc;

use super::dial::SocketPhase;
use super::{Client, ConnectionEnd, Known, Phase, SessionState, Transmit};
use crate::contract::Mapping;
use crate::frame::{Frame, Hello, Resume, VERSION, Welcome};
use crate::session::Session;
use crate::{Carrier, Close, CloseReason, FreshReason, Refused, RefusedReason, SessionId, Time};

impl Client {
    pub(super) fn hello(&mut self, now: Time, session: &mut Session, epoch: u64) -> Frame {
        let resume = self.known.as_ref().map(|known| Resume {
            session: known.id,
            secret: known.secret.clone(),
            acknowledge: session.acknowledge(now),
        });
        Frame::Hello(Box::new(Hello {
            version: VERSION,
            codec: session.codec().name().to_owned(),
            attempt: self.attempt,
            epoch,
            namespaces: session.contract().offers(),
            token: self.credentials.token.clone(),
            csrf: self.credentials.csrf.clone(),
            device: self.config.device.clone(),
            resume,
        }))
    }

    /// A frame came on the carrier that was opened under `epoch`.
    pub(super) fn handle_frame(
        &mut self,
        now: Time,
        session: &mut Session,
        carrier: Carrier,
        epoch: u64,
        frame: Frame,
    ) {
        match frame {
            Frame::Welcome(welcome) => self.welcomed(now, session, carrier, epoch, *welcome),
            Frame::Data(data) if self.active == Some(carrier) => {
                if let Err(reason) = session.handle_data(now, data) {
                    self.server_broke_the_protocol(now, session, carrier, reason);
                }
            }
            // What an older carrier still brings comes again on the present one.
            Frame::Data(_) => {}
            Frame::Refused(refused) => self.refused(now, session, *refused),
            Frame::Close(close) => self.closed_by_server(now, session, carrier, epoch, &close),
            Frame::Hello(_) | Frame::Tables(_) | Frame::Request(_) => {
                self.server_broke_the_protocol(now, session, carrier, CloseReason::Unexpected);
            }
        }
    }

    fn welcomed(
        &mut self,
        now: Time,
        session: &mut Session,
        carrier: Carrier,
        epoch: u64,
        welcome: Welcome,
    ) {
        if !self.awaits_welcome(carrier) || welcome.epoch != epoch {
            return;
        }
        // The answer to a hello that a newer one of this client has overtaken.
        if self
            .active
            .is_some_and(|active| self.epoch_of(active) > epoch)
        {
            self.dismiss(now, carrier);
            return;
        }
        let sent_at = self.greeted_at(carrier);
        let is_same = self.known_session() == Some(welcome.session);
        // The session that the hello asked for has ended since, and another carrier has brought the
        // next one: whatever this answer offers is older than that.
        if !is_same && self.wanted_by(carrier) != self.known_session() {
            self.dismiss(now, carrier);
            return;
        }
        let mut how = SessionState::Resumed;
        if let Some(reason) = welcome.fresh.filter(|_| !is_same) {
            let reason = self.why_fresh(reason, welcome.server);
            how = SessionState::Fresh { reason };
            self.end_session(session, reason);
            self.fresh = None;
        } else if let (true, Some(before)) = (welcome.fresh.is_some(), self.state.session) {
            how = before;
        } else if !is_same {
            // A resumed session that this client never had.
            self.server_broke_the_protocol(now, session, carrier, CloseReason::Unexpected);
            return;
        }
        self.known = Some(Known {
            id: welcome.session,
            secret: welcome.secret,
            server: welcome.server,
        });
        self.attempt = (self.random)();
        session.set_limits(self.limits_with(&welcome.terms));
        if session.mapping().is_none() {
            session.map(Arc::new(Mapping::of_client(
                session.contract(),
                &welcome.namespaces,
            )));
        }
        if let Err(reason) = session.attach(now, welcome.acknowledge) {
            self.server_broke_the_protocol(now, session, carrier, reason);
            return;
        }
        self.wanted_tables = welcome
            .namespaces
            .iter()
            .filter(|answer| answer.table.is_some())
            .map(|answer| answer.name.clone())
            .collect();
        self.activate(now, carrier);
        let skew = skew(session);
        self.change(|state| {
            state.carrier = Some(carrier);
            state.first_open = !state.ever_opened;
            state.open = true;
            state.ever_opened = true;
            state.user = welcome.user;
            state.session_id = Some(welcome.session);
            state.session = Some(how);
            state.handshake = welcome.handshake;
            state.next_reconnect_at = None;
            state.refused = None;
            state.round_trip = Some(now - sent_at);
            state.skew = skew;
        });
    }

    fn why_fresh(&self, reason: FreshReason, server: u64) -> FreshReason {
        if let Some(own) = self.fresh {
            return own;
        }
        match &self.known {
            Some(known) if known.server != server => FreshReason::Restarted,
            // The same run of the server has forgotten the session: its window had passed.
            Some(_) if reason == FreshReason::Restarted => FreshReason::Expired,
            _ => reason,
        }
    }

    fn awaits_welcome(&self, carrier: Carrier) -> bool {
        match carrier {
            Carrier::WebSocket => self
                .socket
                .as_ref()
                .is_some_and(|socket| socket.phase == SocketPhase::Greeting),
            Carrier::Poll => self
                .polling
                .as_ref()
                .is_some_and(|polling| !polling.is_live()),
        }
    }

    fn epoch_of(&self, carrier: Carrier) -> u64 {
        match carrier {
            Carrier::WebSocket => self.socket.as_ref().map_or(0, |socket| socket.epoch),
            Carrier::Poll => self.polling.as_ref().map_or(0, |polling| polling.epoch),
        }
    }

    fn greeted_at(&self, carrier: Carrier) -> Time {
        match carrier {
            Carrier::WebSocket => self.socket.as_ref().map(|socket| socket.since),
            Carrier::Poll => self.polling.as_ref().map(|polling| polling.since),
        }
        .unwrap_or_default()
    }

    fn wanted_by(&self, carrier: Carrier) -> Option<SessionId> {
        match carrier {
            Carrier::WebSocket => self.socket.as_ref()?.wanted,
            Carrier::Poll => self.polling.as_ref()?.wanted,
        }
    }

    /// A carrier is of no use any more. Where polling serves the session, WebSocket is tried again.
    fn dismiss(&mut self, now: Time, carrier: Carrier) {
        self.drop_carrier(carrier);
        if carrier == Carrier::WebSocket && self.active == Some(Carrier::Poll) {
            self.schedule_upgrade(now);
        }
    }

    fn drop_carrier(&mut self, carrier: Carrier) {
        match carrier {
            Carrier::WebSocket => self.drop_socket(true),
            Carrier::Poll => self.drop_polling(),
        }
    }

    /// From now on `carrier` serves the session.
    fn activate(&mut self, now: Time, carrier: Carrier) {
        self.active = Some(carrier);
        self.phase = Phase::Active;
        self.backoff.reset();
        self.received(now);
        match carrier {
            Carrier::WebSocket => {
                if let Some(socket) = &mut self.socket {
                    socket.phase = SocketPhase::Live;
                    socket.is_upgrade = false;
                }
                self.drop_polling();
                self.upgrade.at = None;
                self.upgrade.delay = self.config.timing.upgrade;
            }
            Carrier::Poll => {
                if let Some(polling) = &mut self.polling {
                    polling.go_live(now);
                }
                match &mut self.socket {
                    // It may still be answered, and then the session moves up to it.
                    Some(socket) => socket.is_upgrade = true,
                    None => self.schedule_upgrade(now),
                }
            }
        }
    }

    pub(super) fn refused(&mut self, now: Time, session: &mut Session, refused: Refused) {
        self.drop_carriers(session, true);
        self.closed(now, ConnectionEnd::Refused);
        match refused.retry_after {
            Some(after) => self.wait_until(now + after),
            None => self.phase = Phase::Idle,
        }
        self.change(|state| state.refused = Some(refused));
    }

    fn closed_by_server(
        &mut self,
        now: Time,
        session: &mut Session,
        carrier: Carrier,
        epoch: u64,
        close: &Close,
    ) {
        let end = ConnectionEnd::Server(close.reason);
        match close.reason {
            CloseReason::Replaced if close.epoch > self.epoch => {
                // Not by this client: a duplicate of it holds the session now. Never fight.
                self.drop_carriers(session, true);
                self.end_session(session, FreshReason::Replaced);
                // It may hold what this client has asked for and not been given yet.
                self.attempt = (self.random)();
                self.closed(now, end);
                self.begin(now, session);
            }
            CloseReason::Replaced => self.overtaken(now, session, carrier, epoch),
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
            _ if !self.is_current(carrier) => {
                self.dismiss(now, carrier);
                if self.socket.is_none() && self.polling.is_none() {
                    self.dial_failed(now, session, end);
                }
            }
            CloseReason::Silent | CloseReason::UnknownSession | CloseReason::HandshakeTimeout
                if close.retry_after.is_none() =>
            {
                self.lost(now, session, end);
            }
            reason => {
                self.drop_carriers(session, true);
                self.end_session(session, fresh_after(reason));
                self.closed(now, end);
                let random = (self.random)() as u64;
                let after = close
                    .retry_after
                    .unwrap_or_else(|| self.backoff.failed(random));
                self.wait_until(now + after);
            }
        }
    }

    /// Whether what happens to `carrier` happens to the session: it serves it, or nothing does and
    /// it is the only one dialled.
    fn is_current(&self, carrier: Carrier) -> bool {
        self.active == Some(carrier)
    }

    /// A carrier was told that a newer one of this client serves the session.
    fn overtaken(&mut self, now: Time, session: &mut Session, carrier: Carrier, epoch: u64) {
        match carrier {
            Carrier::Poll if !self.is_current(carrier) => self.polling_overtaken(now),
            _ => {
                if self.epoch_of(carrier) == epoch {
                    self.dismiss(now, carrier);
                }
                if self.active == Some(carrier) {
                    self.deactivate(session);
                    self.closed(now, ConnectionEnd::Server(CloseReason::Replaced));
                }
                if self.active.is_none() && self.socket.is_none() && self.polling.is_none() {
                    self.begin(now, session);
                }
            }
        }
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
            let message = super::encode(session, &close);
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
        CloseReason::UnknownSession | CloseReason::Silent | CloseReason::HandshakeTimeout => {
            FreshReason::Expired
        }
        _ => FreshReason::Violation,
    }
}

/// Own events that the server does not take.
fn skew(session: &Session) -> Vec<&'static str> {
    let Some(mapping) = session.mapping() else {
        return Vec::new();
    };
    mapping
        .skew()
        .filter_map(|(number, _)| session.contract().event(number))
        .filter(|event| event.to_server)
        .map(|event| event.name)
        .collect()
}
