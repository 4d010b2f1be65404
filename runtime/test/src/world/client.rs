//! A client: its machine, its session, its program, and the driver that ties them together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sente_proto::client::{
    CarrierChoice, Client, Config, ConnectionEnd, Credentials, ExchangeId, SocketClosed, SocketId,
    State, Transmit,
};
use sente_proto::session::Session;
use sente_proto::{FreshReason, Secret, Time};

use super::World;
use super::clock::Clock;
use super::exchanges::Purpose;
use super::program::{Program, Scene, Work};
use super::queue::{Asked, ForClient};
use super::wire::End;
use crate::contract::Version;
use crate::model::Owner;
use crate::network::Network;
use crate::promise::{Promise, Verdict};
use crate::rng::Rng;

/// A client says hello, and dials, no more often than this within a second of its own accord.
const HELLOS: u32 = 12;
const DIALS: u32 = 8;

/// How often something has happened within the present second.
#[derive(Clone, Copy, Default)]
pub(super) struct Rate {
    second: u64,
    count: u32,
}

impl Rate {
    fn one_more(&mut self, now: Time) -> u32 {
        let second = now.since_unix().as_secs();
        if self.second != second {
            *self = Self { second, count: 0 };
        }
        self.count += 1;
        self.count
    }
}

pub(super) struct ClientHost {
    pub(super) network: Network,
    pub(super) clock: Clock,
    /// Its program has died.
    pub(super) is_dead: bool,
    /// And this one has taken its place.
    pub(super) successor: Option<usize>,
    /// When the last bytes came from the server, and when the newest of all that came were sent.
    pub(super) heard: Time,
    pub(super) heard_of: Time,
    pub(super) machine: Client,
    pub(super) session: Session,
    pub(super) program: Program,
    /// Who its program says that it is.
    pub(super) user: String,
    /// The credentials of whom it shows instead.
    pub(super) shows: Option<String>,
    pub(super) sockets: BTreeMap<SocketId, usize>,
    pub(super) exchanges: BTreeSet<ExchangeId>,
    /// While it sleeps: what it misses, and since when that waits for it.
    pub(super) asleep: Option<Vec<(Time, ForClient)>>,
    pub(super) fell_asleep: Time,
    /// When it woke from a sleep that it has to notice.
    pub(super) woke: Option<Time>,
    pub(super) offline_until: Time,
    /// What it last said hello with, for a duplicate of it; and whether that is a body.
    pub(super) last_hello: Option<(Bytes, bool)>,
    pub(super) timer: Option<Time>,
    /// Hellos, and dialled WebSockets, within the present second: neither are to be many.
    pub(super) hellos: Rate,
    pub(super) dials: Rate,
    /// Whether its program is to be connected.
    pub(super) wants_connection: bool,
    /// The carriers that its program has chosen.
    pub(super) choice: CarrierChoice,
    /// Since when the carrier of its last hello by polling serves its session, and since when it
    /// uses that.
    pub(super) polls_served_since: Option<Time>,
    pub(super) polls_used_since: Option<Time>,
    /// The state that its program was told last.
    pub(super) told: State,
    /// Why its last session ended, until the state says so too.
    pub(super) ended: Option<FreshReason>,
}

impl ClientHost {
    /// Bytes have come from the server.
    fn hears(&mut self, now: Time, sent: Time) {
        self.heard = now;
        self.heard_of = self.heard_of.max(sent);
    }

    fn is_writable(&self, world_sockets: &[super::carriers::Socket]) -> bool {
        let Some((_, socket)) = self.sockets.last_key_value() else {
            return true;
        };
        let socket = &world_sockets[*socket];
        !socket.client_open || socket.up.is_writable()
    }
}

