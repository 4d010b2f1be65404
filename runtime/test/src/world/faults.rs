//! What goes wrong, and its end.

use std::time::Duration;

use bytes::Bytes;
use sente_proto::client::CarrierChoice;
use sente_proto::frame::{Data, Frame};
use sente_proto::server::Sessions;
use sente_proto::{Close, CloseReason, FreshReason, Time, wire};

use super::World;
use super::client::Rate;
use super::exchanges::Purpose;
use super::identities::NOBODY;
use super::queue::{Asked, ForClient, ForServer, What};
use crate::plan::Fault;
use crate::promise::Verdict;

/// A kind of fault, and to whom it happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    fault: Fault,
    mean: Duration,
    /// `None`: to anybody.
    client: Option<usize>,
}

impl World {
    pub(super) fn plan_faults(&mut self) {
        let of_all = self
            .plan
            .faults
            .iter()
            .map(|(fault, mean)| (*fault, *mean, None));
        let of_links = self.clients.iter().enumerate().flat_map(|(client, host)| {
            let faults = host.network.faults.iter();
            faults.map(move |(fault, mean)| (*fault, *mean, Some(client)))
        });
        self.faults = of_all
            .chain(of_links)
            .map(|(fault, mean, client)| Planned {
                fault,
                mean,
                client,
            })
            .collect();
        for place in 0..self.faults.len() {
            self.plan_fault(place);
        }
    }

    fn plan_fault(&mut self, place: usize) {
        let after = self.rng.around(self.faults[place].mean);
        self.queue.at(self.now + after, What::Fault(place));
    }

    /// A fault happens, if it is still time for that.
    pub(super) fn fault(&mut self, place: usize) -> Verdict {
        if self.now >= self.talk_until {
            return Ok(());
        }
        self.plan_fault(place);
        let Planned { fault, client, .. } = self.faults[place];
        let client = match client {
            Some(client) => self.successor(client),
            None => {
                let alive: Vec<_> = self.alive().map(|(client, _)| client).collect();
                self.rng.choose(&alive)
            }
        };
        self.trace
            .note(self.now, || format!("FAULT {fault:?} for client {client}"));
        self.coverage.meet(fault.name());
        let is_awake = self.clients[client].asleep.is_none();
        match fault {
            Fault::Cut => {
                if let Some(socket) = self.a_socket_of(client) {
                    self.cut(socket);
                }
            }
            Fault::HalfOpen => {
                if let Some(socket) = self.a_socket_of(client) {
                    let (which, now) = (self.rng.below(4), self.now);
                    let socket = &mut self.sockets[socket];
                    if which != 0 {
                        socket.up.dies(now);
                    }
                    if which != 1 {
                        socket.down.dies(now);
                    }
                }
            }
            Fault::SlowReader => {
                if let Some(socket) = self.a_socket_of(client) {
                    let now = self.now;
                    let until = now + self.rng.around(Duration::from_secs(2));
                    let up = self.rng.chance(0.5);
                    let socket = &mut self.sockets[socket];
                    if up {
                        socket.up.stalls(now, until);
                    } else {
                        socket.down.stalls(now, until);
                    }
                }
            }
            Fault::Offline => {
                let lasts = self.rng.around(Duration::from_secs(5));
                self.clients[client].offline_until = self.now + lasts;
                self.sockets_die(client, self.now);
            }
            Fault::Crash => {
                self.crash();
                let down = self.rng.around(Duration::from_secs(2));
                self.queue.at(self.now + down, What::Starts);
            }
            Fault::Shutdown => self.shut_down(),
            Fault::Kick => return self.kick(client),
            Fault::Duplicate => return self.duplicate(client),
            Fault::Kill => self.kill(client),
            Fault::LateTimers | Fault::ClockJump => {
                let whose = self.rng.chance(0.5).then_some(client);
                if fault == Fault::LateTimers {
                    self.timers_come_late(whose);
                } else {
                    self.clock_jumps(whose);
                }
            }
            Fault::Sleep if is_awake => {
                self.clients[client].asleep = Some(Vec::new());
                self.clients[client].fell_asleep = self.now;
                if self.rng.chance(0.5) {
                    // The network forgets who is silent.
                    let remembers = Duration::ZERO..Duration::from_secs(3);
                    let from = self.now + self.rng.within(&remembers);
                    self.sockets_die(client, from);
                }
                let lasts = self.rng.around(Duration::from_secs(15));
                self.queue.at(self.now + lasts, What::Wakes(client));
            }
            _ if is_awake && self.clients[client].wants_connection => {
                self.program_does(client, fault);
                return self.pump_client(client);
            }
            _ => {}
        }
        Ok(())
    }

