//! One connection of a client to the server, as TCP makes it: two lanes of bytes, which take their
//! time, stall, go dead, and are cut.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use sente_proto::Carrier;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::uplink::Line;
use crate::network::Way;
use crate::{Network, Rng, Sockets};

/// More is not under way in one direction: whoever writes more waits.
const WINDOW: usize = 256 * 1024;
/// What a proxy says that does not let a client through.
const BAD_GATEWAY: &[u8] =
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A WebSocket's message of text, by a proxy that greets in its own way.
const GREETING: &[u8] = b"\x81\x0f220 proxy ready";
/// A WebSocket that does not last is cut within this.
const BRIEF: Duration = Duration::from_secs(2);

/// Who writes, or who reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What goes over a connection, as its first bytes say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Nothing yet.
    New,
    Socket,
    Posts,
    /// A request that the network has repeated; it repeats it no more.
    Repeated,
}

/// A connection, which both ends share.
pub(super) struct Connection {
    line: Arc<Line>,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    kind: Kind,
    /// What the client writes, and what the server does.
    up: Lane,
    down: Lane,
    /// Who spoke last, and how often it was another: whoever speaks next after the other begins a
    /// request or a response.
    speaker: Option<Side>,
    turns: u32,
    /// What the network makes of it.
    becomes: Sockets,
    /// The request that is to be repeated.
    repeated: Option<Vec<u8>>,
}

/// What one side writes.
struct Lane {
    /// With the moment at which each would arrive; none overtakes the one before.
    under_way: VecDeque<(Instant, Bytes)>,
    /// Bytes that were written and not read.
    unread: usize,
    /// When the last of what was written is on the line.
    busy_until: Instant,
    /// When the reader sees the end, after all that is under way.
    ends: Option<Instant>,
    /// When the writer is told that the connection was cut.
    cut: Option<Instant>,
    /// Nothing arrives any more, and nobody is told.
    is_dead: bool,
    /// Nobody reads any more.
    is_left: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Lane {
    fn new(now: Instant) -> Self {
        Self {
            under_way: VecDeque::new(),
            unread: 0,
            busy_until: now,
            ends: None,
            cut: None,
            is_dead: false,
            is_left: false,
            reader: None,
            writer: None,
        }
    }

    /// Fills the buffer with what has arrived, or sees the end. If there is neither: when there may
    /// be, as far as it is known.
    fn read(&mut self, now: Instant, buffer: &mut ReadBuf<'_>) -> ControlFlow<(), Option<Instant>> {
        let Some((arrives, bytes)) = self.under_way.front_mut() else {
            return match self.ends {
                Some(ends) if ends <= now => ControlFlow::Break(()),
                ends => ControlFlow::Continue(ends),
            };
        };
        if *arrives > now {
            return ControlFlow::Continue(Some(*arrives));
        }
        let part = bytes.split_to(bytes.len().min(buffer.remaining()));
        if bytes.is_empty() {
            self.under_way.pop_front();
        }
        buffer.put_slice(&part);
        self.unread -= part.len();
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        ControlFlow::Break(())
    }

    fn die(&mut self) {
        self.is_dead = true;
        self.ends = None;
        self.under_way.clear();
    }

    fn wake(&mut self) {
        let wakers = self.reader.take().into_iter().chain(self.writer.take());
        wakers.for_each(Waker::wake);
    }
}

impl State {
    fn lane(&mut self, writer: Side) -> &mut Lane {
        match writer {
            Side::Client => &mut self.up,
            Side::Server => &mut self.down,
        }
    }

    fn delay(&mut self, network: &Network) -> Duration {
        self.rng.within(&self.way(network).delay)
    }