impl World {
    /// A client's program starts.
    pub(super) fn add_client(&mut self, user: String, network: Network) {
        let index = self.clients.len();
        let plan = &self.plan;
        let (_, version) = Version::of(plan.skew);
        let clock = Clock::default();
        let half = self.model.begin(Owner::Client, clock.ahead, self.now);
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
        self.clients.push(ClientHost {
            network,
            clock,
            is_dead: false,
            successor: None,
            heard: self.now,
            heard_of: self.now,
            machine: Client::new(config, Box::new(move || rng.wide())),
            session,
            program: Program::new(half, version),
            user,
            shows: None,
            sockets: BTreeMap::new(),
            exchanges: BTreeSet::new(),
            asleep: None,
            fell_asleep: Time::default(),
            woke: None,
            offline_until: Time::default(),
            last_hello: None,
            timer: None,
            hellos: Rate::default(),
            dials: Rate::default(),
            wants_connection: true,
            choice: plan.carrier,
            polls_served_since: None,
            polls_used_since: None,
            told: State::default(),
            ended: None,
        });
        let at = self.now + self.rng.around(Duration::from_millis(200));
        self.for_client(at, index, ForClient::Connect);
        self.for_client(at, index, ForClient::Tick);
    }

    /// Those whose programs run.
    pub(super) fn alive(&self) -> impl Iterator<Item = (usize, &ClientHost)> {
        let clients = self.clients.iter().enumerate();
        clients.filter(|(_, host)| !host.is_dead)
    }

    /// Something happens to a client, unless it sleeps or is dead.
    pub(super) fn for_client_now(&mut self, client: usize, what: ForClient) -> Verdict {
        if let ForClient::Message { socket, .. } | ForClient::Closed { socket, .. } = what
            && let Some(until) = self.is_stalled(socket, false)
        {
            self.for_client(until, client, what);
            return Ok(());
        }
        if self.clients[client].is_dead {
            return Ok(());
        }
        match &mut self.clients[client].asleep {
            Some(missed) => {
                missed.push((self.now, what));
                Ok(())
            }
            None => self.client_hears(client, self.now, what),
        }
    }

