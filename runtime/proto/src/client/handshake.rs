//! The hello and its answers, and what serves the session then.

use std::sync::Arc;

use super::dial::SocketPhase;
use super::{Client, ConnectionEnd, Event, Known, Phase, SessionState};
use crate::contract::Mapping;
use crate::frame::{Frame, Hello, Resume, VERSION, Welcome};
use crate::session::{Session, Unconfirmed};
use crate::{Carrier, CloseReason, FreshReason, SessionId, Time};

impl Client {
    pub(super) fn hello(&mut self, now: Time, session: &mut Session, epoch: u64) -> Frame {
        let resume = self.known.as_ref().map(|known| Resume {
            session: known.id,
            secret: known.secret.clone(),
            acknowledge: session.acknowledge(now),
        });
        // Nobody knows whether the hello arrives. What serves the session meanwhile says it too.
        session.acknowledge_anew();
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
            Frame::Ping(number) if self.active == Some(carrier) => session.handle_ping(number),
            Frame::Pong(number) if self.active == Some(carrier) => {
                self.probe.take_if(|probe| probe.ping == Some(number));
            }
            // What an older carrier still brings comes again on the present one.
            Frame::Data(_) | Frame::Ping(_) | Frame::Pong(_) => {}
            Frame::Expires(after) => {
                if self.active == Some(carrier) {
                    self.warned_of_expiry(now, after);
                }
            }
            Frame::Refused(refused) => self.refused(now, session, carrier, *refused),
            Frame::Close(close) => self.closed_by_server(now, session, carrier, &close),
            Frame::Hello(_) | Frame::Tables(_) | Frame::Request(_) | Frame::Authenticate(_) => {
                self.spoiled(now, session, carrier, CloseReason::Unexpected);
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
        let sent_at = self.greeted_at(carrier);
        let is_same = self.known_session() == Some(welcome.session);
        let is_overtaken = self
            .active
            .is_some_and(|active| self.epoch_of(active) > epoch);
        // Or else the session that the hello asked for has ended since, and another carrier has
        // brought the next one: whatever this answer offers is older than that.
        let is_too_late = !is_same && self.wanted_by(carrier) != self.known_session();
        if is_overtaken || is_too_late {
            return self.carrier_failed(now, session, carrier, ConnectionEnd::Lost);
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
        let mut not_taken = session.set_limits(self.limits_with(&welcome.terms));
        let mapping = match session.mapping() {
            Some(mapping) => Arc::clone(mapping),
            None => {
                let (contract, codec) = (session.contract(), session.codec());
                let mapping = Mapping::of_client(contract, &welcome.namespaces, codec);
                let mapping = Arc::new(mapping);
                not_taken.extend(session.map(Arc::clone(&mapping)));
                mapping
            }
        };
        if !not_taken.is_empty() {
            let events = Unconfirmed { events: not_taken };
            self.events.push_back(Event::NotTaken(events));
        }
        if let Err(reason) = session.attach(welcome.acknowledge) {
            self.server_broke_the_protocol(now, session, carrier, reason);
            return;
        }
        self.wanted_tables = welcome
            .namespaces
            .iter()
            .filter(|answer| answer.table.is_some())
            .map(|answer| answer.name.clone())
            .collect();
        self.activate(now, session, carrier);
        if now - sent_at > self.config.timing.watch + self.config.timing.slept {
            // The answer may have waited for this program to wake.
            self.wake(now, session);
        }
        let mut handshake = welcome.handshake;
        handshake.retain(|(namespace, _)| mapping.shares_handshake(namespace));
        self.change(|state| {
            state.carrier = Some(carrier);
            state.first_open = !state.ever_opened;
            state.open = true;
            state.ever_opened = true;
            state.user = welcome.user;
            state.session_id = Some(welcome.session);
            state.session = Some(how);
            state.handshake = handshake;
            state.next_reconnect_at = None;
            state.refused = None;
            state.identity_expires_at = None;
            state.round_trip = Some(now - sent_at);
            state.skew = Arc::clone(mapping.skew());
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

    /// From now on `carrier` serves the session.
    fn activate(&mut self, now: Time, session: &Session, carrier: Carrier) {
        let before = self.active.replace(carrier);
        self.phase = Phase::Active;
        self.backoff.reset();
        self.proved_at = Some(now + self.config.timing.proof);
        self.served_from = session.progress();
        self.watched = now;
        self.last_received = now;
        self.probe = None;
        match carrier {
            Carrier::WebSocket => {
                if let Some(socket) = &mut self.socket {
                    socket.phase = SocketPhase::Live;
                }
                self.drop_polling();
                self.upgrade.at = None;
                if before.is_some() {
                    // If it is lost soon, what served before serves again.
                    self.expect_proof();
                }
            }
            Carrier::Poll => {
                if let Some(polling) = &mut self.polling {
                    polling.go_live(now);
                }
                // One that is still dialled may be answered, and then the session moves up to it.
                if self.socket.is_none() {
                    self.schedule_upgrade(now);
                }
            }
        }
    }
}
