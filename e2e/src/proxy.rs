//! What stands between a client and its server.

mod line;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use line::{Budget, pump};
pub use line::{Draws, Line};

/// What a [`Proxy`] does with connections.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// Passes everything on.
    #[default]
    Pass,
    /// Answers a request for a WebSocket with 400, and passes on the rest.
    RefuseUpgrade,
    /// Passes on the upgrade to a WebSocket and its answer, and swallows all frames, both ways.
    SwallowFrames,
    /// Passes on the upgrade and what the client says, and swallows what the server says on the
    /// WebSocket.
    SwallowAnswers,
    /// Takes connections and bytes, and passes on nothing. Nobody is told.
    Stall,
    /// Passes on what the client says and nothing of what the server says.
    StallAnswers,
    /// Passes on what the client says and reads nothing of what the server says, so that the
    /// server's socket fills up.
    BlockAnswers,
    /// Reads nothing and writes nothing, both ways: what is said is late, and not lost.
    Freeze,
    /// Closes every connection at once that is opened.
    Away,
}

/// What becomes of bytes in one direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Passes,
    IsSwallowed,
    Waits,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// To the server.
    Up,
    /// To the client.
    Down,
}

impl Mode {
    fn fate(self, way: Way, is_socket: bool) -> Fate {
        let swallowed = match self {
            Self::Pass | Self::RefuseUpgrade | Self::Away => false,
            Self::SwallowFrames => is_socket,
            Self::SwallowAnswers => is_socket && way == Way::Down,
            Self::Stall => true,
            Self::StallAnswers => way == Way::Down,
            Self::BlockAnswers if way == Way::Up => false,
            Self::BlockAnswers | Self::Freeze => return Fate::Waits,
        };
        if swallowed {
            Fate::IsSwallowed
        } else {
            Fate::Passes
        }
    }
}

/// A proxy over TCP with a mind of its own.
pub struct Proxy {
    address: SocketAddr,
    control: Arc<Control>,
    task: JoinHandle<()>,
}

struct Control {
    mode: Mutex<watch::Sender<Mode>>,
    /// Those of connections that have gone dead.
    dead: Mutex<Vec<watch::Sender<Mode>>>,
    line: watch::Sender<Line>,
    connections: Mutex<JoinSet<()>>,
    accepted: watch::Sender<u64>,
    upgrades: AtomicU64,
    up: Budget,
    down: Budget,
}

impl Proxy {
    /// Starts one in front of `server`, on a port that the system picks.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start(server: SocketAddr, mode: Mode) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), server, mode).await
    }

    /// Starts one in front of `server`, at an address.
    ///
    /// # Panics
    /// If it is taken.
    pub async fn start_at(listen: SocketAddr, server: SocketAddr, mode: Mode) -> Self {
        let listener = TcpListener::bind(listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let control = Arc::new(Control {
            mode: Mutex::new(watch::Sender::new(mode)),
            dead: Mutex::default(),
            line: watch::Sender::new(Line::default()),
            connections: Mutex::new(JoinSet::new()),
            accepted: watch::Sender::new(0),
            upgrades: AtomicU64::new(0),
            up: Budget::default(),
            down: Budget::default(),
        });
        let task = tokio::spawn(accept(listener, server, Arc::clone(&control)));
        Self {
            address,
            control,
            task,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients connect to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/sente", self.address)
    }

    /// Does another thing from now on, with the connections that there are too.
    pub fn set(&self, mode: Mode) {
        self.control.mode.lock().unwrap().send_replace(mode);
    }

    /// All connections that there are go dead, for ever, and nobody is told. New ones are as before.
    pub fn go_dead(&self) {
        let mut mode = self.control.mode.lock().unwrap();
        let next = watch::Sender::new(*mode.borrow());
        let dead = std::mem::replace(&mut *mode, next);
        dead.send_replace(Mode::Stall);
        self.control.dead.lock().unwrap().push(dead);
    }

    /// Is as slow as `line` from now on, with new connections.
    pub fn set_line(&self, line: Line) {
        self.control.line.send_replace(line);
    }

    /// Cuts all connections. New ones may come.
    pub fn cut(&self) {
        self.control.connections.lock().unwrap().abort_all();
    }

    /// Cuts the connection that passes on so many bytes more that way, between two of them. The
    /// receiver is told when that has happened.
    pub fn cut_after(&self, way: Way, bytes: u64) -> oneshot::Receiver<()> {
        match way {
            Way::Up => self.control.up.set(bytes),
            Way::Down => self.control.down.set(bytes),
        }
    }

    /// How often a WebSocket has been asked for.
    #[must_use]
    pub fn upgrades(&self) -> u64 {
        self.control.upgrades.load(Ordering::Relaxed)
    }

    /// How many connections there have been.
    #[must_use]
    pub fn accepted(&self) -> watch::Receiver<u64> {
        self.control.accepted.subscribe()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, control: Arc<Control>) {
    while let Ok((client, _)) = listener.accept().await {
        control.accepted.send_modify(|accepted| *accepted += 1);
        let control_too = Arc::clone(&control);
        let mut connections = control.connections.lock().unwrap();
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            let _ = connection(client, server, &control_too).await;
        });
    }
}

/// Passes one connection on. The head of the first request tells whether it asks for a WebSocket.
async fn connection(
    mut client: TcpStream,
    server: SocketAddr,
    control: &Control,
) -> std::io::Result<()> {
    let mut mode = control.mode.lock().unwrap().subscribe();
    if *mode.borrow() == Mode::Away {
        return Ok(());
    }
    let line = *control.line.borrow();
    let head = head(&mut client).await?;
    let is_socket = String::from_utf8_lossy(&head)
        .to_ascii_lowercase()
        .contains("upgrade: websocket");
    if is_socket {
        control.upgrades.fetch_add(1, Ordering::Relaxed);
    }
    if is_socket && *mode.borrow() == Mode::RefuseUpgrade {
        client
            .write_all(
                b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            )
            .await?;
        return Ok(());
    }
    let waits = |mode: &Mode| mode.fate(Way::Up, is_socket) == Fate::Waits;
    let _ = mode.wait_for(|mode| !waits(mode)).await;
    let mut server = TcpStream::connect(server).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    // What it took to connect, which the kernel has done already.
    tokio::time::sleep(line.delay() * 2 + line.delay()).await;
    server.write_all(&head).await?;
    if is_socket {
        let answer = self::head(&mut server).await?;
        tokio::time::sleep(line.delay()).await;
        client.write_all(&answer).await?;
    }
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let mut mode_too = mode.clone();
    tokio::select! {
        result = pump(&mut from_client, &mut to_server, line, &control.up, &mut mode, |mode| {
            mode.fate(Way::Up, is_socket)
        }) => result,
        result = pump(&mut from_server, &mut to_client, line, &control.down, &mut mode_too, |mode| {
            mode.fate(Way::Down, is_socket)
        }) => result,
    }
}

/// Reads up to the end of the head of a request or an answer, and what came with it.
async fn head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&buffer[..read]);
    }
    Ok(head)
}
