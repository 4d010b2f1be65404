//! What a client's machine tells its program of itself, and what coverage makes of that.

use std::time::Duration;

use sente_proto::client::{CarrierChoice, ConnectionEnd, Event, SessionState, State};
use sente_proto::session::Unconfirmed;
use sente_proto::{Carrier, CloseReason, FreshReason};

use super::World;
use super::queue::ForClient;
use super::server::At;
use crate::model::Owner;
use crate::network::Network;
use crate::promise::{Promise, Verdict};

impl World {
    pub(super) fn client_event(&mut self, client: usize, event: Event) -> Verdict {
        let now = self.now;
        match event {
            Event::SessionEnded {
                reason,
                unconfirmed,
            } => {
                self.trace.note(now, || {
                    let back = unconfirmed.events.len();
                    format!("client {client}: session ends, {reason:?}, {back} events come back")
                });
                if let Some(name) = fresh_name(reason) {
                    self.coverage.meet(name);
                }
                self.meet_unconfirmed(&unconfirmed);
                let host = &mut self.clients[client];
                let half = host.program.half;
                let next = self.model.begin(Owner::Client, host.clock.ahead, now);
                host.program.goes_on_as(next);
                host.ended = Some(reason);
                self.model.ends(half, reason, &unconfirmed, now)
            }
            Event::NotTaken(events) => {
                self.coverage.meet("event: comes back, not taken");
                let half = self.clients[client].program.half;
                self.model.not_taken(half, &events)
            }
            Event::Changed(change) => {
                let (old, new) = (&change.old, &change.new);
                self.check_change(client, old, new)?;
                self.check_calm(client, old, new)?;
                if new.open && (!old.open || old.carrier != new.carrier) {
                    self.trace.note(now, || {
                        format!("client {client}: open by {:?}", new.carrier)
                    });
                }
                self.meet_change(client, old, new);
                if let Some(id) = new.session_id.filter(|_| old.session_id != new.session_id)
                    && let Some(half) = self.server.half_of(id)
                {
                    let own = self.clients[client].program.half;
                    self.model.join(own, half)?;
                }
                if new.open && (!old.open || old.carrier != new.carrier) {
                    self.carrier_is_used(client, new.carrier);
                }
                if old.refused.is_none() && new.refused.is_some() && new.next_reconnect_at.is_none()
                {
                    // Its user tries again after a while.
                    let back = now + self.rng.around(Duration::from_secs(3));
                    self.for_client(back, client, ForClient::Connect);
                }
                if let Some(refused) = new.refused.as_ref().filter(|_| old.refused.is_none()) {
                    self.trace
                        .note(now, || format!("client {client}: refused, {refused:?}"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// From now on both ends use that carrier, if the server has not gone on to another already.
    fn carrier_is_used(&mut self, client: usize, carrier: Option<Carrier>) {
        let host = &mut self.clients[client];
        let half = host.program.half;
        let socket = host.sockets.last_key_value().map(|(_, socket)| *socket);
        let (served_since, is_poll) = match (carrier, socket) {
            (Some(Carrier::WebSocket), Some(socket)) => {
                self.sockets[socket].used_since = Some(self.now);
                (self.sockets[socket].served_since, false)
            }
            _ => {
                host.polls_used_since = Some(self.now);
                (host.polls_served_since, true)
            }
        };
        let (Some(served_since), Some(peer)) = (served_since, self.model.half(half).peer) else {
            return;
        };
        let is_current = self
            .server
            .seat(peer)
            .is_some_and(|seated| match seated.carrier {
                At::Socket(current) => !is_poll && socket == Some(current),
                At::Poll(_) => is_poll,
                At::Nothing => false,
            });
        let used_since = is_current.then_some(self.now);
        self.model.hear_each_other(peer, served_since, used_since);
    }

    /// Changes follow each other without a gap, and only carriers that were chosen serve.
    fn check_change(&mut self, client: usize, old: &State, new: &State) -> Verdict {
        let host = &mut self.clients[client];
        if host.told != *old {
            return Err(Promise::Announced.broken(format!(
                "client {client} was told of a change from {old:?}, and its state was {:?}",
                host.told
            )));
        }
        host.told.clone_from(new);
        let closed = new.last_close.as_ref().map(|close| &close.reason);
        let was_lost = old.open
            && !new.open
            && matches!(
                closed,
                Some(
                    ConnectionEnd::Lost
                        | ConnectionEnd::Silent
                        | ConnectionEnd::Server(CloseReason::Replaced)
                )
            );
        // As it was from the start: one that has calmed down may have lost something before.
        let is_sound = self
            .plan
            .networks()
            .nth(client)
            .is_some_and(Network::is_sound);
        if was_lost && self.plan.faults.is_empty() && is_sound {
            return Err(Promise::Carriers.broken(format!(
                "client {client} was {closed:?} by {:?}, with which nothing was wrong",
                old.carrier
            )));
        }
        if new.session_id.is_some() && new.session_id != old.session_id {
            let told = host.ended.take().unwrap_or(FreshReason::First);
            let reason = told;
            if new.session != Some(SessionState::Fresh { reason }) {
                return Err(Promise::Announced.broken(format!(
                    "client {client} was told {told:?}, and its state says {:?}",
                    new.session
                )));
            }
        }
        let chosen = match host.choice {
            CarrierChoice::Auto => true,
            CarrierChoice::WebSocket => new.carrier != Some(Carrier::Poll),
            CarrierChoice::Poll => new.carrier != Some(Carrier::WebSocket),
        };
        if !chosen {
            return Err(Promise::Carriers.broken(format!(
                "client {client} is served by {:?} and chose {:?}",
                new.carrier, host.choice
            )));
        }
        Ok(())
    }

    /// Where nothing goes wrong, no connection does.
    fn check_calm(&self, client: usize, old: &State, new: &State) -> Verdict {
        let closes = old.open && !new.open && self.model.is_calm && !self.is_over;
        if !closes {
            return Ok(());
        }
        match new.last_close.as_ref().map(|close| &close.reason) {
            Some(
                end @ (ConnectionEnd::Lost
                | ConnectionEnd::Silent
                | ConnectionEnd::Server(CloseReason::Silent | CloseReason::IdentityExpired)),
            ) => Err(Promise::Noticed.broken(format!(
                "client {client} takes its connection for dead ({end:?}), and it was not"
            ))),
            _ => Ok(()),
        }
    }

    fn meet_change(&mut self, client: usize, old: &State, new: &State) {
        use Carrier::{Poll, WebSocket};
        let moved = match (old.carrier, new.carrier) {
            (None, Some(WebSocket)) => Some("client: none to WebSocket"),
            (None, Some(Poll)) => Some("client: none to Poll"),
            (Some(WebSocket), None) => Some("client: WebSocket to none"),
            (Some(Poll), None) => Some("client: Poll to none"),
            (Some(Poll), Some(WebSocket)) => Some("client: Poll to WebSocket"),
            _ => None,
        };
        if let Some(moved) = moved {
            self.coverage.meet(moved);
        }
        if old.next_reconnect_at.is_none() && new.next_reconnect_at.is_some() {
            self.coverage.meet("client: waits before it dials again");
        }
        if old.refused.is_none() && new.refused.is_some() {
            self.coverage.meet("client: refused");
        }
        if old.last_close != new.last_close
            && let Some(close) = &new.last_close
            && matches!(close.reason, ConnectionEnd::Server(_))
        {
            self.coverage.meet("client: closed by the server");
        }
        if !old.open && new.open {
            self.coverage.meet(match new.session {
                Some(SessionState::Resumed) => "session: resumed",
                _ if new.first_open => "session: first",
                _ => "session: taken up",
            });
            if self.clients[client].session.calls_in_flight() > 0 {
                self.coverage.meet("session: resumed with calls in flight");
            }
        }
    }

    pub(super) fn meet_unconfirmed(&mut self, unconfirmed: &Unconfirmed) {
        for event in &unconfirmed.events {
            self.coverage.meet(if event.maybe_received {
                "session: events come back, maybe received"
            } else {
                "session: events come back, never sent"
            });
        }
    }
}

/// What a fresh session counts as; `None` if none is to be fresh for that.
fn fresh_name(reason: FreshReason) -> Option<&'static str> {
    Some(match reason {
        FreshReason::Restarted => "session: fresh, restarted",
        FreshReason::Expired => "session: fresh, expired",
        FreshReason::Overflow => "session: fresh, overflow",
        FreshReason::UserChanged => "session: fresh, user changed",
        FreshReason::Replaced => "session: fresh, replaced",
        FreshReason::Requested => "session: fresh, requested",
        FreshReason::Shutdown => "session: fresh, shutdown",
        _ => return None,
    })
}
