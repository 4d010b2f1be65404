//! The programs around the page: the chat server, a proxy, the browser's driver. They end with
//! the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs, thread};

/// A program that ends with the test.
struct Program(Child);

impl Program {
    /// Starts it and waits until it prints a line in which `find` finds something.
    fn start<T>(
        command: &mut Command,
        of_errors: bool,
        mut find: impl FnMut(&str) -> Option<T>,
    ) -> (Self, T) {
        let name = command.get_program().to_string_lossy().into_owned();
        if of_errors {
            command.stderr(Stdio::piped());
        } else {
            command.stdout(Stdio::piped());
        }
        let mut child = command
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}; {HINT}"));
        let output: Box<dyn Read + Send> = match (child.stdout.take(), child.stderr.take()) {
            (Some(output), _) => Box::new(output),
            (_, Some(errors)) => Box::new(errors),
            _ => unreachable!("one of both is a pipe"),
        };
        let program = Self(child);
        let mut output = BufReader::new(output);
        let mut printed = String::new();
        loop {
            let start = printed.len();
            if output.read_line(&mut printed).unwrap_or(0) == 0 {
                panic!("{name} ended at its start. It printed:\n{printed}");
            }
            if let Some(found) = find(&printed[start..]) {
                // What else it prints must not stop it.
                thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
                return (program, found);
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const HINT: &str = "`cargo xtask page` gets all that these tests need";

// ---- the chat server ----

/// A chat server with the page.
pub(crate) struct Server {
    program: Option<Program>,
    address: String,
    arguments: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let mut server = Self {
            program: None,
            address: "127.0.0.1:0".to_owned(),
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
        };
        server.start_again();
        server
    }

    /// Where it is: the same after a restart.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.program = None;
    }

    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new(beside_this_test("chat-server"));
        command
            .args(["--listen", &self.address, "--page"])
            .arg(page_directory())
            .args(&self.arguments)
            .env("RUST_LOG", "off");
        let (program, address) = Program::start(&mut command, false, |line| {
            let (_, address) = line.split_once("http://")?;
            Some(address.trim().to_owned())
        });
        self.program = Some(program);
        self.address = address;
    }
}

/// The files of the page.
pub(crate) fn page_directory() -> PathBuf {
    let directory = match env::var_os("CHAT_PAGE") {
        Some(directory) => directory.into(),
        None => target().join("pages/chat-web"),
    };
    let index = directory.join("index.html");
    assert!(index.exists(), "{} is not there; {HINT}", index.display());
    directory
}

fn beside_this_test(program: &str) -> PathBuf {
    let path = env::current_exe().unwrap();
    let directory = path.parent().and_then(Path::parent).unwrap();
    let path = directory.join(format!("{program}{}", env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is not there; {HINT}", path.display());
    path
}

/// The directory that cargo builds into.
fn target() -> PathBuf {
    let path = env::current_exe().unwrap();
    path.ancestors().nth(3).unwrap().to_owned()
}

/// A directory for what is worth to be kept of a failure.
pub(crate) fn kept() -> PathBuf {
    let directory = target().join("page-failures");
    fs::create_dir_all(&directory).unwrap();
    directory
}

// ---- a proxy ----

/// nginx in front of a chat server.
pub(crate) struct Proxy {
    _program: Program,
    _directory: Directory,
    port: u16,
}

impl Proxy {
    /// Passes everything on to `server`. `of_sente` is what its configuration says of the requests
    /// that the client makes, `of_page` of all others.
    pub(crate) fn start(server: &Server, of_sente: &str, of_page: &str) -> Self {
        let port = free_port();
        let directory = Directory::new();
        let path = directory.0.display();
        let configuration = format!(
            "daemon off;
            master_process off;
            pid {path}/nginx.pid;
            error_log stderr notice;
            events {{ worker_connections 64; }}
            http {{
                access_log off;
                client_body_temp_path {path}/body;
                proxy_temp_path {path}/proxy;
                fastcgi_temp_path {path}/fastcgi;
                uwsgi_temp_path {path}/uwsgi;
                scgi_temp_path {path}/scgi;
                server {{
                    listen 127.0.0.1:{port};
                    proxy_set_header Host $http_host;
                    location / {{
                        proxy_pass http://{upstream};
                        {of_page}
                    }}
                    location /sente/ {{
                        proxy_set_header Host $http_host;
                        {of_sente}
                    }}
                }}
            }}",
            upstream = server.address(),
        );
        let file = directory.0.join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let nginx = env::var_os("NGINX").unwrap_or_else(|| "nginx".into());
        let mut command = Command::new(nginx);
        command
            .args(["-e", "stderr", "-p"])
            .arg(&directory.0)
            .arg("-c")
            .arg(&file);
        let (program, ()) = Program::start(&mut command, true, |line| {
            line.contains("[notice]").then_some(())
        });
        Self {
            _program: program,
            _directory: directory,
            port,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

/// One that nobody listens on now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A directory that is gone with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let name = format!("sente-page-{}-{}", std::process::id(), free_port());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

// ---- the browser's driver ----

/// ChromeDriver.
pub(crate) struct Driver {
    program: Program,
    pub(crate) port: u16,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let driver = env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let mut command = Command::new(driver);
        command.arg("--port=0");
        let (program, port) = Program::start(&mut command, false, |line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim().trim_end_matches('.').parse().ok()
        });
        Self { program, port }
    }
}

impl Drop for Driver {
    /// Lets it end its browsers first: they would outlive it.
    fn drop(&mut self) {
        let bye = format!(
            "GET /shutdown HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n",
            self.port
        );
        let ended = TcpStream::connect(("127.0.0.1", self.port))
            .and_then(|mut connection| connection.write_all(bye.as_bytes()));
        if ended.is_ok() {
            let _ = self.program.0.wait();
        }
    }
}
