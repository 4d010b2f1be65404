//! A server and clients that count, each in a process of its own.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a program of its own and uses a part of it"
)]

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use sente_e2e::{Entry, Program, Story, Summary};
use tokio::process::Command;

/// A server and its clients.
pub struct Stage {
    /// The network namespaces of the server and of the clients.
    namespaces: Option<[String; 2]>,
    address: SocketAddr,
    server: Option<Program>,
    clients: Vec<Program>,
    options: Vec<(&'static str, u64)>,
    pause: u64,
    run: u64,
    story: Story,
}

impl Stage {
    /// Starts a server. The options are those of its program.
    pub async fn set(options: &[(&'static str, u64)]) -> Self {
        Self::set_in(None, [127, 0, 0, 1].into(), options).await
    }

    /// The same in network namespaces, that of the server and that of its clients.
    pub async fn set_in(
        namespaces: Option<[String; 2]>,
        address: IpAddr,
        options: &[(&'static str, u64)],
    ) -> Self {
        let mut stage = Self {
            namespaces,
            address: (address, 0).into(),
            server: None,
            clients: Vec::new(),
            options: options.to_vec(),
            pause: 10,
            run: 0,
            story: Story::default(),
        };
        stage.start_server().await;
        stage
    }

    fn program(&self, side: usize, program: &str) -> Command {
        let Some(namespaces) = &self.namespaces else {
            return Command::new(program);
        };
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &namespaces[side], program]);
        command
    }

    async fn start_server(&mut self) {
        self.run += 1;
        let mut command = self.program(0, env!("CARGO_BIN_EXE_count-server"));
        command.args(["--listen", &self.address.to_string()]);
        command.args(["--run", &self.run.to_string()]);
        for (name, value) in &self.options {
            command.args([format!("--{name}"), value.to_string()]);
        }
        let begun = Instant::now();
        let mut server = Program::start("server", command);
        let listens = |entry: &Entry| match entry {
            Entry::Listens(address) => address.parse().ok(),
            _ => None,
        };
        (_, self.address) = server.until("the address", begun, listens).await;
        self.server = Some(server);
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}/sente", self.address)
    }

    pub fn server(&mut self) -> &mut Program {
        self.server.as_mut().unwrap()
    }

    pub fn clients(&mut self) -> impl Iterator<Item = &mut Program> {
        self.clients.iter_mut()
    }

    /// Has the clients that come from now on wait so many milliseconds between two numbers.
    pub fn clients_pause(&mut self, pause: u64) {
        self.pause = pause;
    }

    /// Lets a client come.
    pub fn enter(&mut self, url: &str, carrier: &str) {
        let mut command = self.program(1, env!("CARGO_BIN_EXE_count-client"));
        command.args(["--url", url, "--carrier", carrier]);
        command.args(["--pause", &self.pause.to_string()]);
        self.clients.push(Program::start("client", command));
    }

    /// Waits until so many more numbers have come up from each client, and down to each.
    pub async fn count(&mut self, more: usize) {
        let is_down = |entry: &Entry| matches!(entry, Entry::Down { .. });
        let is_up = |entry: &Entry| matches!(entry, Entry::Up { .. });
        let count = |program: &Program, wanted: fn(&Entry) -> bool| {
            program.entries().iter().filter(|it| wanted(it)).count()
        };
        let up = count(self.server(), is_up) + more * self.clients.len();
        for client in &mut self.clients {
            let down = count(client, is_down) + more;
            client.so_many("numbers", down, is_down).await;
        }
        self.server().so_many("numbers", up, is_up).await;
    }

    /// Kills the server and starts it again at the same address.
    pub async fn restart(&mut self) {
        let killed = self.server.take().unwrap().kill().await;
        self.story.server(killed, true);
        self.start_server().await;
    }

    /// Kills a client.
    pub async fn kill_client(&mut self, place: usize) {
        let killed = self.clients.remove(place).kill().await;
        self.story.client(killed, true);
    }

    /// Has all stop and end in order, and looks at what they have written down.
    pub async fn end(mut self) -> Summary {
        self.server().stop().await;
        for client in &mut self.clients {
            client.stop().await;
        }
        for client in &mut self.clients {
            let is_done = |entry: &Entry| *entry == Entry::Done;
            client.so_many("the end", 1, is_done).await;
        }
        let server = self.server.take().unwrap().finish().await;
        self.story.server(server, false);
        for client in self.clients {
            self.story.client(client.finish().await, false);
        }
        self.story.check()
    }
}

/// A session has begun for that reason.
pub fn is_fresh(wanted: &'static str) -> impl Fn(&Entry) -> Option<()> {
    move |entry| match entry {
        Entry::Open { fresh, .. } => (fresh.as_deref() == Some(wanted)).then_some(()),
        _ => None,
    }
}

/// A session goes on.
pub fn is_resumed(entry: &Entry) -> Option<()> {
    matches!(entry, Entry::Open { fresh: None, .. }).then_some(())
}

/// A client is no longer connected.
pub fn is_closed(entry: &Entry) -> Option<()> {
    matches!(entry, Entry::Closed { .. }).then_some(())
}

/// Longer than anything takes on a machine that is not very busy.
pub const AMPLE: Duration = Duration::from_secs(10);