    /// The client that has taken the place of that one.
    fn successor(&self, mut client: usize) -> usize {
        while let Some(next) = self.clients[client].successor {
            client = next;
        }
        client
    }

    fn sockets_die(&mut self, client: usize, from: Time) {
        for socket in &mut self.sockets {
            if socket.client == client {
                socket.up.dies(from);
                socket.down.dies(from);
            }
        }
    }

    fn a_socket_of(&mut self, client: usize) -> Option<usize> {
        let host = &self.clients[client];
        host.sockets.last_key_value().map(|(_, socket)| *socket)
    }

    /// What a client's program or its user does.
    fn program_does(&mut self, client: usize, fault: Fault) {
        let now = self.client_clock(client);
        let choice = self.rng.choose(&[
            CarrierChoice::Auto,
            CarrierChoice::WebSocket,
            CarrierChoice::Poll,
        ]);
        let other = self.rng.below(4);
        let shown = match other {
            0 => NOBODY.to_owned(),
            other => format!("user {other}"),
        };
        let back = self.now + self.rng.around(Duration::from_secs(3));
        let host = &mut self.clients[client];
        host.hellos = Rate::default();
        host.dials = Rate::default();
        let (machine, session) = (&mut host.machine, &mut host.session);
        match fault {
            Fault::ChooseCarrier => {
                host.choice = choice;
                machine.choose_carrier(now, session, choice);
            }
            Fault::Break => machine.break_connection(now, session),
            Fault::Wake => machine.wake(now, session),
            Fault::Hide => machine.set_background(now, session, other < 2),
            Fault::Reconnect => machine.reconnect(now, session),
            Fault::Reauthenticate => machine.reauthenticate(),
            Fault::ShowAnother => {
                host.shows = Some(shown);
                machine.reauthenticate();
                self.for_client(back, client, ForClient::IsItself);
            }
            Fault::ChangeUser => {
                host.user = format!("user {other}");
                machine.reconnect(now, session);
            }
            Fault::Disconnect => {
                machine.disconnect(now, session);
                host.wants_connection = false;
                self.for_client(back, client, ForClient::Connect);
            }
            _ => {}
        }
    }

    pub(super) fn wakes(&mut self, client: usize) -> Verdict {
        let Some(missed) = self.clients[client].asleep.take() else {
            return Ok(());
        };
        let (now, timing) = (self.now, self.plan.timing);
        let host = &mut self.clients[client];
        host.clock.excuse(now);
        let is_long = now - host.fell_asleep > timing.watch + timing.slept;
        host.woke = is_long.then_some(now);
        self.trace
            .note(self.now, || format!("client {client} wakes"));
        let timers_first = self.rng.chance(0.5);
        if timers_first {
            self.client_timer(client)?;
        }
        for (came, what) in missed {
            self.client_hears(client, came, what)?;
        }
        if !timers_first {
            self.client_timer(client)?;
        }
        Ok(())
    }

    // ---- the server ----

    fn crash(&mut self) {
        if !self.server.is_up() {
            return;
        }
        self.server.sessions = None;
        self.model.restarts(self.now);
        let seats = std::mem::take(&mut self.server.seats);
        for (half, seated) in seats.into_iter().enumerate() {
            let Some(seated) = seated else { continue };
            self.model.vanishes(half, self.now);
            for held in seated.held() {
                self.request_lost(held.of);
            }
        }
        for socket in 0..self.sockets.len() {
            if std::mem::replace(&mut self.sockets[socket].server_open, false)
                && self.sockets[socket].client_open
            {
                self.end_dies(socket);
            }
        }
    }

    /// The program at one end of a WebSocket has died. Mostly the operating system tells; if the
    /// machine died, nobody does.
    fn end_dies(&mut self, socket: usize) {
        if self.rng.chance(0.7) {
            self.cut(socket);
        }
        let now = self.now;
        self.sockets[socket].up.dies(now);
        self.sockets[socket].down.dies(now);
    }

    /// A client's program dies, and another one of the same user starts.
    fn kill(&mut self, client: usize) {
        let next = self.clients.len();
        let host = &mut self.clients[client];
        host.is_dead = true;
        host.timer = None;
        host.successor = Some(next);
        let (half, user) = (host.program.half, host.user.clone());
        let network = host.network.clone();
        self.model.vanishes(half, self.now);
        for socket in 0..self.sockets.len() {
            let of = &mut self.sockets[socket];
            if of.client == client && std::mem::replace(&mut of.client_open, false) {
                self.end_dies(socket);
            }
        }
        let exchanges = std::mem::take(&mut self.clients[client].exchanges);
        for exchange in exchanges {
            self.abort(client, exchange);
        }
        self.add_client(user, network);
    }

