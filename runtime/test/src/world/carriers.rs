//! What is between clients and server: WebSockets as two pipes, and requests one by one.

use std::time::Duration;

use bytes::Bytes;
use sente_proto::Time;
use sente_proto::client::{ExchangeId, Response, SocketId};

use super::World;
use super::queue::{Asked, ForClient, ForServer, What};
use crate::network::Sockets;

/// So many bytes fit into a WebSocket before its sender has to wait.
const BUFFER: usize = 64 * 1024;

pub(super) struct Socket {
    pub(super) client: usize,
    /// What the client calls it; `None` for that of a duplicate, which never answers.
    pub(super) id: Option<SocketId>,
    pub(super) up: Pipe,
    pub(super) down: Pipe,
    pub(super) client_open: bool,
    pub(super) server_open: bool,
    /// Which end of a session it serves at the server, and its epoch.
    pub(super) serves: Option<(usize, u64)>,
    /// Since when.
    pub(super) served_since: Time,
}

/// One direction of a WebSocket.
#[derive(Default)]
pub(super) struct Pipe {
    /// Bytes vanish in it.
    pub(super) dead: bool,
    in_flight: usize,
    busy_until: Time,
    last_arrival: Time,
}

impl Pipe {
    pub(super) fn is_writable(&self) -> bool {
        self.in_flight < BUFFER
    }
}

impl World {
    fn delay(&mut self) -> Duration {
        self.rng.within(&self.plan.network.delay)
    }

    pub(super) fn is_offline(&self, client: usize) -> bool {
        self.clients[client].offline_until > self.now
    }

    pub(super) fn for_client(&mut self, at: Time, client: usize, what: ForClient) {
        self.queue.at(at, What::Client { client, what });
    }

    pub(super) fn for_server(&mut self, at: Time, what: ForServer) {
        self.queue.at(at, What::Server(what));
    }

    // ---- WebSockets ----

    pub(super) fn add_socket(&mut self, client: usize, id: Option<SocketId>) -> usize {
        self.sockets.push(Socket {
            client,
            id,
            up: Pipe::default(),
            down: Pipe::default(),
            client_open: true,
            server_open: true,
            serves: None,
            served_since: Time::default(),
        });
        self.sockets.len() - 1
    }

    pub(super) fn dial(&mut self, client: usize, id: SocketId) {
        let socket = self.add_socket(client, Some(id));
        self.clients[client].sockets.insert(id, socket);
        let at = self.now + self.delay() + self.delay();
        let choices = &self.plan.network.sockets;
        let mut becomes = choices[self.rng.below(choices.len())];
        if self.is_offline(client) {
            becomes = Sockets::Hang;
        } else if !self.server.is_up() && becomes == Sockets::Work {
            becomes = self.rng.choose(&[Sockets::Refused, Sockets::Hang]);
        }
        self.trace.note(self.now, || {
            format!("client {client} dials socket {socket}, which {becomes:?}")
        });
        match becomes {
            Sockets::Work => self.for_client(at, client, ForClient::Opened { socket }),
            Sockets::Refused => {
                self.coverage.meet("sockets refused");
                let error = true;
                self.for_client(at, client, ForClient::Closed { socket, error });
            }
            Sockets::Swallowed => {
                self.coverage.meet("sockets swallowed");
                self.sockets[socket].up.dead = true;
                self.sockets[socket].down.dead = true;
                self.for_client(at, client, ForClient::Opened { socket });
            }
            Sockets::Hang => self.coverage.meet("sockets that hang"),
        }
    }

    pub(super) fn send_up(&mut self, socket: usize, message: Bytes) {
        if let Some(at) = self.send(socket, true, message.len()) {
            self.for_server(at, ForServer::Message { socket, message });
        }
    }

    pub(super) fn send_down(&mut self, socket: usize, message: Bytes) {
        let client = self.sockets[socket].client;
        if let Some(at) = self.send(socket, false, message.len()) {
            self.for_client(at, client, ForClient::Message { socket, message });
        }
    }

    /// When a message arrives that is sent now, if it does.
    fn send(&mut self, socket: usize, up: bool, bytes: usize) -> Option<Time> {
        let offline = self.is_offline(self.sockets[socket].client);
        let mut delay = self.delay();
        if self.rng.chance(self.plan.network.loss) {
            // TCP notices and sends it again; what is behind it waits.
            self.coverage.meet("messages stalled by TCP");
            delay += self
                .rng
                .within(&(Duration::from_millis(200)..Duration::from_secs(1)));
        }
        let rate = self.plan.network.bytes_per_second;
        let now = self.now;
        let pipe = self.pipe(socket, up);
        pipe.in_flight += bytes;
        pipe.dead |= offline;
        if pipe.dead {
            return None;
        }
        let takes = Duration::from_micros(bytes as u64 * 1_000_000 / rate);
        pipe.busy_until = pipe.busy_until.max(now) + takes;
        pipe.last_arrival = pipe.last_arrival.max(pipe.busy_until + delay);
        Some(pipe.last_arrival)
    }

