//! What stands between a page and its server.

use crate::programs::{Proxy, Server};
use crate::window::Window;

/// What people write into nginx for WebSockets.
const PASSES_UPGRADES: &str = "
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
";

fn upstream(server: &Server, more: &str) -> String {
    format!("proxy_pass http://{};\n{more}", server.address())
}

#[test]
fn a_proxy_that_passes_web_sockets_on() {
    let server = Server::start();
    let proxy = Proxy::start(&server, &upstream(&server, PASSES_UPGRADES), "");
    let ann = Window::new("ann");
    ann.join(&proxy.url(), "ann");
    ann.wait_state("carrier", "WebSocket");
    ann.say_and_see("through the proxy");
}

#[test]
fn a_proxy_that_knows_no_web_sockets() {
    let server = Server::start();
    let proxy = Proxy::start(&server, &upstream(&server, ""), "");
    let ann = Window::new("ann");
    let bob = ann.of_other("bob");
    ann.join(&proxy.url(), "ann");
    bob.join(&server.url(), "bob");
    ann.wait_state("carrier", "polling");
    ann.wait_state("ws", "opened no WebSocket");
    bob.wait_state("carrier", "WebSocket");
    ann.say_and_see("by polling");
    bob.wait_line("by polling");
    bob.say_and_see("by WebSocket");
    ann.wait_line("by WebSocket");
    ann.click("Push 100 to all");
    ann.wait_console("100 of 100 pushes have come, in order");
}

#[test]
fn seven_tabs_that_poll_at_once() {
    // A browser has six connections to a host, and a poll that is held occupies one. The tabs that
    // are hidden hold none.
    let server = Server::start();
    let first = Window::new("ann");
    first.before_pages("delete window.WebSocket");
    first.join(&server.url(), "ann");
    let mut tabs = vec![first];
    for _ in 0..6 {
        let tab = tabs[0].new_tab();
        tab.before_pages("delete window.WebSocket");
        tab.go_to(&server.url());
        tab.wait_joined();
        tab.wait_state("carrier", "polling");
        tabs.push(tab);
    }
    tabs[6].wait_people(&["ann · 7 devices"]);
    for (number, tab) in tabs.iter().enumerate() {
        tab.say_and_see(&format!("from tab {number}"));
    }
    let said: Vec<_> = (0..7).map(|number| format!("from tab {number}")).collect();
    for tab in &tabs {
        tab.wait_line("from tab 6");
        assert_eq!(tab.lines(), said);
    }
}
