//! What is looked at after every step, and what has to be true in the end.

use std::time::Duration;

use sente_proto::Carrier;
use sente_proto::client::CarrierChoice;
use sente_proto::session::Session;

use super::World;
use crate::model::PROMPT;
use crate::network::Sockets;
use crate::promise::{Promise, Verdict};

impl World {
    /// The session's own numbers stay within its limits, and cover what the model knows.
    pub(super) fn check_session(&mut self, place: usize, of_client: bool) -> Verdict {
        let (session, program) = if of_client {
            let host = &mut self.clients[place];
            (&host.session, &mut host.program)
        } else {
            let seats = &mut self.server.seats;
            match seats.get_mut(place).and_then(Option::as_deref_mut) {
                Some(seated) => (&seated.session, &mut seated.program),
                None => return Ok(()),
            }
        };
        let half = program.half;
        let limits = if of_client {
            &self.plan.client_limits
        } else {
            &self.plan.limits
        };
        self.model.check_outbox(half, session.queued())?;
        let lingers = self.model.is_calm
            && session.is_attached()
            && session.queued() > 0
            && self.model.is_delivered(half);
        program.unacknowledged = program
            .unacknowledged
            .filter(|_| lingers)
            .or_else(|| lingers.then_some(self.now));
        program.check_room(session)?;
        let handlers = limits.handlers as usize;
        if program.handlers() > handlers {
            return Err(Promise::Bounded.broken(format!(
                "half {half} runs {} handlers of {handlers}",
                program.handlers()
            )));
        }
        // Replies and cancels are never refused: one for each handler here, each call that waits for
        // its acknowledgement, and each that runs at the other side.
        let (ours, theirs) = (&self.plan.limits, &self.plan.client_limits);
        let most = 2 * limits.outbox_events + (ours.handlers + theirs.handlers) as usize;
        if session.queued() > most {
            return Err(Promise::Bounded.broken(format!(
                "the outbox of half {half} holds {} items of {most}",
                session.queued()
            )));
        }
        // Replies have as much room again as all else, and the last one may be as large as it likes.
        let most = 2 * limits.outbox_bytes + limits.max_message;
        if session.queued_bytes() > most {
            return Err(Promise::Bounded.broken(format!(
                "the outbox of half {half} holds {} bytes of {most}",
                session.queued_bytes()
            )));
        }
        if session.queued_bytes() >= limits.outbox_bytes || session.queued() >= limits.outbox_events
        {
            self.coverage.meet("outbox: full");
        }
        Ok(())
    }

    /// No call is open whose deadline has passed, unless its program sleeps.
    pub(super) fn check_deadlines(&self) -> Verdict {
        for (_, host) in self.alive() {
            if host.asleep.is_none() && !host.clock.is_excused(self.now) {
                self.model.check_deadlines(host.program.half, self.now)?;
            }
        }
        if !self.server.clock.is_excused(self.now) {
            for (half, _) in self.server.alive() {
                self.model.check_deadlines(half, self.now)?;
            }
        }
        Ok(())
    }

    /// Where nothing goes wrong, deliveries are acknowledged promptly.
    pub(super) fn check_acknowledgements(&self) -> Verdict {
        if !self.model.is_calm {
            return Ok(());
        }
        let clients = self.clients.iter().map(|host| &host.program);
        let seats = self.server.alive().map(|(_, seated)| &seated.program);
        for program in clients.chain(seats) {
            if program
                .unacknowledged
                .is_some_and(|since| self.now - since > PROMPT)
            {
                return Err(Promise::Arrival.broken(format!(
                    "what half {} has sent is delivered and not acknowledged",
                    program.half
                )));
            }
        }
        Ok(())
    }

    /// Every client is connected, and all that it and the server have sent has come.
    pub(super) fn is_settled(&self) -> Verdict {
        for (client, host) in self.alive() {
            if !host.machine.state().open {
                return Err(Promise::Carriers.broken(format!(
                    "client {client} is not connected: {:?}",
                    host.machine
                )));
            }
            let peer = self.model.half(host.program.half).peer;
            let server = peer
                .and_then(|half| self.server.seats.get(half)?.as_deref())
                .ok_or_else(|| {
                    Promise::Announced
                        .broken(format!("client {client} has no session at the server"))
                })?;
            for (at, session) in [("client", &host.session), ("server", &server.session)] {
                if session.queued() > 0 {
                    return Err(Promise::Arrival
                        .broken(format!("client {client}, at the {at}: {session:?}")));
                }
                if session.calls_in_flight() > 0 {
                    return Err(
                        Promise::Calls.broken(format!("client {client}, at the {at}: {session:?}"))
                    );
                }
                if session.handlers_running() > 0 {
                    return Err(Promise::Deadlines
                        .broken(format!("client {client}: handlers run at the {at}")));
                }
            }
            self.comes_back_to_websocket(client)?;
        }
        self.model.is_settled()
    }

    /// Where WebSockets work, and it may, a client uses one before long.
    fn comes_back_to_websocket(&self, client: usize) -> Verdict {
        let host = &self.clients[client];
        let soon = self.plan.timing.upgrade_cap <= Duration::from_secs(10);
        let works = host.network.sockets == [Sockets::Work];
        let polls = host.machine.state().carrier == Some(Carrier::Poll);
        if soon && works && polls && self.plan.carrier == CarrierChoice::Auto {
            let how = format!("client {client} still polls, and WebSockets work");
            return Err(Promise::Carriers.broken(how));
        }
        Ok(())
    }

    /// Nothing is left of the clients that have gone.
    pub(super) fn is_empty(&self) -> Verdict {
        let left = |what: String| Err(Promise::Cleared.broken(what));
        match self.server.sessions.as_ref() {
            Some(sessions) if sessions.is_empty() => {}
            sessions => return left(format!("the registry is {sessions:?}")),
        }
        if let Some((half, _)) = self.server.alive().next() {
            return left(format!("half {half} is not in the registry and lives"));
        }
        for (client, host) in self.alive() {
            if let Some(timer) = host.timer {
                return left(format!("client {client} still wakes at {timer:?}"));
            }
            if !host.machine.is_at_rest() {
                return left(format!(
                    "client {client} is not at rest: {:?}",
                    host.machine
                ));
            }
            if host.session.handlers_running() > 0 {
                return left(format!("handlers of client {client} run"));
            }
            nothing_left(&format!("client {client}"), &host.session)?;
        }
        Ok(())
    }
}

/// A session that has ended, or begun and done nothing yet, holds nothing.
pub(super) fn nothing_left(whose: &str, session: &Session) -> Verdict {
    if session.is_empty() {
        return Ok(());
    }
    let how = format!("{whose}: something is left in {session:?}");
    Err(Promise::Cleared.broken(how))
}