    /// A client that is awake hears of something that came at that time.
    pub(super) fn client_hears(&mut self, client: usize, came: Time, what: ForClient) -> Verdict {
        let now = self.client_clock(client);
        match what {
            ForClient::Opened { socket } => {
                if self.sockets[socket].client_open
                    && let Some(id) = self.sockets[socket].id
                {
                    self.trace.note(self.now, || {
                        format!("client {client}: socket {socket} is open")
                    });
                    let host = &mut self.clients[client];
                    host.machine.handle_opened(now, &mut host.session, id);
                }
            }
            ForClient::Message {
                socket,
                message,
                sent,
            } => {
                if self.arrived(socket, false, came, message.len())
                    && self.sockets[socket].client_open
                    && let Some(id) = self.sockets[socket].id
                {
                    self.reads(End::Client(client), &message, false);
                    let host = &mut self.clients[client];
                    host.hears(self.now, sent);
                    host.machine
                        .handle_message(now, &mut host.session, id, &message);
                }
            }
            ForClient::Nonsense { socket } => {
                if let Some(id) = self.sockets[socket].id
                    && self.sockets[socket].client_open
                {
                    let host = &mut self.clients[client];
                    let nonsense = Bytes::from_static(b"220 proxy ready");
                    host.machine
                        .handle_message(now, &mut host.session, id, &nonsense);
                }
            }
            ForClient::Closed { socket, error } => self.socket_closed(client, socket, error),
            ForClient::Response {
                exchange,
                response,
                sent,
            } => {
                if self.clients[client].exchanges.remove(&exchange) {
                    self.trace.note(self.now, || {
                        let how = response.as_ref().map(|it| (it.status, it.body.len()));
                        format!("client {client}: response to {exchange:?}: {how:?}")
                    });
                    let host = &mut self.clients[client];
                    if response.is_ok() {
                        host.hears(self.now, sent);
                    }
                    host.machine
                        .handle_response(now, &mut host.session, exchange, response);
                }
            }
            ForClient::Credentials => {
                let host = &mut self.clients[client];
                let credentials = Credentials {
                    token: Some(Secret::new(
                        host.shows.as_ref().unwrap_or(&host.user).clone(),
                    )),
                    csrf: None,
                };
                host.machine
                    .handle_credentials(now, &mut host.session, credentials);
            }
            ForClient::IsItself => {
                let host = &mut self.clients[client];
                host.shows = None;
                if host.wants_connection && !self.is_over {
                    host.machine.reconnect(now, &mut host.session);
                }
            }
            ForClient::Tick => self.client_tick(client)?,
            ForClient::Work(work) => self.client_works(client, work)?,
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
        let now = self.client_clock(client);
        let host = &mut self.clients[client];
        host.machine
            .handle_closed(now, &mut host.session, id, closed);
    }

    /// The client's timer has come.
    pub(super) fn client_timer(&mut self, client: usize) -> Verdict {
        let now = self.client_clock(client);
        let host = &mut self.clients[client];
        let was_open = host.machine.state().open;
        if was_open
            && host
                .timer
                .is_some_and(|due| now - due > self.plan.timing.slept)
        {
            self.coverage.meet("carrier: probed after a sleep");
        }
        host.machine.handle_timeout(now, &mut host.session);
        let last_close = host.machine.state().last_close.as_ref();
        let is_silent = last_close.is_some_and(|close| close.reason == ConnectionEnd::Silent);
        if was_open && !host.machine.state().open && is_silent {
            self.coverage.meet("carrier: silent, says the client");
        }
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

    fn client_works(&mut self, client: usize, work: Work) -> Verdict {
        let (host, mut scene) = self.at_client(client);
        host.program.work(&mut host.session, &mut scene, work)
    }

    fn at_client(&mut self, client: usize) -> (&mut ClientHost, Scene<'_>) {
        let clock = self.clients[client].clock;
        (
            &mut self.clients[client],
            Scene {
                at: self.now,
                now: clock.reads(self.now),
                ahead: clock.ahead,
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
            let now = self.client_clock(client);
            let host = &mut self.clients[client];
            match host.machine.poll_transmit(now, &mut host.session) {
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
            self.coverage.meet("carrier: backed up");
        }
        let host = &mut self.clients[client];
        host.timer = if writable {
            host.machine.poll_timeout(&host.session)
        } else {
            host.machine.poll_deadline(&host.session)
        };
        self.check_session(client, true)
    }

    fn transmit(&mut self, client: usize, transmit: Transmit) -> Verdict {
        match transmit {
            Transmit::Authenticate => {
                let at = self.now + self.rng.around(Duration::from_millis(20));
                self.for_client(at, client, ForClient::Credentials);
            }
            Transmit::Open(id) => {
                let now = self.now;
                if self.clients[client].dials.one_more(now) > DIALS {
                    return Err(Promise::Carriers.broken(format!(
                        "client {client} has dialled more than {DIALS} times within a second"
                    )));
                }
                self.dial(client, id);
            }
            Transmit::Message {
                socket: id,
                message,
            } => {
                let socket = *self.clients[client].sockets.get(&id).ok_or_else(|| {
                    Promise::Carriers.broken("the client sends on a socket that has ended")
                })?;
                let message = Bytes::from(message);
                if self.sends_frame(End::Client(client), &message)? {
                    self.clients[client].last_hello = Some((message.clone(), false));
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
                ..
            } => {
                let exchange = Some(exchange);
                let of = Asked { client, exchange };
                let body = Bytes::from(body);
                let purpose = self.sends_body(End::Client(client), of, &body)?;
                if purpose == Purpose::Hello {
                    self.count_hello(client)?;
                    self.clients[client].last_hello = Some((body.clone(), true));
                }
                self.post(of, body, purpose, timeout);
            }
            Transmit::Abort(exchange) => self.abort(client, exchange),
        }
        Ok(())
    }

    /// A client that cannot get through must not storm the server.
    fn count_hello(&mut self, client: usize) -> Verdict {
        let now = self.now;
        if self.clients[client].hellos.one_more(now) > HELLOS {
            return Err(Promise::Carriers.broken(format!(
                "client {client} has said hello more than {HELLOS} times within a second"
            )));
        }
        Ok(())
    }
}
