//! People who chat.

use crate::programs::Server;
use crate::window::Window;

/// Two people in the first room, each with a browser.
fn ann_and_bob(server: &Server) -> (Window, Window) {
    let ann = Window::new("ann");
    let bob = ann.of_other("bob");
    ann.join(&server.url(), "ann");
    bob.join(&server.url(), "bob");
    (ann, bob)
}

#[test]
fn two_people_talk() {
    let server = Server::start();
    let (ann, bob) = ann_and_bob(&server);
    ann.wait_note("bob is here");
    for person in [&ann, &bob] {
        person.wait_people(&["ann", "bob"]);
    }

    bob.write("What you say", "hel");
    ann.wait_text("#typing", "bob is typing");
    bob.enter("What you say", "lo");
    ann.wait_line("hello");
    assert_eq!(
        ann.text("#typing"),
        "",
        "who has said it does not type it any more"
    );
    ann.say_and_see("hello yourself");
    bob.wait_line("hello yourself");

    bob.click("Reply to ann: hello yourself");
    bob.wait_text("#replying-to", "To ann: hello yourself");
    bob.say("so there");
    ann.wait_text(".line q", "ann: hello yourself");
    assert_eq!(ann.lines(), ["hello", "hello yourself", "so there"]);
    assert_eq!(bob.lines(), ann.lines());

    bob.click("ann");
    ann.wait_console("bob waves at you");
    bob.wait_console("ann sees you waving");
}

#[test]
fn someone_who_stops_typing_is_not_shown_for_ever() {
    let server = Server::start();
    let (ann, bob) = ann_and_bob(&server);
    bob.write("What you say", "hm");
    ann.wait_text("#typing", "bob is typing");
    ann.wait(
        "nobody to type",
        "document.querySelector('#typing').textContent === ''",
        &[],
    );
}

#[test]
fn rooms_have_their_own_lines_and_say_how_many_are_new() {
    let server = Server::start();
    let (ann, bob) = ann_and_bob(&server);
    ann.enter("Another room", "garden");
    bob.enter("Another room", "#garden");
    ann.wait_people(&["ann", "bob"]);
    ann.click("#lobby");
    bob.say_and_see("under the tree");
    ann.click("#garden, 1 new");
    ann.wait_line("under the tree");
    ann.click("#lobby");
    assert_eq!(ann.lines(), [""; 0]);
    ann.click("Leave #garden");
    bob.wait_note("ann has left");
    bob.wait_people(&["bob"]);
    ann.enter("Another room", "two words");
    ann.wait_console("you cannot join #two words");
}

#[test]
fn who_comes_later_sees_what_was_said() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.join(&server.url(), "ann");
    ann.say_and_see("one");
    ann.say_and_see("two");
    let bob = ann.of_other("bob");
    bob.join(&server.url(), "bob");
    bob.wait_line("two");
    assert_eq!(bob.lines(), ["one", "two"]);
}

#[test]
fn the_server_asks_before_it_forgets() {
    let server = Server::start();
    let (ann, bob) = ann_and_bob(&server);
    ann.say_and_see("a secret");
    bob.wait_line("a secret");
    ann.click("Clear history");
    ann.wait_text("#question-text", "Forget what was said in #lobby");
    ann.click("No");
    ann.wait_console("nothing is forgotten: it was not confirmed");
    assert_eq!(bob.lines(), ["a secret"]);
    ann.click("Clear history");
    ann.click("Yes");
    ann.wait_console("forgotten: 1 lines of #lobby");
    bob.wait_note("ann made the server forget");
    assert_eq!(bob.lines(), [""; 0]);
    assert_eq!(ann.lines(), [""; 0]);
}

#[test]
fn two_tabs_of_one_person_are_two_devices() {
    // Who closes a tab is away for so long before the others are told.
    let server = Server::start_with(&["--window", "0.5"]);
    let (ann, bob) = ann_and_bob(&server);
    let too = ann.new_tab();
    too.go_to(&server.url());
    too.wait_joined();
    for window in [&ann, &bob, &too] {
        window.wait_people(&["ann · 2 devices", "bob"]);
    }
    ann.say_and_see("from one tab");
    too.wait_line("from one tab");
    too.say_and_see("from the other");
    ann.wait_line("from the other");
    bob.wait_line("from the other");
    bob.click("ann · 2 devices");
    ann.wait_console("bob waves at you");
    too.wait_console("bob waves at you");
    too.close();
    bob.wait_people(&["ann", "bob"]);
}

#[test]
fn a_reload_is_a_fresh_session_of_the_same_person() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.join(&server.url(), "ann");
    ann.wait_state("session", "fresh: the first");
    ann.wait_state("open", "yes (first)");
    ann.say_and_see("before");
    let before = ann.state("id");
    ann.reload();
    ann.wait_joined();
    ann.wait_state("session", "fresh: the first");
    ann.wait_state("user", "ann");
    ann.wait_line("before");
    assert_ne!(ann.state("id"), before);
}

#[test]
fn a_duplicated_tab_is_a_device_of_its_own() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.join(&server.url(), "ann");
    let id = ann.state("id");
    let copy = ann.duplicate();
    copy.wait_joined();
    copy.wait_state("session", "fresh: the first");
    assert_ne!(copy.state("id"), id);
    copy.say_and_see("from the copy");
    ann.wait_line("from the copy");
    ann.say_and_see("from the tab");
    copy.wait_line("from the tab");
    assert_eq!(ann.state("id"), id, "neither takes the other's session");
}

#[test]
fn a_killed_server_is_found_again_and_the_chat_goes_on() {
    let mut server = Server::start();
    let (ann, bob) = ann_and_bob(&server);
    ann.say_and_see("before");
    bob.wait_line("before");
    server.kill();
    ann.wait_status("No connection; trying again");
    ann.wait_state("next", "in ");
    ann.say("meanwhile");
    ann.wait_text("[data-state=waiting]", "meanwhile");

    server.start_again();
    // Whoever does not want to wait for the next try.
    ann.click("Reconnect");
    bob.click("Reconnect");
    for person in [&ann, &bob] {
        // It may have been back by itself, and then have gone on with that session.
        person.wait_console("the session is fresh: the server was restarted");
        person.wait_note("the server was restarted");
        person.wait_people(&["ann", "bob"]);
    }
    ann.wait_line("meanwhile");
    bob.wait_line("meanwhile");
    bob.say_and_see("after");
    ann.wait_line("after");
    assert_eq!(ann.lines(), ["meanwhile", "after"]);
    assert_eq!(bob.lines(), ["meanwhile", "after"]);
}