    /// A message has come to the end of its pipe. Returns whether it is still one.
    pub(super) fn arrived(&mut self, socket: usize, up: bool, bytes: usize) -> bool {
        let pipe = self.pipe(socket, up);
        pipe.in_flight -= bytes;
        !pipe.dead
    }

    fn pipe(&mut self, socket: usize, up: bool) -> &mut Pipe {
        let socket = &mut self.sockets[socket];
        if up { &mut socket.up } else { &mut socket.down }
    }

    /// The client closes a WebSocket, with what it has sent going first or being lost.
    pub(super) fn client_closes(&mut self, socket: usize, clean: bool) {
        self.sockets[socket].client_open = false;
        let delay = self.delay();
        let is_told = clean || self.rng.chance(0.5);
        if !clean && self.rng.chance(0.5) {
            self.sockets[socket].up.dead = true;
        }
        let up = &self.sockets[socket].up;
        if is_told && (!up.dead || !clean) {
            let at = up.last_arrival.max(self.now + delay);
            self.for_server(at, ForServer::Closed { socket });
        }
    }

    /// The server closes a WebSocket; what it has sent goes first.
    pub(super) fn server_closes(&mut self, socket: usize) {
        self.sockets[socket].server_open = false;
        let delay = self.delay();
        let Socket { client, down, .. } = &self.sockets[socket];
        if !down.dead {
            let (client, at) = (*client, down.last_arrival.max(self.now + delay));
            let error = false;
            self.for_client(at, client, ForClient::Closed { socket, error });
        }
    }

    /// The network cuts a WebSocket and tells both sides.
    pub(super) fn cut(&mut self, socket: usize) {
        let client = self.sockets[socket].client;
        self.sockets[socket].up.dead = true;
        self.sockets[socket].down.dead = true;
        let (to_client, to_server) = (self.now + self.delay(), self.now + self.delay());
        let error = true;
        self.for_client(to_client, client, ForClient::Closed { socket, error });
        self.for_server(to_server, ForServer::Closed { socket });
    }

    // ---- requests ----

    pub(super) fn post(&mut self, of: Asked, body: Bytes, timeout: Duration) {
        self.clients[of.client].exchanges.insert(of.exchange);
        let response = Err("no response came in time".to_owned());
        let exchange = of.exchange;
        let timed_out = ForClient::Response { exchange, response };
        self.for_client(self.now + timeout, of.client, timed_out);
        if self.plan.network.blocks_posts {
            self.coverage.meet("requests blocked");
            let at = self.now + self.delay() * 2;
            let response = Ok(Response {
                status: 502,
                body: Bytes::from_static(b"Bad Gateway"),
            });
            return self.for_client(at, of.client, ForClient::Response { exchange, response });
        }
        if self.is_offline(of.client) || self.rng.chance(self.plan.network.loss) {
            self.coverage.meet("requests lost");
            self.trace.note(self.now, || format!("{of:?} is lost"));
            return self.request_lost(of);
        }
        let at = self.now + self.delay();
        if self.rng.chance(self.plan.network.repeat) {
            self.coverage.meet("requests repeated");
            let late = at + self.rng.within(&(Duration::ZERO..Duration::from_secs(10)));
            let body = body.clone();
            self.for_server(late, ForServer::Request { of, body });
        }
        self.for_server(at, ForServer::Request { of, body });
    }

    /// The client sees it fail, at once or after its timeout.
    pub(super) fn request_lost(&mut self, of: Asked) {
        if self.rng.chance(0.5) {
            let at = self.now + self.delay() * 2;
            let response = Err("the connection was reset".to_owned());
            let exchange = of.exchange;
            let failed = ForClient::Response { exchange, response };
            self.for_client(at, of.client, failed);
        }
    }

    pub(super) fn respond(&mut self, of: Asked, status: u16, body: Vec<u8>) {
        if self.is_offline(of.client) || self.rng.chance(self.plan.network.loss) {
            self.coverage.meet("responses lost");
            self.trace
                .note(self.now, || format!("the response to {of:?} is lost"));
            return self.request_lost(of);
        }
        let at = self.now + self.delay();
        let response = Ok(Response {
            status,
            body: Bytes::from(body),
        });
        let exchange = of.exchange;
        let answered = ForClient::Response { exchange, response };
        self.for_client(at, of.client, answered);
    }

    pub(super) fn abort(&mut self, client: usize, exchange: ExchangeId) {
        self.clients[client].exchanges.remove(&exchange);
        if self.rng.chance(0.7) {
            let at = self.now + self.delay();
            let of = Asked { client, exchange };
            self.for_server(at, ForServer::Aborted { of });
        }
    }
}