    pub(super) fn starts(&mut self) {
        // After a shutdown the old program ends here.
        self.crash();
        self.server.run = self.server.rng.bits();
        self.server.sessions = Some(Sessions::new(self.plan.caps, self.plan.limits.window));
        self.trace.note(self.now, || "the server starts".to_owned());
    }

    /// Closes all sessions at random moments within a second, and stays closed to fresh ones until
    /// the program is started anew.
    fn shut_down(&mut self) {
        let Some(sessions) = &mut self.server.sessions else {
            return;
        };
        sessions.close(Duration::from_secs(1));
        let halves: Vec<_> = self.server.alive().map(|(half, _)| half).collect();
        let second = Duration::ZERO..Duration::from_secs(1);
        for half in halves {
            let at = self.now + self.rng.within(&second);
            self.for_server(at, ForServer::Drain { half });
        }
        // The program is started anew when the last has been told.
        self.queue
            .at(self.now + Duration::from_secs(3), What::Starts);
    }

    fn kick(&mut self, client: usize) -> Verdict {
        let peer = self.model.half(self.clients[client].program.half).peer;
        let Some(half) = peer.filter(|half| self.server.seat(*half).is_some()) else {
            return Ok(());
        };
        self.meet_in_flight(half, "call: in flight at a kick");
        let close = Close::new(CloseReason::Kicked);
        self.end_session(half, &close, FreshReason::Requested)
    }

    /// Says the client's last hello again under another epoch, by a carrier that nobody reads.
    fn duplicate(&mut self, client: usize) -> Verdict {
        let codec = self.plan.codec;
        let limits = self.plan.limits.wire();
        let said = self.clients[client].last_hello.as_ref();
        let said = said.and_then(|(bytes, is_body)| {
            if *is_body {
                wire::frames_of_body(codec, bytes, &limits).next()?.ok()
            } else {
                wire::decode(codec, bytes, &limits).ok()
            }
        });
        let Some(Frame::Hello(mut hello)) = said else {
            return Ok(());
        };
        // Mostly it takes over; an old one must not.
        hello.epoch = match self.rng.below(4) {
            0 => hello.epoch.saturating_sub(1),
            _ => hello.epoch + 1_000,
        };
        let hello = Frame::Hello(hello);
        if self.rng.chance(0.5) {
            if !self.server.is_up() {
                // Nobody takes the connection.
                return Ok(());
            }
            let mut message = Vec::new();
            wire::encode(codec, &hello, &mut message);
            let socket = self.add_socket(client, None);
            self.send_up(socket, Bytes::from(message));
            // Without it the copy's welcome is lost on the way, and it does not take over.
            if self.rng.chance(0.7) {
                let mut message = Vec::new();
                wire::encode(codec, &Frame::Data(Data::default()), &mut message);
                self.send_up(socket, Bytes::from(message));
            }
        } else {
            let mut body = Vec::new();
            wire::append_to_body(codec, &hello, &mut body);
            let exchange = None;
            let of = Asked { client, exchange };
            let patience = self.plan.limits.handshake;
            self.post(of, Bytes::from(body), Purpose::Hello, patience);
        }
        Ok(())
    }

    // ---- the end ----

    /// No more faults: the network is good, everybody is awake and wants to be connected.
    pub(super) fn calm_down(&mut self) -> Verdict {
        self.trace.note(self.now, || "all is well".to_owned());
        let now = self.now;
        self.server.clock.late_until = now;
        // One that ends before an event has got through gets nobody anywhere.
        let enough = self.plan.longest_queue();
        self.plan.identities = self.plan.identities.map(|lasts| lasts.max(enough));
        let clients: Vec<_> = self.alive().map(|(client, _)| client).collect();
        for client in clients {
            let host = &mut self.clients[client];
            host.offline_until = now;
            host.network.calm_down();
            host.clock.late_until = now;
            self.wakes(client)?;
            let choice = self.plan.carrier;
            let now = self.client_clock(client);
            let host = &mut self.clients[client];
            host.wants_connection = true;
            host.choice = choice;
            host.machine.choose_carrier(now, &mut host.session, choice);
            host.machine.connect(now, &mut host.session);
            self.pump_client(client)?;
        }
        Ok(())
    }

    /// All clients say goodbye.
    pub(super) fn let_go(&mut self) -> Verdict {
        self.is_over = true;
        let clients: Vec<_> = self.alive().map(|(client, _)| client).collect();
        for client in clients {
            let now = self.client_clock(client);
            let host = &mut self.clients[client];
            host.machine.disconnect(now, &mut host.session);
            self.pump_client(client)?;
        }
        Ok(())
    }
}
