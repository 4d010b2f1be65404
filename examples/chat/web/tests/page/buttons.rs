//! Each button, and what it does to the page.

use crate::programs::Server;
use crate::window::Window;

fn ann(server: &Server) -> Window {
    let ann = Window::new("ann");
    ann.join(&server.url(), "ann");
    ann
}

#[test]
fn what_is_sent_comes_back() {
    let server = Server::start();
    let ann = ann(&server);
    let bob = ann.of_other("bob");
    bob.join(&server.url(), "bob");
    ann.click("Call, with a reply");
    ann.wait_console("“call 1” was answered in ");
    ann.click("Event, no reply");
    ann.wait_console("“note 2” has come to the server");
    ann.click("Push 100 to all");
    for window in [&ann, &bob] {
        window.wait_console("100 of 100 pushes have come, in order");
    }
    ann.click("Who is connected");
    ann.wait_console("connected: ann, browser by WebSocket; bob, browser by WebSocket");
    ann.click("Clear");
    ann.wait(
        "an empty console",
        "!document.querySelector('#log li')",
        &[],
    );
}

#[test]
fn the_loop_of_pushes_is_seen_by_all_and_stopped_by_anyone() {
    let server = Server::start();
    let ann = ann(&server);
    let bob = ann.of_other("bob");
    bob.join(&server.url(), "bob");
    ann.click("Loop of pushes");
    for window in [&ann, &bob] {
        window.wait_console("push 2 of the loop; here: ann, bob");
        window.wait_text("[data-do=loop][aria-pressed=true]", "Loop");
    }
    bob.click("Loop of pushes");
    for window in [&ann, &bob] {
        window.wait_console("the loop of pushes has ended");
        window.wait_text("[data-do=loop][aria-pressed=false]", "Loop");
    }
}

#[test]
fn disconnected_is_disconnected_until_it_is_told_to_reconnect() {
    let server = Server::start();
    let ann = ann(&server);
    ann.click("Disconnect");
    ann.wait_status("Disconnected");
    ann.wait_state("close", "you disconnected");
    ann.wait_state("carrier", "–");
    ann.say("into the void");
    ann.wait_text("[data-state=waiting]", "into the void");
    ann.click("Reconnect");
    ann.wait_state("session", "fresh: as you asked");
    ann.wait_state("open", "yes (again)");
    ann.wait_line("into the void");
}

#[test]
fn a_broken_connection_is_back_at_once_with_its_session() {
    let server = Server::start();
    let ann = ann(&server);
    let id = ann.state("id");
    ann.click("Break, noticed");
    ann.wait_state("close", "you broke it");
    ann.wait_state("session", "resumed");
    ann.wait_state("open", "yes (again)");
    ann.click("Reconnect");
    ann.wait_state("close", "a new one was asked for");
    ann.wait_state("open", "yes (again)");
    assert_eq!(ann.state("id"), id);
    ann.say_and_see("still here");
}

#[test]
fn a_connection_that_dies_silently_is_found_out_by_a_probe() {
    let server = Server::start();
    let ann = ann(&server);
    let id = ann.state("id");
    ann.click("Break, silently");
    ann.wait_console("the connection swallows everything now");
    ann.say("into the dark");
    ann.click("Event, no reply");
    ann.wait(
        "two to wait",
        "+document.querySelector('#state-queued').textContent >= 2",
        &[],
    );
    ann.click("Probe");
    ann.wait_state("close", "nothing came for too long");
    ann.wait_state("session", "resumed");
    ann.wait_line("into the dark");
    ann.wait_console("“note 1” has come to the server");
    ann.wait_state("queued", "0");
    assert_eq!(ann.lines(), ["into the dark"]);
    assert_eq!(ann.state("id"), id);
}

#[test]
fn carriers_are_chosen_and_the_session_goes_on() {
    let server = Server::start();
    let ann = ann(&server);
    let id = ann.state("id");
    ann.wait_state("carrier", "WebSocket");
    let moves = [
        ("Polling", "polling"),
        ("WebSocket", "WebSocket"),
        ("Polling", "polling"),
        ("Auto", "WebSocket"),
    ];
    for (number, (choice, carrier)) in moves.into_iter().enumerate() {
        ann.click(choice);
        ann.wait_state("carrier", carrier);
        ann.wait_status(&format!("Connected by {carrier}"));
        ann.say_and_see(&format!("line {number}"));
    }
    assert_eq!(ann.lines(), ["line 0", "line 1", "line 2", "line 3"]);
    ann.wait_state("session", "resumed");
    assert_eq!(ann.state("id"), id);
}

#[test]
fn codecs_are_chosen_on_both_carriers() {
    let server = Server::start();
    let ann = ann(&server);
    for carrier in ["WebSocket", "Polling"] {
        ann.click(carrier);
        for codec in ["json", "msgpack", "postcard", "bincode"] {
            ann.click(codec);
            ann.wait_state("codec", codec);
            ann.wait_joined();
            ann.wait_state("welcome", "ann, up to 500 characters");
            ann.say_and_see(&format!("{codec} by {carrier}"));
        }
    }
    assert_eq!(ann.lines().len(), 8);
}

#[test]
fn a_bad_connection_loses_messages_but_no_lines() {
    let server = Server::start();
    let ann = ann(&server);
    let bob = ann.of_other("bob");
    bob.join(&server.url(), "bob");
    ann.click("25");
    ann.wait_console("of all messages 25 % are lost");
    let said: Vec<_> = (1..=8).map(|number| format!("line {number}")).collect();
    for line in &said {
        ann.say(line);
    }
    bob.wait_line("line 8");
    assert_eq!(bob.lines(), said);
    ann.wait_line("line 8");
    assert_eq!(ann.lines(), said);
    ann.wait_text("#log [data-kind=warn]", "simulated bad connection");
    ann.click("0\u{2009}%");
    ann.click("Reconnect");
    ann.wait_state("open", "yes (again)");
    ann.click("Push 100 to all");
    ann.wait_console("100 of 100 pushes have come, in order");
}

#[test]
fn repeated_log_ins_end_as_who_one_was() {
    let server = Server::start();
    let ann = ann(&server);
    ann.click("Repeated log-ins");
    ann.wait_console("11 log-ins in ");
    ann.wait_state("user", "ann");
    ann.wait_people(&["ann"]);
    ann.wait_state("session", "fresh: you are somebody else now");
    ann.say_and_see("me again");
}

#[test]
fn the_log_is_shown_from_the_level_that_is_chosen() {
    let server = Server::start();
    let ann = ann(&server);
    let choose = |level: &str| {
        ann.choose("Log", level);
        ann.wait_console(&format!("the log is shown from level {level} on"));
    };
    choose("trace");
    ann.click("Call, with a reply");
    ann.wait_text("#log [data-kind=log]", "TRACE a frame goes out");
    choose("debug");
    ann.click("Clear");
    ann.click("Break, noticed");
    ann.wait_text("#log [data-kind=log]", "DEBUG dialling a WebSocket");
    assert!(!ann.text("#log").contains("TRACE"));
    choose("off");
    ann.click("Clear");
    ann.click("Break, noticed");
    ann.wait_console("connected by WebSocket");
    assert!(!ann.text("#log").contains("DEBUG"));
}
