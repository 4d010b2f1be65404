//! What a page may meet that is not as it should be. Each ends in a state that says so.

use std::net::SocketAddr;

use chat_server::{authenticate, is_from_page, page};
use sente_server::{Peer, Server as Sente};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::programs::{Proxy, Server, page_directory};
use crate::window::Window;

#[test]
fn a_browser_without_web_sockets() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.before_pages("delete window.WebSocket");
    ann.join(&server.url(), "ann");
    ann.wait_state("carrier", "polling");
    ann.wait_state("ws", "this page can open no WebSocket");
    ann.say_and_see("all the same");
}

#[test]
fn a_policy_that_forbids_web_sockets() {
    let server = Server::start();
    let forbids = "add_header Content-Security-Policy 'connect-src http://$http_host';";
    let sente = format!("proxy_pass http://{};", server.address());
    let proxy = Proxy::start(&server, &sente, forbids);
    let ann = Window::new("ann");
    ann.join(&proxy.url(), "ann");
    ann.wait_state("carrier", "polling");
    ann.wait_state("ws", "content security policy");
    ann.say_and_see("all the same");
}

#[test]
fn a_policy_that_forbids_all_that_is_not_needed() {
    let server = Server::start();
    let policy = "add_header Content-Security-Policy \"default-src 'self'; \
                  script-src 'self' 'wasm-unsafe-eval'\";";
    let sente = format!(
        "proxy_pass http://{};
         proxy_http_version 1.1;
         proxy_set_header Upgrade $http_upgrade;
         proxy_set_header Connection upgrade;",
        server.address()
    );
    let proxy = Proxy::start(&server, &sente, policy);
    let ann = Window::new("ann");
    ann.join(&proxy.url(), "ann");
    ann.wait_state("carrier", "WebSocket");
    ann.say_and_see("and no more");
}

#[test]
fn a_server_that_answers_with_a_page() {
    let server = Server::start();
    let html = "default_type text/html; return 200 '<!doctype html><p>Welcome to the hotel!';";
    let proxy = Proxy::start(&server, html, "");
    let ann = Window::new("ann");
    ann.go_to(&proxy.url());
    ann.wait_status("No connection; trying again");
    ann.wait_state("poll", "HTML");
    ann.wait_state("next", "in ");
}

#[test]
fn a_server_that_comes_and_goes_before_the_first_connection() {
    let mut server = Server::start();
    let ann = Window::new("ann");
    ann.go_to(&server.url());
    ann.wait_status("Not logged in");
    server.kill();
    ann.enter("Your name", "ann");
    ann.wait_text("#login-problem", "the server cannot be reached");
    server.start_again();
    ann.enter("Your name", "");
    ann.wait_joined();
}

#[test]
fn a_tab_that_sleeps_for_longer_than_its_session_lives() {
    let server = Server::start_with(&["--window", "1", "--silence", "5"]);
    let ann = Window::new("ann");
    let bob = ann.of_other("bob");
    ann.join(&server.url(), "ann");
    bob.join(&server.url(), "bob");
    let id = ann.state("id");
    let life = |state: &str| {
        ann.cdp("Page.setWebLifecycleState", &json!({ "state": state }));
    };
    life("frozen");
    bob.wait_note("ann has left");
    bob.say_and_see("sleep well");
    life("active");
    ann.wait_state("session", "fresh: you were away for too long");
    ann.wait_note("you were away for too long");
    ann.wait_line("sleep well");
    ann.wait_people(&["ann", "bob"]);
    assert_ne!(ann.state("id"), id);
}

/// A contract of another version: what is posted has one field more.
mod newer {
    use serde::{Deserialize, Serialize};

    pub(super) use chat_contract::{JoinError, Person, RoomView, Welcome};

    #[derive(Clone, Debug, Deserialize, Serialize, sente::Schema)]
    pub(super) struct Receipt {
        pub(super) id: u64,
        pub(super) at: u64,
    }

    #[sente::events(handshake = Welcome)]
    pub(super) enum Chat {
        #[to_server(reply = RoomView, error = JoinError, timeout = "5s")]
        Join { room: String },

        #[to_server(reply = Receipt)]
        Post { room: String, text: String },

        #[to_client(delivery = latest)]
        People {
            #[key]
            room: String,
            people: Vec<Person>,
        },
    }
}

struct Newer;

impl newer::ChatServer for Newer {
    async fn join(&self, from: &Peer, room: String) -> Result<newer::RoomView, newer::JoinError> {
        let people = vec![newer::Person {
            name: from.user_or("someone").to_owned(),
            devices: 1,
        }];
        newer::Chat::to_client(from)
            .people(room, people.clone())
            .ok();
        Ok(newer::RoomView {
            lines: Vec::new(),
            people,
        })
    }

    async fn post(&self, _: &Peer, _: String, _: String) -> newer::Receipt {
        newer::Receipt { id: 1, at: 0 }
    }
}

#[test]
fn a_server_of_another_version() {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        let sente = Sente::builder()
            .authenticate(authenticate)
            .csrf(is_from_page)
            .handshake::<newer::Chat>(|peer| newer::Welcome {
                name: peer.user_or("someone").to_owned(),
                max_text: 500,
            })
            .serve(|_| newer::Chat::server(Newer))
            .build();
        let app = page::routes(page_directory()).merge(sente.routes("/sente"));
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, app).await.unwrap();
    });
    let ann = Window::new("ann");
    ann.join(&format!("http://{address}/"), "ann");
    ann.wait_status("one of both programs is older: reload the page");
    ann.wait_state("skew", "chat/post");
    ann.wait_state("skew", "lab/echo");
    ann.say("hello");
    ann.wait_text("[data-state=failed]", "not posted: ");
    ann.click("Call, with a reply");
    ann.wait_console("“call 1” was not handled: ");
    // What both have in the same form goes on.
    ann.enter("Another room", "garden");
    ann.wait_people(&["ann"]);
}
