//! A client: its machine, its session, its program, and the driver that ties them together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sente_proto::client::{
    CarrierChoice, Client, Config, Credentials, Event, ExchangeId, SessionState, SocketClosed,
    SocketId, State, Transmit,
};
use sente_proto::session::Session;
use sente_proto::{Carrier, Secret, Time};

use super::World;
use super::program::{Program, Scene, Work};
use super::queue::{Asked, ForClient};
use super::server::At;
use crate::contract::Version;
use crate::model::{Owner, Verdict};
use crate::rng::Rng;

pub(super) struct ClientHost {
    pub(super) machine: Client,
    pub(super) session: Session,
    pub(super) program: Program,
    /// Who its program says that it is.
    pub(super) user: String,
    pub(super) sockets: BTreeMap<SocketId, usize>,
    pub(super) exchanges: BTreeSet<ExchangeId>,
    /// While it sleeps: what it misses.
    pub(super) asleep: Option<Vec<ForClient>>,
    pub(super) offline_until: Time,
    /// What it last said hello with, for a duplicate of it.
    pub(super) last_hello: Option<Bytes>,
    pub(super) timer: Option<Time>,
    /// Hellos within the present second, which are not to be many.
    pub(super) hellos: (u64, u32),
    /// Whether its program is to be connected.
    pub(super) wants_connection: bool,
    /// The carriers that its program has chosen.
    pub(super) choice: CarrierChoice,
    /// When its last hello by polling was granted.
    pub(super) polls_since: Time,
    /// The state that its program was told last.
    pub(super) told: State,
}

impl ClientHost {
    fn is_writable(&self, world_sockets: &[super::carriers::Socket]) -> bool {
        let Some((_, socket)) = self.sockets.last_key_value() else {
            return true;
        };
        let socket = &world_sockets[*socket];
        !socket.client_open || socket.up.is_writable()
    }
}

impl World {
    pub(super) fn add_client(&mut self) {
        let index = self.clients.len();
        let plan = &self.plan;
        let (_, version) = Version::of(plan.skew);
        let half = self.model.begin(Owner::Client, self.now);
        let config = Config {
            carrier: plan.carrier,
            asks_credentials: true,
            limits: plan.client_limits.clone(),
            timing: plan.timing,
            ..Config::default()
        };
        let mut rng: Rng = self.rng.fork();
        let session = Session::new(
            Arc::new(plan.client_limits.clone()),
            version.contract(),
            plan.codec,
        );
        let user = if plan.one_user { 0 } else { index };
        self.clients.push(ClientHost {
            machine: Client::new(config, Box::new(move || rng.wide())),
            session,
            program: Program::new(half, version),
            user: format!("user {user}"),
            sockets: BTreeMap::new(),
            exchanges: BTreeSet::new(),
            asleep: None,
            offline_until: Time::default(),
            last_hello: None,
            timer: None,
            hellos: (0, 0),
            wants_connection: true,
            choice: plan.carrier,
            polls_since: Time::default(),
            told: State::default(),
        });
        let at = self.now + self.rng.around(Duration::from_millis(200));
        self.for_client(at, index, ForClient::Connect);
        self.for_client(at, index, ForClient::Tick);
    }

    /// Something happens to a client that is awake.
    pub(super) fn client_hears(&mut self, client: usize, what: ForClient) -> Verdict {
        let now = self.now;
        match what {
            ForClient::Opened { socket } => {
                if self.sockets[socket].client_open
                    && let Some(id) = self.sockets[socket].id
                {
                    self.trace
                        .note(now, || format!("client {client}: socket {socket} is open"));
                    let host = &mut self.clients[client];
                    host.machine.handle_opened(now, &mut host.session, id);
                }
            }
            ForClient::Message { socket, message } => {
                let came = self.arrived(socket, false, message.len());
                if came
                    && self.sockets[socket].client_open
                    && let Some(id) = self.sockets[socket].id
                {
                    self.note_frame("client", client, "reads", &message);
                    let host = &mut self.clients[client];
                    host.machine
                        .handle_message(now, &mut host.session, id, &message);
                }
            }
            ForClient::Closed { socket, error } => self.socket_closed(client, socket, error),
            ForClient::Response { exchange, response } => {
                if self.clients[client].exchanges.remove(&exchange) {
                    self.trace.note(now, || {
                        let how = response.as_ref().map(|it| (it.status, it.body.len()));
                        format!("client {client}: response to {exchange:?}: {how:?}")
                    });
                    let host = &mut self.clients[client];
                    host.machine
                        .handle_response(now, &mut host.session, exchange, response);
                }
            }
            ForClient::Credentials => {
                let host = &mut self.clients[client];
                let credentials = Credentials {
                    token: Some(Secret::new(host.user.clone())),
                    csrf: None,
                };
                host.machine
                    .handle_credentials(now, &mut host.session, credentials);
            }
            ForClient::Tick => self.client_tick(client)?,
            ForClient::Work(work) => self.client_works(client, work),
            ForClient::Connect if self.is_over => {}
            ForClient::Connect => {
                let host = &mut self.clients[client];
                host.wants_connection = true;
                host.machine.connect(now, &mut host.session);
            }
        }
        self.pump_client(client)
    }

