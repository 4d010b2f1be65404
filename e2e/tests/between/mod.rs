//! Proxies that people put in front of their servers: nginx and haproxy, as this user, on a free port,
//! with their configuration in a directory of their own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use sente_e2e::soon;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How a proxy is set up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setup {
    /// It does not pass on requests for a WebSocket.
    pub(crate) no_upgrade: bool,
    /// After so many seconds without a byte it gives up.
    pub(crate) patience: Option<u32>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Nginx,
    Haproxy,
}

/// One that runs, until this is dropped.
pub(crate) struct Between {
    kind: Kind,
    child: Child,
    address: SocketAddr,
    _directory: Directory,
}

impl Between {
    /// Starts one in front of a server, and waits until it takes connections.
    pub(crate) async fn start(kind: Kind, server: SocketAddr, setup: Setup) -> Self {
        // Others may take the address before it does.
        for _ in 0..5 {
            let mut between = Self::start_at(free_address(), kind, server, setup);
            if between.listens().await {
                return between;
            }
        }
        panic!("{kind:?} ends as soon as it is started; above it says why");
    }

    fn start_at(address: SocketAddr, kind: Kind, server: SocketAddr, setup: Setup) -> Self {
        let directory = Directory::new(address.port());
        let config = directory.0.join("config");
        let text = match kind {
            Kind::Nginx => nginx(&directory, address, server, setup),
            Kind::Haproxy => haproxy(address, server, setup),
        };
        fs::write(&config, text).unwrap();
        let mut command = match kind {
            Kind::Nginx => {
                let mut command = Command::new(program("nginx"));
                command.arg("-p").arg(&directory.0).arg("-c").arg(&config);
                // Where it writes before it has read its configuration.
                command.arg("-e").arg("stderr");
                command
            }
            Kind::Haproxy => {
                let mut command = Command::new(program("haproxy"));
                command.arg("-W").arg("-f").arg(&config);
                command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self {
            kind,
            child: command.spawn().unwrap(),
            address,
            _directory: directory,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/sente", self.address)
    }

    /// Has it read its configuration again: new processes take over, and the old ones close what they
    /// have after a second.
    pub(crate) async fn reload(&mut self) {
        let signal = match self.kind {
            Kind::Nginx => "-HUP",
            Kind::Haproxy => "-USR2",
        };
        let process = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args([signal, &process]).status();
        assert!(status.await.unwrap().success());
        assert!(self.listens().await, "it ended");
    }

    /// Waits until it takes connections. Returns whether it does.
    async fn listens(&mut self) -> bool {
        let tries = async {
            while TcpStream::connect(self.address).await.is_err() {
                if self.child.try_wait().unwrap().is_some() {
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            true
        };
        soon(&format!("{:?}", self.kind), tries).await
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        // Not killed: its workers would stay.
        if let Some(process) = self.child.id() {
            let process = process.to_string();
            let _ = std::process::Command::new("kill").arg(process).status();
        }
    }
}

/// The program in PATH, or where Debian has those of the system.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let mut programs = directories.map(|directory| directory.join(name));
    programs.find(|program| program.is_file()).unwrap_or_else(|| {
        panic!(
            "{name} is not here: `cargo xtask test` installs it, or `sudo apt-get install {name}`"
        )
    })
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// A directory that is gone when this is.
struct Directory(PathBuf);

impl Directory {
    fn new(port: u16) -> Self {
        let name = format!("sente-proxy-{}-{port}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// As the book shows it, but for where it listens and writes.
fn nginx(directory: &Directory, listen: SocketAddr, server: SocketAddr, setup: Setup) -> String {
    let directory = directory.0.display();
    let upgrade = if setup.no_upgrade {
        ""
    } else {
        "proxy_set_header Upgrade $http_upgrade;
         proxy_set_header Connection $connection_upgrade;"
    };
    let patience = setup.patience.map_or_else(String::new, |seconds| {
        format!("proxy_read_timeout {seconds}s;")
    });
    format!(
        "daemon off;
        worker_processes 1;
        worker_shutdown_timeout 1s;
        pid {directory}/pid;
        events {{ worker_connections 256; }}
        http {{
            access_log off;
            error_log {directory}/errors;
            client_body_temp_path {directory}/body;
            proxy_temp_path {directory}/proxy;
            fastcgi_temp_path {directory}/fastcgi;
            uwsgi_temp_path {directory}/uwsgi;
            scgi_temp_path {directory}/scgi;
            map $http_upgrade $connection_upgrade {{
                default upgrade;
                '' '';
            }}
            server {{
                listen {listen};
                location / {{
                    proxy_pass http://{server};
                    proxy_http_version 1.1;
                    proxy_set_header Host $http_host;
                    proxy_buffering on;
                    {upgrade}
                    {patience}
                }}
            }}
        }}
        "
    )
}

fn haproxy(listen: SocketAddr, server: SocketAddr, setup: Setup) -> String {
    let seconds = setup.patience.unwrap_or(60);
    let refuse = if setup.no_upgrade {
        "http-request deny if { hdr(Upgrade) -m found }"
    } else {
        ""
    };
    format!(
        "global
    maxconn 200
    hard-stop-after 1s
defaults
    mode http
    option http-buffer-request
    timeout connect 5s
    timeout client {seconds}s
    timeout server {seconds}s
    timeout tunnel {seconds}s
frontend all
    bind {listen}
    {refuse}
    default_backend server
backend server
    server one {server}
"
    )
}
