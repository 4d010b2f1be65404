//! Who has noticed what in time: carriers that are dead, clients that are gone.

use sente_proto::Time;

use super::World;
use crate::promise::{Promise, Verdict};

impl World {
    /// Nobody takes for alive what has been silent for too long, whatever it has written to it.
    pub(super) fn check_notice(&self) -> Verdict {
        let late = |who: String, what: &str, since: Time| {
            let since = self.now - since;
            Err(Promise::Noticed.broken(format!("{who}: {what} for {since:?}")))
        };
        let limits = &self.plan.limits;
        for (client, host) in self.alive() {
            // What is probed may take that much longer.
            let until =
                host.heard.max(host.clock.excused_until) + limits.silence + self.plan.timing.probe;
            let takes_for_alive = host.asleep.is_none() && host.machine.state().open;
            // What was sent before it woke is no sign of life, but what it waits for may be behind that.
            let woke = host.woke.filter(|woke| host.heard_of < *woke);
            let answers_by = |woke: Time| {
                (woke.max(host.heard) + self.plan.timing.probe).max(host.clock.excused_until)
            };
            if let Some(woke) = woke.filter(|woke| self.now > answers_by(*woke))
                && takes_for_alive
            {
                return late(
                    format!("client {client}"),
                    "it is awake and nothing answers",
                    woke,
                );
            }
            if takes_for_alive && self.now > until {
                return late(
                    format!("client {client}"),
                    "its carrier is silent",
                    host.heard,
                );
            }
        }
        let clock = &self.server.clock;
        if clock.is_excused(self.now) {
            return Ok(());
        }
        for (half, seated) in self.server.alive() {
            let (since, patience, what) = if !seated.seat.is_confirmed() {
                (seated.began, limits.handshake, "it is unconfirmed")
            } else if seated.seat.carrier().is_some() {
                (seated.heard, limits.silence, "its carrier is silent")
            } else {
                (seated.heard, limits.window, "nobody has come back")
            };
            if self.now > (since + patience).max(clock.excused_until) {
                return late(format!("server {half}"), what, since);
            }
        }
        Ok(())
    }
}
