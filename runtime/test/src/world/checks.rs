//! What is looked at after every step, and what has to be true in the end.

use super::World;
use crate::model::{PROMPT, Verdict};

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
            return Err(format!(
                "half {half} runs {} handlers of {handlers}",
                program.handlers()
            ));
        }
        // Replies and cancels are never refused: one for each handler here, each call that waits for
        // its acknowledgement, and each that runs at the other side.
        let (ours, theirs) = (&self.plan.limits, &self.plan.client_limits);
        let most = 2 * limits.outbox_events + (ours.handlers + theirs.handlers) as usize;
        if session.queued() > most {
            return Err(format!(
                "the outbox of half {half} holds {} items of {most}",
                session.queued()
            ));
        }
        let most = limits.outbox_bytes + (1 + handlers) * limits.max_message;
        if session.queued_bytes() > most {
            return Err(format!(
                "the outbox of half {half} holds {} bytes of {most}",
                session.queued_bytes()
            ));
        }
        if session.queued_bytes() >= limits.outbox_bytes || session.queued() >= limits.outbox_events
        {
            self.coverage.meet("outboxes full");
        }
        Ok(())
    }

    /// No call is open whose deadline has passed, unless its program sleeps.
    pub(super) fn check_deadlines(&self) -> Verdict {
        for host in &self.clients {
            if host.asleep.is_none() {
                self.model.check_deadlines(host.program.half, self.now)?;
            }
        }
        for (half, _) in self.server.alive() {
            self.model.check_deadlines(half, self.now)?;
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
                return Err(format!(
                    "what half {} has sent is delivered and not acknowledged",
                    program.half
                ));
            }
        }
        Ok(())
    }

    /// Every client is connected, and all that it and the server have sent has come.
    pub(super) fn is_settled(&self) -> Verdict {
        for (client, host) in self.clients.iter().enumerate() {
            if !host.machine.state().open {
                return Err(format!(
                    "client {client} is not connected: {:?}",
                    host.machine
                ));
            }
            let peer = self.model.half(host.program.half).peer;
            let server = peer
                .and_then(|half| self.server.seats.get(half)?.as_deref())
                .ok_or_else(|| format!("client {client} has no session at the server"))?;
            for (at, session) in [("client", &host.session), ("server", &server.session)] {
                if session.queued() > 0 || session.calls_in_flight() > 0 {
                    return Err(format!("client {client}, at the {at}: {session:?}"));
                }
                if session.handlers_running() > 0 {
                    return Err(format!("client {client}: handlers run at the {at}"));
                }
            }
        }
        self.model.is_settled()
    }

    /// Nothing is left of the clients that have gone.
    pub(super) fn is_empty(&self) -> Verdict {
        match self.server.sessions.as_ref() {
            Some(sessions) if sessions.is_empty() => {}
            sessions => return Err(format!("the registry is {sessions:?}")),
        }
        if let Some((half, _)) = self.server.alive().next() {
            return Err(format!("half {half} is not in the registry and lives"));
        }
        for (client, host) in self.clients.iter().enumerate() {
            if let Some(timer) = host.timer {
                return Err(format!("client {client} still wakes at {timer:?}"));
            }
            if host.session.queued() > 0 || host.session.calls_in_flight() > 0 {
                return Err(format!("client {client}: {:?}", host.session));
            }
        }
        Ok(())
    }
}
