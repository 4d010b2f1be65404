//! What goes wrong, and its end.

use std::time::Duration;

use bytes::Bytes;
use sente_proto::client::CarrierChoice;
use sente_proto::codec::Codec;
use sente_proto::frame::Frame;
use sente_proto::server::{Caps, Sessions};
use sente_proto::{Close, CloseReason, FreshReason, wire};

use super::World;
use super::queue::{ForClient, ForServer, What};
use crate::model::Verdict;
use crate::network::Sockets;
use crate::plan::Fault;

impl World {
    pub(super) fn plan_faults(&mut self) {
        let network = std::mem::take(&mut self.plan.network.faults);
        self.plan.faults.extend(network);
        for place in 0..self.plan.faults.len() {
            self.plan_fault(place);
        }
    }

    fn plan_fault(&mut self, place: usize) {
        let after = self.rng.around(self.plan.faults[place].1);
        self.queue.at(self.now + after, What::Fault(place));
    }

    /// A fault happens, if it is still time for that.
    pub(super) fn fault(&mut self, place: usize) -> Verdict {
        if self.now >= self.talk_until {
            return Ok(());
        }
        self.plan_fault(place);
        let (fault, _) = self.plan.faults[place];
        let client = self.rng.below(self.clients.len());
        self.trace
            .note(self.now, || format!("FAULT {fault:?} for client {client}"));
        self.coverage.meet(name(fault));
        let is_awake = self.clients[client].asleep.is_none();
        match fault {
            Fault::Cut => {
                if let Some(socket) = self.a_socket_of(client) {
                    self.cut(socket);
                }
            }
            Fault::HalfOpen => {
                if let Some(socket) = self.a_socket_of(client) {
                    let which = self.rng.below(4);
                    let socket = &mut self.sockets[socket];
                    socket.up.dead |= which != 0;
                    socket.down.dead |= which != 1;
                }
            }
            Fault::Offline => {
                let lasts = self.rng.around(Duration::from_secs(5));
                self.clients[client].offline_until = self.now + lasts;
                for socket in &mut self.sockets {
                    if socket.client == client {
                        socket.up.dead = true;
                        socket.down.dead = true;
                    }
                }
            }
            Fault::Crash => {
                self.crash();
                let down = self.rng.around(Duration::from_secs(2));
                self.queue.at(self.now + down, What::Starts);
            }
            Fault::Shutdown => self.shut_down(),
            Fault::Kick => return self.kick(client),
            Fault::Duplicate => self.duplicate(client),
            Fault::Sleep if is_awake => {
                self.clients[client].asleep = Some(Vec::new());
                let lasts = self.rng.around(Duration::from_secs(8));
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

    fn a_socket_of(&mut self, client: usize) -> Option<usize> {
        let host = &self.clients[client];
        host.sockets.last_key_value().map(|(_, socket)| *socket)
    }

    /// What a client's program or its user does.
    fn program_does(&mut self, client: usize, fault: Fault) {
        let now = self.now;
        let choice = self.rng.choose(&[
            CarrierChoice::Auto,
            CarrierChoice::WebSocket,
            CarrierChoice::Poll,
        ]);
        let other = self.rng.below(4);
        let back = now + self.rng.around(Duration::from_secs(3));
        let host = &mut self.clients[client];
        host.hellos = (0, 0);
        let (machine, session) = (&mut host.machine, &mut host.session);
        match fault {
            Fault::ChooseCarrier => {
                host.choice = choice;
                machine.choose_carrier(now, session, choice);
            }
            Fault::Break => machine.break_connection(now, session),
            Fault::Wake => machine.wake(now, session),
            Fault::Reconnect => machine.reconnect(now, session),
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
        self.trace
            .note(self.now, || format!("client {client} wakes"));
        let timers_first = self.rng.chance(0.5);
        if timers_first {
            self.client_timer(client)?;
        }
        for what in missed {
            self.client_hears(client, what)?;
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
                self.sockets[socket].up.dead = true;
                // Mostly the operating system tells; if the machine died, nobody does.
                if self.rng.chance(0.7) {
                    self.cut(socket);
                }
                self.sockets[socket].down.dead = true;
            }
        }
    }

    pub(super) fn starts(&mut self) {
        // After a shutdown the old program ends here.
        self.crash();
        self.server.run = self.server.rng.bits();
        self.server.sessions = Some(Sessions::new(Caps::default(), self.plan.limits.window));
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
        let back = self.now + self.rng.around(Duration::from_secs(3));
        let peer = self.model.half(self.clients[client].program.half).peer;
        let Some(half) = peer.filter(|half| self.server.seat(*half).is_some()) else {
            return Ok(());
        };
        self.for_client(back, client, ForClient::Connect);
        let close = Close::new(CloseReason::Kicked);
        self.end_session(half, &close, FreshReason::Requested)
    }

    /// Says the client's last hello again under a higher epoch, on a socket that nobody reads.
    fn duplicate(&mut self, client: usize) {
        let codec = self.plan.codec;
        let limits = self.plan.limits.wire();
        let Some(hello) = self.clients[client].last_hello.clone() else {
            return;
        };
        if let Ok(Frame::Hello(mut hello)) = decode(codec, &hello, &limits) {
            hello.epoch += 1_000;
            let mut message = Vec::new();
            wire::encode(codec, &Frame::Hello(hello), &mut message);
            let socket = self.add_socket(client, None);
            self.send_up(socket, Bytes::from(message));
        }
    }

    // ---- the end ----

    /// No more faults: the network is good, everybody is awake and wants to be connected.
    pub(super) fn calm_down(&mut self) -> Verdict {
        self.trace.note(self.now, || "all is well".to_owned());
        self.plan.network.loss = 0.0;
        self.plan.network.repeat = 0.0;
        // A proxy that never lets a WebSocket through goes on doing so.
        if self.plan.network.sockets.contains(&Sockets::Work) {
            self.plan.network.sockets = vec![Sockets::Work];
        }
        for client in 0..self.clients.len() {
            self.clients[client].offline_until = self.now;
            self.wakes(client)?;
            let choice = self.plan.carrier;
            let host = &mut self.clients[client];
            host.wants_connection = true;
            host.choice = choice;
            host.machine
                .choose_carrier(self.now, &mut host.session, choice);
            host.machine.connect(self.now, &mut host.session);
            self.pump_client(client)?;
        }
        Ok(())
    }

    /// All clients say goodbye.
    pub(super) fn let_go(&mut self) -> Verdict {
        self.is_over = true;
        for client in 0..self.clients.len() {
            let host = &mut self.clients[client];
            host.machine.disconnect(self.now, &mut host.session);
            self.pump_client(client)?;
        }
        Ok(())
    }
}

fn decode(
    codec: Codec,
    bytes: &Bytes,
    limits: &wire::WireLimits,
) -> Result<Frame, wire::WireError> {
    wire::decode(codec, bytes, limits)
}

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Cut => "fault: cut",
        Fault::HalfOpen => "fault: half-open",
        Fault::Offline => "fault: offline",
        Fault::Crash => "fault: crash",
        Fault::Shutdown => "fault: shutdown",
        Fault::ChooseCarrier => "fault: choose carrier",
        Fault::Break => "fault: break connection",
        Fault::Wake => "fault: wake",
        Fault::Reconnect => "fault: reconnect",
        Fault::ChangeUser => "fault: change user",
        Fault::Sleep => "fault: sleep",
        Fault::Disconnect => "fault: disconnect",
        Fault::Kick => "fault: kick",
        Fault::Duplicate => "fault: duplicate",
    }
}