    fn socket_closed(&mut self, client: usize, socket: usize, error: bool) {
        let Some(id) = self.sockets[socket].id else {
            return;
        };
        if !std::mem::replace(&mut self.sockets[socket].client_open, false) {
            return;
        }
        self.clients[client].sockets.remove(&id);
        self.trace.note(self.now, || {
            format!("client {client}: socket {socket} ends")
        });
        let closed = SocketClosed {
            clean: !error,
            error: error.then(|| "the connection was reset".to_owned()),
            ..SocketClosed::default()
        };
        let host = &mut self.clients[client];
        host.machine
            .handle_closed(self.now, &mut host.session, id, closed);
    }

    /// The client's timer has come.
    pub(super) fn client_timer(&mut self, client: usize) -> Verdict {
        let host = &mut self.clients[client];
        host.machine.handle_timeout(self.now, &mut host.session);
        self.pump_client(client)
    }

    fn client_tick(&mut self, client: usize) -> Verdict {
        if self.now >= self.talk_until {
            return Ok(());
        }
        let pause = self.rng.around(self.plan.pause);
        self.for_client(self.now + pause, client, ForClient::Tick);
        for _ in 0..=self.rng.below(self.plan.burst) {
            let (host, mut scene) = self.at_client(client);
            host.program.act(&mut host.session, &mut scene)?;
        }
        Ok(())
    }

    fn client_works(&mut self, client: usize, work: Work) {
        let (host, mut scene) = self.at_client(client);
        host.program.work(&mut host.session, &mut scene, work);
    }

    fn at_client(&mut self, client: usize) -> (&mut ClientHost, Scene<'_>) {
        (
            &mut self.clients[client],
            Scene {
                now: self.now,
                plan: &self.plan,
                rng: &mut self.rng,
                model: &mut self.model,
                coverage: &mut self.coverage,
                trace: &mut self.trace,
            },
        )
    }

    /// Takes out all that a client's machine has to say, and notes when it wants to be asked again.
    pub(super) fn pump_client(&mut self, client: usize) -> Verdict {
        // After each call the carrier may be given one frame more than fits, so that what is not
        // data is never stuck behind it.
        let mut spare = true;
        loop {
            let mut heard = false;
            while let Some(event) = self.clients[client].machine.poll_event() {
                heard = true;
                self.client_event(client, event)?;
            }
            while let Some(event) = self.clients[client].session.poll_event() {
                heard = true;
                let (host, mut scene) = self.at_client(client);
                host.program.hear(&mut host.session, &mut scene, event)?;
            }
            self.clients[client].program.step_is_over(&self.model)?;
            let writable = self.clients[client].is_writable(&self.sockets);
            if !writable && !std::mem::replace(&mut spare, false) {
                break;
            }
            let host = &mut self.clients[client];
            match host.machine.poll_transmit(self.now, &mut host.session) {
                Some(transmit) => self.transmit(client, transmit)?,
                None if !heard => break,
                None => {}
            }
        }
        for (after, work) in self.clients[client].program.take_later() {
            self.for_client(self.now + after, client, ForClient::Work(work));
        }
        let writable = self.clients[client].is_writable(&self.sockets);
        if !writable {
            self.coverage.meet("carriers backed up");
        }
        let host = &mut self.clients[client];
        host.timer = if writable {
            host.machine.poll_timeout(&host.session)
        } else {
            host.machine.poll_deadline(&host.session)
        };
        self.check_session(client, true)
    }

