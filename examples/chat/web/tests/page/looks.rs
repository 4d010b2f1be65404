//! The page on a phone and on a desk, by keyboard, and for those who have it read to them.

use serde_json::Value;

use crate::programs::Server;
use crate::window::Window;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// What is wider than the window, if anything.
const TOO_WIDE: &str = "
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll('body *')].filter(it => {
        const box = it.getBoundingClientRect();
        const inner = it.parentElement.closest('.rooms ul, .people ul, .unseen, dialog, .skip');
        return box.right > width + 1 && box.width > 0 && !inner && !it.matches('.skip');
    });
    return wide.map(it => it.outerHTML.slice(0, 80));
";

#[test]
fn nothing_is_wider_than_the_window() {
    let server = Server::start();
    let ann = Window::new("ann");
    let sizes = [
        (320, 568),
        (375, 667),
        (768, 1024),
        (1280, 720),
        (1920, 1080),
    ];
    let check = |what: &str| {
        for (width, height) in sizes {
            ann.set_size(width, height);
            let wide = ann.run(TOO_WIDE, &[]);
            assert_eq!(wide, Value::Array(Vec::new()), "{what}, {width} pixels");
        }
    };
    ann.go_to(&server.url());
    ann.wait_status("Not logged in");
    check("logged out");
    ann.enter("Your name", "wwwwwwwwwwwwwwwwwwww");
    ann.wait_joined();
    for room in ["garden", "a-room-with-long-name"] {
        ann.enter("Another room", room);
    }
    ann.say_and_see(&"verylongword".repeat(30));
    ann.click("Who is connected");
    ann.wait_console("connected: ");
    check("in the chat");
}

#[test]
fn the_page_does_not_move_while_things_happen() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.join(&server.url(), "ann");
    let places = || {
        ann.run(
            "return [...document.querySelectorAll('#text, #lab button, #lab label, #console h2')]\
             .map(it => { const box = it.getBoundingClientRect(); \
             return [it.innerText, box.x, box.y, box.width] })",
            &[],
        )
    };
    let before = places();
    for button in ["Call, with a reply", "Push 100 to all", "Break, noticed"] {
        ann.click(button);
    }
    ann.wait_state("session", "resumed");
    ann.wait_console("100 of 100 pushes have come");
    ann.say_and_see("hello");
    ann.write("What you say", "typing");
    assert_eq!(places(), before);
}

#[test]
fn it_is_used_by_keyboard_alone() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.go_to(&server.url());
    ann.wait_status("Not logged in");
    // The field for the name has the focus.
    ann.press(&["a", "n", "n", ENTER]);
    ann.wait_joined();
    let focused = |what: &str| {
        for _ in 0..40 {
            ann.press(&[TAB]);
            let text = "const it = document.activeElement; \
                        return it.ariaLabel || it.labels?.[0]?.innerText || it.innerText";
            if ann.run(text, &[]).as_str() == Some(what) {
                return;
            }
        }
        panic!("the focus never comes to `{what}`");
    };
    focused("What you say");
    ann.press(&["h", "i", ENTER]);
    ann.wait_line("hi");
    focused("Call, with a reply");
    ann.press(&[ENTER]);
    ann.wait_console("“call 1” was answered");
    focused("Clear");
    ann.press(&[ENTER]);
    ann.wait(
        "an empty console",
        "!document.querySelector('#log li')",
        &[],
    );
}

#[test]
fn all_that_can_be_used_has_a_name_that_can_be_read_to_people() {
    let server = Server::start();
    let ann = Window::new("ann");
    let nameless = || {
        let tree = ann.cdp("Accessibility.getFullAXTree", &serde_json::json!({}));
        let of_use = [
            "button", "textbox", "radio", "combobox", "log", "dialog", "list", "region",
        ];
        let nodes = tree["nodes"].as_array().unwrap().clone();
        let nodes = nodes.into_iter().filter(|node| node["ignored"] == false);
        let of_use = nodes.filter(|node| {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            of_use.contains(&role)
        });
        let of_use: Vec<_> = of_use.collect();
        assert!(of_use.len() > 5, "{of_use:?}");
        let nameless = of_use.into_iter().filter(|node| {
            node["name"]["value"]
                .as_str()
                .unwrap_or_default()
                .is_empty()
        });
        nameless.collect::<Vec<_>>()
    };
    ann.go_to(&server.url());
    ann.wait_status("Not logged in");
    assert_eq!(nameless(), [Value::Null; 0]);
    ann.enter("Your name", "ann");
    ann.wait_joined();
    ann.say_and_see("hello");
    assert_eq!(nameless(), [Value::Null; 0]);
}
