//! WebSockets: two pipes each, between a client and the server.

use std::time::Duration;

use bytes::Bytes;
use sente_proto::client::SocketId;
use sente_proto::{Carrier, Time};

use super::World;
use super::queue::{ForClient, ForServer, What};
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
    /// Since when it serves it, and since when the client uses it.
    pub(super) served_since: Option<Time>,
    pub(super) used_since: Option<Time>,
}

/// One direction of a WebSocket.
#[derive(Default)]
pub(super) struct Pipe {
    /// What would come out of it from then on vanishes.
    lost_from: Option<Time>,
    /// Its reader does not read until then.
    stalled_until: Time,
    in_flight: usize,
    busy_until: Time,
    last_arrival: Time,
}

impl Pipe {
    pub(super) fn is_writable(&self) -> bool {
        self.in_flight < BUFFER
    }

    /// Loses all that is sent, and what is under way from `from` on.
    pub(super) fn dies(&mut self, from: Time) {
        self.lost_from = Some(self.lost_from.map_or(from, |before| before.min(from)));
    }

    /// Its reader stops reading until then, unless it has already stopped.
    pub(super) fn stalls(&mut self, now: Time, until: Time) {
        if self.stalled_until <= now {
            self.stalled_until = until;
        }
    }

    fn takes_nothing(&self) -> bool {
        self.lost_from.is_some()
    }

    fn loses(&self, at: Time) -> bool {
        self.lost_from.is_some_and(|from| from <= at)
    }
}

impl World {
    pub(super) fn delay(&mut self, client: usize, carrier: Carrier) -> Duration {
        let way = self.clients[client].network.way(carrier);
        self.rng.within(&way.delay)
    }

