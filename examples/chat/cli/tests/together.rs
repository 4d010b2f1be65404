//! A server and two people, as real programs: one by WebSocket, one by polling.

mod program;

use program::{Program, address, client, server};

/// What was said by someone, in the order in which it was shown.
fn said<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    let prefix = format!("{name}: ");
    lines
        .iter()
        .filter_map(|line| line.strip_prefix(&*prefix))
        .collect()
}

/// Ann by WebSocket and Bob by polling, both in the lobby.
fn both(address: &str) -> (Program, Program) {
    let mut ann = client(address, &["--name", "ann", "--carrier", "websocket"]);
    ann.expect("* connected by WebSocket as ann");
    ann.expect("* joined #lobby");
    let mut bob = client(
        address,
        &["--name", "bob", "--carrier", "poll", "--codec", "json"],
    );
    bob.expect("* connected by polling as bob");
    bob.expect("* joined #lobby, ann is here");
    ann.expect("* bob is here");
    (ann, bob)
}

#[test]
fn broken_connections_lose_and_repeat_nothing() {
    let mut server = server("127.0.0.1:0");
    let address = address(&mut server);
    let (mut ann, mut bob) = both(&address);

    const LINES: usize = 12;
    for n in 0..LINES {
        ann.type_line(&format!("a{n}"));
        if n % 3 == 1 {
            ann.type_line("/break");
        }
        bob.type_line(&format!("b{n}"));
        if n % 3 == 2 {
            bob.type_line("/break");
        }
        if n % 4 == 0 {
            // Some breaks come in the middle of it all, and some when all is said.
            ann.expect(&format!("bob: b{n}"));
            bob.expect(&format!("ann: a{n}"));
        }
    }
    let last = LINES - 1;
    ann.expect(&format!("bob: b{last}"));
    bob.expect(&format!("ann: a{last}"));
    // Both end by themselves when their own lines are answered.
    let (ann, bob) = (ann.finish(), bob.finish());

    let a: Vec<_> = (0..LINES).map(|n| format!("a{n}")).collect();
    let b: Vec<_> = (0..LINES).map(|n| format!("b{n}")).collect();
    for lines in [&ann, &bob] {
        assert_eq!(said(lines, "ann"), a);
        assert_eq!(said(lines, "bob"), b);
    }
    for (lines, carrier) in [(&ann, "WebSocket"), (&bob, "polling")] {
        let back = format!("* back by {carrier}, nothing was lost");
        assert!(lines.contains(&back), "{lines:#?}");
    }
}

#[test]
fn a_restarted_server_is_told_and_joined_again() {
    let mut first = server("127.0.0.1:0");
    let address = address(&mut first);
    let (mut ann, mut bob) = both(&address);
    ann.type_line("before");
    bob.expect("ann: before");
    // Her receipt too: without it she would rightly not know whether it was posted.
    ann.expect("ann: before");

    first.kill();
    ann.expect("! connection lost");
    bob.expect("! connection lost");
    ann.type_line("meanwhile");
    ann.expect("* this is said as soon as there is a connection");

    let mut second = server(&address);
    second.expect("chat-server listens");
    ann.expect("! the server was restarted; joined #lobby again");
    bob.expect("! the server was restarted; joined #lobby again");
    bob.expect("ann: meanwhile");
    bob.type_line("after");
    ann.expect("bob: after");

    let (ann, bob) = (ann.finish(), bob.finish());
    assert_eq!(said(&ann, "ann"), ["before", "meanwhile"]);
    assert_eq!(said(&bob, "ann"), ["before", "meanwhile"]);
    assert_eq!(said(&ann, "bob"), ["after"]);
}

#[test]
#[cfg(unix)]
fn a_server_that_ends_says_so() {
    let mut server = server("127.0.0.1:0");
    let address = address(&mut server);
    let (mut ann, mut bob) = both(&address);
    server.ask_to_end();
    ann.expect("! the server is shutting down");
    bob.expect("! the server is shutting down");
    assert!(server.ended().success());
}

#[test]
fn the_server_asks_and_others_are_told() {
    let mut server = server("127.0.0.1:0");
    let address = address(&mut server);
    let (mut ann, mut bob) = both(&address);
    ann.type_line("hello");
    bob.expect("ann: hello");
    bob.type_line("/re ann hello yourself");
    ann.expect("bob: (to ann: hello) hello yourself");
    bob.type_line("/wave ann");
    ann.expect("* bob waves at you");
    bob.expect("* ann sees you waving");
    bob.type_line("/who");
    bob.expect("* in #lobby: ann, bob");
    ann.type_line("/clear");
    ann.expect("! Forget what was said in #lobby, for everyone?");
    ann.expect("* forgotten: what was said in #lobby (2 lines)");
    bob.expect("* ann made the server forget");
    bob.type_line("/join garden");
    bob.expect("* joined #garden, nobody else is here");
    ann.expect("* bob has left");
    bob.finish();
    ann.finish();
}

#[test]
fn a_mistake_is_told_with_what_to_do() {
    let mut server = server("127.0.0.1:0");
    let address = address(&mut server);
    let error = client(&address, &["--name", "no good"]).fail();
    assert!(error.contains("does not let you in: a name has"), "{error}");
    let error = client(&address, &["--name", "ann", "--room", "no good"]).fail();
    assert!(error.contains("a room's name has"), "{error}");
    let error = client(&address, &["--name", "ann", "--url", "example.org"]).fail();
    assert!(error.contains("has no scheme"), "{error}");
    let error = client(&address, &["--carrier", "pigeon"]).fail();
    assert!(error.contains("auto, websocket or poll"), "{error}");
}
