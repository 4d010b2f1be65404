//! What can be met in a run, and how often it was.

use std::collections::BTreeMap;
use std::fmt;

/// How often each thing was met. All that can be met is in it from the start, with 0.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Coverage(BTreeMap<&'static str, u64>);

impl Default for Coverage {
    fn default() -> Self {
        Self(ALL.iter().map(|what| (*what, 0)).collect())
    }
}

impl Coverage {
    pub(crate) fn meet(&mut self, what: &'static str) {
        debug_assert!(self.0.contains_key(what), "`{what}` is not in the list");
        *self.0.entry(what).or_default() += 1;
    }

    /// How often `what` was met.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// What was never met.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.0
            .iter()
            .filter_map(|(what, count)| (*count == 0).then_some(*what))
    }

    /// Adds what another run has met.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.0 {
            writeln!(f, "{count:>12}  {what}")?;
        }
        Ok(())
    }
}

/// All that can be met: the faults, what they do, and what becomes of carriers, sessions, events and
/// calls.
const ALL: &[&str] = &[
    "fault: break connection",
    "fault: change user",
    "fault: choose carrier",
    "fault: clock jump",
    "fault: crash",
    "fault: cut",
    "fault: disconnect",
    "fault: duplicate",
    "fault: half-open",
    "fault: hide",
    "fault: kick",
    "fault: kill",
    "fault: late timers",
    "fault: offline",
    "fault: reauthenticate",
    "fault: reconnect",
    "fault: show another",
    "fault: shutdown",
    "fault: sleep",
    "fault: slow reader",
    "fault: wake",
    "identity: another one in the middle",
    "identity: expired",
    "identity: shown anew",
    "identity: warned of its end",
    "network: hello by post lost",
    "network: message cut off",
    "network: message stalled by TCP",
    "network: message swallowed",
    "network: message waits for a slow reader",
    "network: poll lost",
    "network: request blocked",
    "network: request repeated",
    "network: response broken off",
    "network: response to a hello lost",
    "network: response to a poll lost",
    "network: response to a send lost",
    "network: send lost",
    "network: socket brief",
    "network: socket deaf",
    "network: socket greeted",
    "network: socket hangs",
    "network: socket refused",
    "network: socket swallowed",
    "carrier: backed up",
    "carrier: silent, says the client",
    "carrier: silent, says the server",
    "carrier: pinged",
    "carrier: probed after a sleep",
    "carrier: no hello in time",
    "carrier: hello overtaken",
    "carrier: late poll",
    "carrier: held poll superseded",
    "carrier: brief poll",
    "carrier: poll beside others",
    "carrier: request too late",
    "client: none to WebSocket",
    "client: none to Poll",
    "client: WebSocket to none",
    "client: Poll to none",
    "client: Poll to WebSocket",
    "client: waits before it dials again",
    "client: refused",
    "client: closed by the server",
    "server: none to WebSocket",
    "server: none to Poll",
    "server: WebSocket to none",
    "server: Poll to none",
    "server: WebSocket to WebSocket",
    "server: WebSocket to Poll",
    "server: Poll to WebSocket",
    "server: Poll to Poll",
    "session: first",
    "session: resumed",
    "session: taken up",
    "session: asked for again by the same attempt",
    "session: ended by its client",
    "session: ended by the server",
    "session: ended unconfirmed",
    "session: fresh, expired",
    "session: fresh, overflow",
    "session: fresh, replaced",
    "session: fresh, requested",
    "session: fresh, restarted",
    "session: fresh, shutdown",
    "session: fresh, user changed",
    "session: events come back, never sent",
    "session: events come back, maybe received",
    "session: resumed with calls in flight",
    "event: reliable delivered",
    "event: latest delivered",
    "event: latest superseded",
    "event: volatile delivered",
    "event: volatile dropped",
    "event: not known there",
    "event: too large there",
    "event: refused by a full outbox",
    "event: comes back, not taken",
    "event: replayed",
    "event: skipped",
    "outbox: full",
    "call: delivered",
    "call: replied",
    "call: rejected",
    "call: failed",
    "call: timed out, never sent",
    "call: timed out, maybe executed",
    "call: disconnected, never sent",
    "call: disconnected, maybe executed",
    "call: waits for room",
    "call: gets room",
    "call: released",
    "call: its reply finds no room",
    "call: finds no room in time",
    "call: too large there",
    "call: cancelled",
    "call: its handler cancelled",
    "call: in flight at a kick",
    "call: in flight at a shutdown",
];