    fn client_event(&mut self, client: usize, event: Event) -> Verdict {
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
                self.coverage.meet(super::fresh_name(reason));
                let half = self.clients[client].program.half;
                let next = self.model.begin(Owner::Client, now);
                self.clients[client].program.goes_on_as(next);
                self.model.ends(half, reason, &unconfirmed, now)
            }
            Event::Changed(change) => {
                let (old, new) = (&change.old, &change.new);
                self.check_change(client, old, new)?;
                if new.open && (!old.open || old.carrier != new.carrier) {
                    self.trace.note(now, || {
                        format!("client {client}: open by {:?}", new.carrier)
                    });
                    self.coverage.meet(match (new.session, new.carrier) {
                        (Some(SessionState::Fresh { .. }), _) => "handshakes with a fresh session",
                        _ if old.open => "moves between carriers without a break",
                        _ => "handshakes that resume",
                    });
                }
                if let Some(id) = new.session_id.filter(|_| old.session_id != new.session_id)
                    && let Some(half) = self.server.half_of(id)
                {
                    let own = self.clients[client].program.half;
                    self.model.join(own, half)?;
                }
                if new.open && (!old.open || old.carrier != new.carrier) {
                    self.carrier_is_used(client, new.carrier);
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
        let host = &self.clients[client];
        let half = host.program.half;
        let socket = host.sockets.last_key_value().map(|(_, socket)| *socket);
        let (since, is_poll) = match (carrier, socket) {
            (Some(Carrier::WebSocket), Some(socket)) => (self.sockets[socket].served_since, false),
            _ => (host.polls_since, true),
        };
        self.model.hears_since(half, since);
        let Some(peer) = self.model.half(half).peer else {
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
        if is_current {
            self.model.hears_since(peer, self.now);
        }
    }

    /// Changes follow each other without a gap, and only carriers that were chosen serve.
    fn check_change(&mut self, client: usize, old: &State, new: &State) -> Verdict {
        let host = &mut self.clients[client];
        if host.told != *old {
            return Err(format!(
                "client {client} was told of a change from {old:?}, and its state was {:?}",
                host.told
            ));
        }
        host.told.clone_from(new);
        let chosen = match host.choice {
            CarrierChoice::Auto => true,
            CarrierChoice::WebSocket => new.carrier != Some(Carrier::Poll),
            CarrierChoice::Poll => new.carrier != Some(Carrier::WebSocket),
        };
        if !chosen {
            return Err(format!(
                "client {client} is served by {:?} and chose {:?}",
                new.carrier, host.choice
            ));
        }
        Ok(())
    }

    fn transmit(&mut self, client: usize, transmit: Transmit) -> Verdict {
        match transmit {
            Transmit::Authenticate => {
                let at = self.now + self.rng.around(Duration::from_millis(20));
                self.for_client(at, client, ForClient::Credentials);
            }
            Transmit::Open(id) => self.dial(client, id),
            Transmit::Message {
                socket: id,
                message,
            } => {
                let socket = *self.clients[client]
                    .sockets
                    .get(&id)
                    .ok_or("the client sends on a socket that has ended")?;
                let message = Bytes::from(message);
                if self.note_frame("client", client, "sends", &message) {
                    self.clients[client].last_hello = Some(message.clone());
                    self.count_hello(client)?;
                }
                self.send_up(socket, message);
            }
            Transmit::Close { socket: id, clean } => {
                if let Some(socket) = self.clients[client].sockets.remove(&id) {
                    self.trace.note(self.now, || {
                        format!("client {client} closes socket {socket}")
                    });
                    self.client_closes(socket, clean);
                }
            }
            Transmit::Post {
                exchange,
                body,
                timeout,
            } => {
                let of = Asked { client, exchange };
                let body = Bytes::from(body);
                if self.note_body("client", client, "posts", of, &body) {
                    self.count_hello(client)?;
                }
                self.post(of, body, timeout);
            }
            Transmit::Abort(exchange) => self.abort(client, exchange),
        }
        Ok(())
    }

    /// A client that cannot get through must not storm the server.
    fn count_hello(&mut self, client: usize) -> Verdict {
        let second = self.now.since_unix().as_secs();
        let hellos = &mut self.clients[client].hellos;
        if hellos.0 != second {
            *hellos = (second, 0);
        }
        hellos.1 += 1;
        if hellos.1 > 12 {
            return Err(format!(
                "client {client} has said hello {} times within a second",
                hellos.1
            ));
        }
        Ok(())
    }
}