    fn way<'a>(&self, network: &'a Network) -> &'a Way {
        network.way(if self.kind == Kind::Socket {
            Carrier::WebSocket
        } else {
            Carrier::Poll
        })
    }

    /// Takes bytes on their way. When a response begins to a request that is to be repeated, that
    /// request is returned.
    fn send(&mut self, network: &Network, from: Side, bytes: &[u8]) -> Option<Vec<u8>> {
        let now = Instant::now();
        let begins = self.speaker.replace(from) != Some(from);
        self.turns += u32::from(begins);
        let delay = self.delay(network) + self.mishap(network, begins, now);
        let is_response = begins && self.kind == Kind::Posts && from == Side::Server;
        let breaks_off = is_response && self.rng.chance(network.breaks_off);
        let greets = self.becomes == Sockets::Greeted && begins && self.turns == 2;
        let lane = self.lane(from);
        lane.unread += bytes.len();
        if !lane.is_dead {
            let arriving = if breaks_off {
                bytes.len() / 2
            } else {
                bytes.len()
            };
            let takes = arriving as u64 * 1_000_000 / network.bytes_per_second;
            lane.busy_until = lane.busy_until.max(now) + Duration::from_micros(takes);
            let arrives = lane.busy_until + delay;
            let segment = Bytes::copy_from_slice(&bytes[..arriving]);
            lane.under_way.push_back((arrives, segment));
            if breaks_off {
                lane.ends = Some(arrives);
                lane.is_dead = true;
            }
            if greets {
                lane.unread += GREETING.len();
                lane.under_way
                    .push_back((arrives, Bytes::from_static(GREETING)));
            }
            lane.wake();
        }
        if is_response {
            return self.repeated.take();
        }
        if self.kind == Kind::Posts && begins && self.rng.chance(network.repeat) {
            self.repeated = Some(Vec::new());
        }
        if let Some(request) = &mut self.repeated {
            request.extend_from_slice(bytes);
        }
        None
    }

    /// What chance does to what is sent now. Returns how much longer it takes.
    fn mishap(&mut self, network: &Network, begins: bool, now: Instant) -> Duration {
        let loss = self.way(network).loss;
        match self.kind {
            // After the first answer, that to the upgrade.
            Kind::Socket if self.becomes == Sockets::Swallowed && self.turns > 2 => self.die(),
            Kind::Socket if self.becomes == Sockets::Deaf && self.turns > 2 => self.down.die(),
            Kind::Socket if self.rng.chance(loss) => {
                // TCP notices and sends it again; what is behind it waits.
                let stall = Duration::from_millis(200)..Duration::from_secs(1);
                return self.rng.within(&stall);
            }
            Kind::Posts if begins && self.rng.chance(loss) => self.lose(network, now),
            _ => {}
        }
        Duration::ZERO
    }

    /// A request or a response is lost with its connection: of half of these both sides are told.
    fn lose(&mut self, network: &Network, now: Instant) {
        self.die();
        if self.rng.chance(0.5) {
            self.cut(network, now);
        }
    }

    fn die(&mut self) {
        self.up.die();
        self.down.die();
    }

    fn cut(&mut self, network: &Network, now: Instant) {
        self.die();
        for side in [Side::Client, Side::Server] {
            let told = now + self.delay(network);
            let lane = self.lane(side);
            lane.cut.get_or_insert(told);
        }
        self.up.wake();
        self.down.wake();
    }

    /// One side writes no more.
    fn finish(&mut self, network: &Network, side: Side) {
        let arrives = Instant::now() + self.delay(network);
        let lane = self.lane(side);
        if lane.ends.is_none() && !lane.is_dead {
            lane.ends = Some(arrives);
            lane.wake();
        }
    }
}

impl Connection {
    /// One over which nothing has gone yet, and the client's end of it.
    pub(super) fn open(line: &Arc<Line>, rng: Rng) -> (Arc<Self>, End) {
        let connection = Self::new(line, rng, Kind::New);
        let end = End::new(&connection, Side::Client);
        (connection, end)
    }

    /// The client's end of one over which the network repeats a request.
    pub(super) fn repeat(line: &Arc<Line>, rng: Rng) -> End {
        let connection = Self::new(line, rng, Kind::Repeated);
        line.accept(End::new(&connection, Side::Server));
        End::new(&connection, Side::Client)
    }

