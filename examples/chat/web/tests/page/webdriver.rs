//! As much of WebDriver as the tests need: each command is a request with JSON, to a driver on
//! this machine.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::programs::Driver;

/// Anything that takes longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What Chromium is told: no window, and none of the requests that it makes for itself.
const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    // Tests are run as root too, where its sandbox does not work.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--window-size=1280,900",
];

/// A browser of its own: its own cookies, its own tabs.
pub(crate) struct Session {
    driver: Rc<Driver>,
    path: String,
    /// The tab that commands go to.
    tab: RefCell<String>,
}

impl Session {
    /// Starts a browser; `preferences` are those of its settings.
    pub(crate) fn start(driver: &Rc<Driver>, preferences: &Value) -> Self {
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": ARGUMENTS, "prefs": preferences },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": PATIENCE.as_millis() as u64 },
            "unhandledPromptBehavior": "ignore",
        } } });
        let answer = request(driver.port, "POST", "/session", &capabilities)
            .unwrap_or_else(|error| panic!("no browser could be started: {error}"));
        let id = answer["sessionId"].as_str().unwrap();
        let session = Self {
            driver: Rc::clone(driver),
            path: format!("/session/{id}"),
            tab: RefCell::default(),
        };
        let tab = session.get("/window").unwrap();
        session.tab.replace(tab.as_str().unwrap().to_owned());
        session
    }

    pub(crate) fn driver(&self) -> &Rc<Driver> {
        &self.driver
    }

    /// The tab that commands go to.
    pub(crate) fn tab(&self) -> String {
        self.tab.borrow().clone()
    }

    /// Commands go to that tab from now on, and it is the one that is shown.
    pub(crate) fn switch(&self, tab: &str) {
        if *self.tab.borrow() != tab {
            self.post("/window", &json!({ "handle": tab })).unwrap();
            self.tab.replace(tab.to_owned());
            self.cdp("Page.bringToFront", &json!({}));
        }
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value, String> {
        request(
            self.driver.port,
            "GET",
            &format!("{}{path}", self.path),
            &Value::Null,
        )
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        request(
            self.driver.port,
            "POST",
            &format!("{}{path}", self.path),
            body,
        )
    }

    pub(crate) fn delete(&self, path: &str) -> Result<Value, String> {
        request(
            self.driver.port,
            "DELETE",
            &format!("{}{path}", self.path),
            &Value::Null,
        )
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn cdp(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body)
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have crashed.
        let _ = self.delete("");
    }
}

fn request(port: u16, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let answer = exchange(port, method, path, body)
        .map_err(|error| format!("the browser's driver does not answer: {error}"))?;
    let mut answer: Value = serde_json::from_str(&answer)
        .map_err(|error| format!("the browser's driver answers {answer:?}: {error}"))?;
    let value = answer["value"].take();
    match value.get("error") {
        Some(error) => Err(format!("{}: {}", error, value["message"])),
        None => Ok(value),
    }
}

/// Sends a request and returns the body of the answer.
fn exchange(port: u16, method: &str, path: &str, body: &Value) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    // A command may itself wait so long.
    connection.set_read_timeout(Some(PATIENCE * 2))?;
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let length = body.len();
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    // Not until it is closed: the browser that a driver starts may keep it open.
    let mut answer = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}
