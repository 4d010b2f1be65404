//! The server as a program: where it listens, and what it says about that.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

struct Server(Child);

impl Server {
    fn start(listen: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
        command
            .args(["--listen", listen])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_says_where_it_is_and_its_page_how_to_join() {
    let mut server = Server::start("127.0.0.1:0");
    let mut line = String::new();
    let mut output = BufReader::new(server.0.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let address = line
        .split(['/', ' '])
        .find(|it| it.starts_with("127.0.0.1:"));
    let address = address.unwrap();
    assert!(
        line.contains(&format!("--url http://{address}/sente")),
        "{line}"
    );

    let mut page = TcpStream::connect(address).unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    page.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    page.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains(&format!("--url http://{address}/sente")),
        "{answer}"
    );
}

#[test]
fn a_taken_address_is_told_with_what_to_do() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let mut server = Server::start(&address);
    let mut error = String::new();
    let mut errors = server.0.stderr.take().unwrap();
    errors.read_to_string(&mut error).unwrap();
    assert!(!server.0.wait().unwrap().success());
    assert!(
        error.contains(&format!("another program listens on {address}")),
        "{error}"
    );
    assert!(error.contains("--listen 127.0.0.1:PORT"), "{error}");
}
