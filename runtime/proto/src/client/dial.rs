//! Dialling: WebSocket first, polling beside it when it is slow, and WebSocket again later.

use super::{CarrierChoice, Client, ConnectionEnd, Phase, SocketId, Transmit, encode};
use crate::session::Session;
use crate::{Carrier, SessionId, Time};

/// A WebSocket from its dial to its end.
pub(super) struct Socket {
    pub(super) id: SocketId,
    pub(super) phase: SocketPhase,
    /// The epoch of its hello; 0 before that.
    pub(super) epoch: u64,
    /// The session that its hello wants to go on with.
    pub(super) wanted: Option<SessionId>,
    pub(super) since: Time,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SocketPhase {
    /// Not open yet.
    Dialing,
    /// The hello has gone out.
    Greeting,
    /// The hello was answered.
    Live,
}

impl Client {
    /// Gets credentials if they are to be asked for, and dials.
    pub(super) fn begin(&mut self, now: Time, session: &mut Session) {
        self.change(|state| {
            state.next_reconnect_at = None;
            state.refused = None;
        });
        self.renews = false;
        self.shows = false;
        if self.config.asks_credentials {
            self.phase = Phase::Authenticating;
            self.transmits.push_back(Transmit::Authenticate);
        } else {
            self.dial(now, session);
        }
    }

    pub(super) fn dial(&mut self, now: Time, session: &mut Session) {
        self.phase = Phase::Active;
        let has_csrf_token = self.credentials.csrf.is_some();
        self.change(|state| state.has_csrf_token = has_csrf_token);
        match self.config.carrier {
            CarrierChoice::Auto if self.upgrade.at.is_some_and(|at| at > now) => {
                self.start_polling(now, session);
            }
            CarrierChoice::Auto | CarrierChoice::WebSocket => self.open_socket(now),
            CarrierChoice::Poll => self.start_polling(now, session),
        }
    }

    fn open_socket(&mut self, now: Time) {
        let id = SocketId(self.id());
        self.socket = Some(Socket {
            id,
            phase: SocketPhase::Dialing,
            epoch: 0,
            wanted: None,
            since: now,
        });
        self.transmits.push_back(Transmit::Open(id));
    }

    pub(super) fn socket_opened(&mut self, now: Time, session: &mut Session, id: SocketId) {
        // One epoch below its own stays free for polling that starts beside it: whichever of both
        // hellos comes first, the WebSocket wins.
        let epoch = self.epoch + 2;
        let wanted = self.known_session();
        let Some(socket) = self
            .socket
            .as_mut()
            .filter(|socket| socket.id == id && socket.phase == SocketPhase::Dialing)
        else {
            return;
        };
        socket.phase = SocketPhase::Greeting;
        socket.epoch = epoch;
        socket.wanted = wanted;
        self.epoch = epoch;
        let hello = self.hello(now, session, epoch);
        let message = encode(session, &hello);
        self.transmits.push_back(Transmit::Message {
            socket: id,
            message,
        });
    }

    /// The epoch for polling that starts now.
    pub(super) fn polling_epoch(&mut self) -> u64 {
        match &self.socket {
            Some(socket) if socket.phase == SocketPhase::Greeting => socket.epoch - 1,
            _ => {
                self.epoch += 1;
                self.epoch
            }
        }
    }

    /// WebSocket is tried again, but not before the other carrier has had a while.
    pub(super) fn schedule_upgrade(&mut self, now: Time) {
        if self.config.carrier == CarrierChoice::Auto
            && self.upgrade.at.is_none()
            && !mutated!("give-up-websocket")
        {
            self.upgrade.at = Some(now + self.upgrade.delay);
            self.upgrade.delay = self
                .upgrade
                .delay
                .saturating_mul(2)
                .min(self.config.timing.upgrade_cap);
        }
    }

    pub(super) fn drop_socket(&mut self, clean: bool) {
        if let Some(socket) = self.socket.take() {
            // What is still to be sent on it goes first, a goodbye above all.
            let clean = clean && socket.phase != SocketPhase::Dialing;
            self.transmits.push_back(Transmit::Close {
                socket: socket.id,
                clean,
            });
        }
    }

    pub(super) fn dial_timer(&self) -> Option<Time> {
        let socket = self
            .socket
            .as_ref()
            .filter(|socket| socket.phase != SocketPhase::Live)?;
        let timing = &self.config.timing;
        Some(
            socket.since
                + match self.config.carrier {
                    CarrierChoice::Auto if self.polling.is_none() && self.active.is_none() => {
                        timing.fallback
                    }
                    CarrierChoice::Auto => timing.give_up,
                    CarrierChoice::WebSocket | CarrierChoice::Poll => self.config.limits.handshake,
                },
        )
    }

    pub(super) fn dial_timeout(&mut self, now: Time, session: &mut Session) {
        if self.dial_timer().is_some_and(|due| due <= now) {
            if self.config.carrier == CarrierChoice::Auto
                && self.polling.is_none()
                && self.active.is_none()
            {
                self.start_polling(now, session);
            } else {
                self.change(|state| {
                    state.last_ws_error = Some(
                        "the WebSocket was not answered in time: a proxy may swallow its frames"
                            .to_owned(),
                    );
                });
                let end = ConnectionEnd::Lost;
                self.carrier_failed(now, session, Carrier::WebSocket, end);
            }
        }
        if self.upgrade.at.is_some_and(|at| at <= now) {
            self.upgrade.at = None;
            if self.active == Some(Carrier::Poll) && self.socket.is_none() {
                self.open_socket(now);
            }
        }
    }
}