    pub(super) fn loses(&mut self, client: usize, carrier: Carrier) -> bool {
        let way = self.clients[client].network.way(carrier);
        self.rng.chance(way.loss)
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

    pub(super) fn add_socket(&mut self, client: usize, id: Option<SocketId>) -> usize {
        self.sockets.push(Socket {
            client,
            id,
            up: Pipe::default(),
            down: Pipe::default(),
            client_open: true,
            server_open: true,
            serves: None,
            served_since: None,
            used_since: None,
        });
        let socket = self.sockets.len() - 1;
        let patience = self.plan.limits.handshake;
        self.for_server(self.now + patience, ForServer::HelloIsDue { socket });
        socket
    }

    pub(super) fn dial(&mut self, client: usize, id: SocketId) {
        let socket = self.add_socket(client, Some(id));
        self.clients[client].sockets.insert(id, socket);
        let way = Carrier::WebSocket;
        let at = self.now + self.delay(client, way) + self.delay(client, way);
        let choices = &self.clients[client].network.sockets;
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
                self.coverage.meet("network: socket refused");
                let error = true;
                self.for_client(at, client, ForClient::Closed { socket, error });
            }
            Sockets::Swallowed => {
                self.coverage.meet("network: socket swallowed");
                self.sockets[socket].up.dies(self.now);
                self.sockets[socket].down.dies(self.now);
                self.for_client(at, client, ForClient::Opened { socket });
            }
            Sockets::Deaf => {
                self.coverage.meet("network: socket deaf");
                self.sockets[socket].down.dies(self.now);
                self.for_client(at, client, ForClient::Opened { socket });
            }
            Sockets::Greeted => {
                self.coverage.meet("network: socket greeted");
                self.for_client(at, client, ForClient::Opened { socket });
                self.for_client(at, client, ForClient::Nonsense { socket });
            }
            Sockets::Brief => {
                self.coverage.meet("network: socket brief");
                self.for_client(at, client, ForClient::Opened { socket });
                let life = self.rng.within(&(Duration::ZERO..Duration::from_secs(2)));
                self.queue.at(at + life, What::Cut(socket));
            }
            Sockets::Hang => self.coverage.meet("network: socket hangs"),
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
            let sent = self.now;
            let message = ForClient::Message {
                socket,
                message,
                sent,
            };
            self.for_client(at, client, message);
        }
    }

    /// When a message arrives that is sent now, if it does.
    fn send(&mut self, socket: usize, up: bool, bytes: usize) -> Option<Time> {
        let client = self.sockets[socket].client;
        let offline = self.is_offline(client);
        let mut delay = self.delay(client, Carrier::WebSocket);
        if self.loses(client, Carrier::WebSocket) {
            // TCP notices and sends it again; what is behind it waits.
            self.coverage.meet("network: message stalled by TCP");
            delay += self
                .rng
                .within(&(Duration::from_millis(200)..Duration::from_secs(1)));
        }
        let rate = self.clients[client].network.bytes_per_second;
        let now = self.now;
        let pipe = self.pipe(socket, up);
        pipe.in_flight += bytes;
        if offline {
            pipe.dies(now);
        }
        if pipe.takes_nothing() {
            self.coverage.meet("network: message swallowed");
            return None;
        }
        let takes = Duration::from_micros(bytes as u64 * 1_000_000 / rate);
        pipe.busy_until = pipe.busy_until.max(now) + takes;
        pipe.last_arrival = pipe.last_arrival.max(pipe.busy_until + delay);
        Some(pipe.last_arrival)
    }

    /// When its reader reads again, if it does not read now.
    pub(super) fn is_stalled(&mut self, socket: usize, up: bool) -> Option<Time> {
        let until = self.pipe(socket, up).stalled_until;
        let is_stalled = until > self.now;
        if is_stalled {
            self.coverage
                .meet("network: message waits for a slow reader");
        }
        is_stalled.then_some(until)
    }

    /// A message is read that came to the end of its pipe at that time. Returns whether it did.
    pub(super) fn arrived(&mut self, socket: usize, up: bool, came: Time, bytes: usize) -> bool {
        let pipe = self.pipe(socket, up);
        pipe.in_flight -= bytes;
        let is_lost = pipe.loses(came);
        if is_lost {
            self.coverage.meet("network: message cut off");
        }
        !is_lost
    }

    fn pipe(&mut self, socket: usize, up: bool) -> &mut Pipe {
        let socket = &mut self.sockets[socket];
        if up { &mut socket.up } else { &mut socket.down }
    }

    /// The client closes a WebSocket, with what it has sent going first or being lost.
    pub(super) fn client_closes(&mut self, socket: usize, clean: bool) {
        self.sockets[socket].client_open = false;
        let delay = self.delay(self.sockets[socket].client, Carrier::WebSocket);
        let is_told = clean || self.rng.chance(0.5);
        if !clean && self.rng.chance(0.5) {
            self.sockets[socket].up.dies(self.now);
        }
        let up = &self.sockets[socket].up;
        if is_told && (!up.takes_nothing() || !clean) {
            let at = up.last_arrival.max(self.now + delay);
            self.for_server(at, ForServer::Closed { socket });
        }
    }

    /// The server closes a WebSocket; what it has sent goes first.
    pub(super) fn server_closes(&mut self, socket: usize) {
        self.sockets[socket].server_open = false;
        let client = self.sockets[socket].client;
        let delay = self.delay(client, Carrier::WebSocket);
        let down = &self.sockets[socket].down;
        if !down.takes_nothing() {
            let at = down.last_arrival.max(self.now + delay);
            let error = false;
            self.for_client(at, client, ForClient::Closed { socket, error });
        }
    }

    /// The network cuts a WebSocket, in the middle of what is under way, and tells both sides.
    pub(super) fn cut(&mut self, socket: usize) {
        let client = self.sockets[socket].client;
        for up in [true, false] {
            let lost_from = self.now + self.delay(client, Carrier::WebSocket);
            let told = lost_from + self.delay(client, Carrier::WebSocket);
            self.pipe(socket, up).dies(lost_from);
            let error = true;
            if up {
                self.for_server(told, ForServer::Closed { socket });
            } else {
                self.for_client(told, client, ForClient::Closed { socket, error });
            }
        }
    }
}
