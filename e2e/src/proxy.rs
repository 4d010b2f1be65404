//! What stands between a client and its server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

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
}

/// A proxy over TCP with a mind of its own.
pub struct Proxy {
    address: SocketAddr,
    control: Arc<Control>,
    task: JoinHandle<()>,
}

struct Control {
    mode: watch::Sender<Mode>,
    connections: Mutex<JoinSet<()>>,
    accepted: watch::Sender<u64>,
}

impl Proxy {
    /// Starts one in front of `server`, on a port that the system picks.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start(server: SocketAddr, mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let control = Arc::new(Control {
            mode: watch::Sender::new(mode),
            connections: Mutex::new(JoinSet::new()),
            accepted: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, server, Arc::clone(&control)));
        Self {
            address,
            control,
            task,
        }
    }

    /// What clients connect to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/sente", self.address)
    }

    /// Does another thing from now on, with the connections that there are too.
    pub fn set(&self, mode: Mode) {
        self.control.mode.send_replace(mode);
    }

    /// Cuts all connections. New ones may come.
    pub fn cut(&self) {
        self.control.connections.lock().unwrap().abort_all();
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
        let mode = control.mode.subscribe();
        control.connections.lock().unwrap().spawn(async move {
            let _ = connection(client, server, mode).await;
        });
    }
}

/// Passes one connection on. The head of the first request tells whether it asks for a WebSocket.
async fn connection(
    mut client: TcpStream,
    server: SocketAddr,
    mut mode: watch::Receiver<Mode>,
) -> std::io::Result<()> {
    let head = head(&mut client).await?;
    let upgrades = String::from_utf8_lossy(&head)
        .to_ascii_lowercase()
        .contains("upgrade: websocket");
    if upgrades && *mode.borrow() == Mode::RefuseUpgrade {
        client
            .write_all(
                b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            )
            .await?;
        return Ok(());
    }
    let mut server = TcpStream::connect(server).await?;
    server.write_all(&head).await?;
    if upgrades {
        let answer = self::head(&mut server).await?;
        client.write_all(&answer).await?;
    }
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let mut mode_too = mode.clone();
    tokio::select! {
        result = pump(&mut from_client, &mut to_server, &mut mode, |mode| match mode {
            Mode::Pass | Mode::RefuseUpgrade | Mode::SwallowAnswers | Mode::StallAnswers | Mode::BlockAnswers => true,
            Mode::SwallowFrames => !upgrades,
            Mode::Stall => false,
        }) => result,
        result = pump(&mut from_server, &mut to_client, &mut mode_too, |mode| match mode {
            Mode::Pass | Mode::RefuseUpgrade => true,
            Mode::SwallowFrames | Mode::SwallowAnswers => !upgrades,
            Mode::Stall | Mode::StallAnswers | Mode::BlockAnswers => false,
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

async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mode: &mut watch::Receiver<Mode>,
    passes: impl Fn(Mode) -> bool,
) -> std::io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let blocked = |mode: &Mode| *mode == Mode::BlockAnswers && !passes(*mode);
        let _ = mode.wait_for(|mode| !blocked(mode)).await;
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            // One that stalls does not tell of the end either.
            let _ = mode.wait_for(|mode| passes(*mode)).await;
            return Ok(());
        }
        if passes(*mode.borrow_and_update()) {
            to.write_all(&buffer[..read]).await?;
        }
    }
}
