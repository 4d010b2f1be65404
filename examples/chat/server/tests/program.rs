//! The server as a program: where it listens, and what it says about that.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

struct Server(Child);

impl Server {
    fn start(listen: &str) -> Self {
        Self::start_with(listen, &[])
    }

    fn start_with(listen: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
        command
            .args(["--listen", listen])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// The line by which it says where it is.
    fn announcement(&mut self) -> String {
        let mut line = String::new();
        let mut output = BufReader::new(self.0.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        line
    }
}

/// The address in an announcement.
fn address(line: &str) -> String {
    line.split(['/', ' ', '\n'])
        .find(|it| it.starts_with("127.0.0.1:"))
        .unwrap()
        .to_owned()
}

/// Sends a request and returns the whole answer.
fn ask(address: &str, request: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let mut text = format!("{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    connection.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
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
    let line = server.announcement();
    let address = address(&line);
    let invitation = format!("--url http://{address}/sente");
    assert!(line.contains(&invitation), "{line}");
    let answer = ask(&address, "GET /", &[], "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&invitation), "{answer}");
}

#[test]
fn it_serves_the_page_and_logs_in_whom_the_page_sends() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("page");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("index.html"), "token: {{csrf-token}};").unwrap();
    std::fs::write(directory.join("style.css"), "a {}").unwrap();
    std::fs::write(directory.join("secret.txt"), "a secret").unwrap();
    let mut server = Server::start_with("127.0.0.1:0", &["--page", directory.to_str().unwrap()]);
    let address = address(&server.announcement());

    let page = ask(&address, "GET /", &[], "");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(
        page.contains("content-security-policy: default-src 'self'"),
        "{page}"
    );
    let token = between(&page, "token: ", ";");
    let cookie = between(&page, "set-cookie: ", ";");
    let style = ask(&address, "GET /style.css", &[], "");
    assert!(
        style.contains("content-type: text/css") && style.ends_with("a {}"),
        "{style}"
    );
    for elsewhere in ["secret.txt", "index.html", "none.css", "..%2Fstyle.css"] {
        let answer = ask(&address, &format!("GET /{elsewhere}"), &[], "");
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }

    let login = |headers: &[(&str, &str)], name| ask(&address, "POST /login", headers, name);
    let page = [("cookie", cookie), ("x-csrf-token", token)];
    let answer = login(&page, "Jürgen");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let set = between(&answer, "set-cookie: ", "\r\n");
    assert!(set.starts_with("chat-user=J%C3%BCrgen;"), "{set}");
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax"),
        "{set}"
    );
    assert!(login(&page, "two words").starts_with("HTTP/1.1 422"));
    assert!(login(&page[..1], "ann").starts_with("HTTP/1.1 403"));
    let answer = ask(&address, "POST /logout", &page, "");
    assert!(answer.contains("chat-user=; Max-Age=0"), "{answer}");
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
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