    fn new(line: &Arc<Line>, rng: Rng, kind: Kind) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            line: Arc::clone(line),
            state: Mutex::new(State {
                rng,
                kind,
                up: Lane::new(now),
                down: Lane::new(now),
                speaker: None,
                turns: 0,
                becomes: Sockets::Work,
                repeated: None,
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_socket(&self) -> bool {
        self.state().kind == Kind::Socket
    }

    /// Breaks it. Both sides are told.
    pub(super) fn cut(&self) {
        self.state().cut(self.line.network(), Instant::now());
    }

    /// Lets it go dead, up or down or both. Nobody is told.
    pub(super) fn go_dead(&self, up: bool, down: bool) {
        let mut state = self.state();
        if up {
            state.up.die();
        }
        if down {
            state.down.die();
        }
    }

    /// The first bytes of a client say what it wants; then it shows what becomes of it.
    fn begin(self: &Arc<Self>, first: &[u8]) {
        let network = self.line.network();
        let becomes = {
            let mut state = self.state();
            let is_socket = first.starts_with(b"GET ");
            state.kind = if is_socket { Kind::Socket } else { Kind::Posts };
            let becomes = if is_socket {
                state.rng.choose(&network.sockets)
            } else if network.blocks_posts {
                Sockets::Refused
            } else {
                Sockets::Work
            };
            state.becomes = becomes;
            match becomes {
                Sockets::Work | Sockets::Swallowed | Sockets::Deaf | Sockets::Greeted => {}
                Sockets::Brief => {
                    let life = state.rng.within(&(Duration::ZERO..BRIEF));
                    let this = Arc::downgrade(self);
                    tokio::spawn(async move {
                        tokio::time::sleep(life).await;
                        if let Some(connection) = this.upgrade() {
                            connection.cut();
                        }
                    });
                }
                Sockets::Hang => state.die(),
                Sockets::Refused => {
                    let _ = state.send(network, Side::Server, BAD_GATEWAY);
                    state.finish(network, Side::Server);
                }
            }
            becomes
        };
        if !matches!(becomes, Sockets::Hang | Sockets::Refused) {
            self.line.accept(End::new(self, Side::Server));
        }
    }
}

/// One end of a connection.
pub(super) struct End {
    connection: Arc<Connection>,
    side: Side,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl End {
    fn new(connection: &Arc<Connection>, side: Side) -> Self {
        Self {
            connection: Arc::clone(connection),
            side,
            alarm: None,
        }
    }

    /// Ready at `due`.
    fn poll_due(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if alarm.deadline() != due {
            alarm.as_mut().reset(due);
        }
        alarm.as_mut().poll(cx)
    }
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let now = Instant::now();
            let due = {
                let mut state = self.connection.state();
                let cut = state.lane(self.side).cut;
                if cut.is_some_and(|at| at <= now) {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                let lane = state.lane(self.side.other());
                let next = match lane.read(now, buffer) {
                    ControlFlow::Break(()) => return Poll::Ready(Ok(())),
                    ControlFlow::Continue(next) => next,
                };
                lane.reader = Some(cx.waker().clone());
                match [cut, next].into_iter().flatten().min() {
                    Some(due) => due,
                    None => return Poll::Pending,
                }
            };
            ready!(self.poll_due(due, cx));
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let connection = &self.connection;
        if connection.state().kind == Kind::New {
            connection.begin(bytes);
        }
        let mut state = connection.state();
        let lane = state.lane(self.side);
        if lane.cut.is_some() || lane.is_left || lane.ends.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = WINDOW.saturating_sub(lane.unread);
        if room == 0 {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = &bytes[..bytes.len().min(room)];
        let repeated = state.send(connection.line.network(), self.side, bytes);
        drop(state);
        if let Some(request) = repeated {
            connection.line.repeat(request);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.connection.state();
        state.finish(self.connection.line.network(), self.side);
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.connection.state();
        state.finish(self.connection.line.network(), self.side);
        let lane = state.lane(self.side.other());
        lane.is_left = true;
        lane.wake();
    }
}
