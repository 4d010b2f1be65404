//! Clocks: each program has its own, which may jump ahead, and timers, which may come late.

use std::time::Duration;

use sente_proto::Time;

use super::World;

/// The clock and the timers of a program.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// How far it has jumped ahead of that of the world.
    pub(super) ahead: Duration,
    /// Its timers come no earlier than then.
    pub(super) late_until: Time,
    /// Until then nobody can expect that it does anything in time.
    pub(super) excused_until: Time,
}

impl Clock {
    /// What it shows.
    pub(super) fn reads(&self, at: Time) -> Time {
        at + self.ahead
    }

    /// When a timer comes that is set to what this clock shows as `due`.
    pub(super) fn comes(&self, due: Time) -> Time {
        let at = due.since_unix().saturating_sub(self.ahead);
        Time::from_unix(at).max(self.late_until)
    }

    /// The program slept, or its clock has jumped: it does what it should from now on.
    pub(super) fn excuse(&mut self, until: Time) {
        self.excused_until = self.excused_until.max(until);
    }

    pub(super) fn is_excused(&self, at: Time) -> bool {
        at <= self.excused_until
    }

    fn is_late(&mut self, until: Time) {
        self.late_until = until;
        self.excuse(until);
    }
}

impl World {
    pub(super) fn client_clock(&self, client: usize) -> Time {
        self.clients[client].clock.reads(self.now)
    }

    pub(super) fn server_clock(&self) -> Time {
        self.server.clock.reads(self.now)
    }

    /// The clock of a client, or of the server, jumps ahead.
    pub(super) fn clock_jumps(&mut self, client: Option<usize>) {
        let by = self.rng.around(Duration::from_secs(20));
        let now = self.now;
        let clock = self.clock_of(client);
        clock.ahead += by;
        clock.excuse(now);
        let ahead = clock.ahead;
        match client {
            Some(client) => {
                let half = self.clients[client].program.half;
                self.model.clock_jumps(half, ahead);
            }
            None => {
                let halves: Vec<_> = self.server.alive().map(|(half, _)| half).collect();
                self.model.server_clock_jumps(now);
                for half in halves {
                    self.model.clock_jumps(half, ahead);
                }
            }
        }
    }

    /// The timers of a client, or of the server, come late for a while.
    pub(super) fn timers_come_late(&mut self, client: Option<usize>) {
        let until = self.now + self.rng.around(Duration::from_secs(4));
        self.clock_of(client).is_late(until);
    }

    fn clock_of(&mut self, client: Option<usize>) -> &mut Clock {
        match client {
            Some(client) => &mut self.clients[client].clock,
            None => &mut self.server.clock,
        }
    }
}
