//! Who is logged in, and who is not.

use serde_json::json;

use crate::programs::Server;
use crate::window::Window;

/// Counts the WebSockets that a page opens.
const COUNT_DIALS: &str = "
    window.dials = 0;
    const Original = window.WebSocket;
    window.WebSocket = class extends Original {
        constructor(...all) { super(...all); window.dials += 1; }
    };
";

fn dials(window: &Window) -> u64 {
    window.run("return window.dials", &[]).as_u64().unwrap()
}

#[test]
fn who_is_not_logged_in_learns_why_and_is_not_dialled_for() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.before_pages(COUNT_DIALS);
    ann.go_to(&server.url());
    ann.wait_status("Not logged in");
    ann.wait_state("refused", "401 Unauthorized: nobody is logged in");
    ann.wait_state("next", "–");
    let before = dials(&ann);
    assert_eq!(before, 1);
    // Reasons to dial, for a client that waits to.
    ann.run("dispatchEvent(new Event('online'))", &[]);
    ann.run("document.dispatchEvent(new Event('visibilitychange'))", &[]);
    ann.enter("Your name", "ann");
    ann.wait_joined();
    assert_eq!(dials(&ann), before + 1, "only the log-in was one");
}

#[test]
fn one_logs_in_and_out_and_in_as_somebody_else() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.go_to(&server.url());
    ann.enter("Your name", "two words");
    ann.wait_text("#login-problem", "a name has 1 to 20 letters");
    // Over the wrong one, which is still there.
    ann.run("document.getElementById('name').select()", &[]);
    ann.enter("Your name", "Änne");
    ann.wait_joined();
    ann.wait_text("#me", "Änne");
    ann.wait_state("user", "Änne");
    ann.wait_state("welcome", "Änne, up to 500 characters");
    let first = ann.state("id");

    ann.click("Log out");
    ann.wait_status("Not logged in");
    ann.wait_text("#login", "Choose a name");
    ann.enter("Your name", "bob");
    ann.wait_state("user", "bob");
    ann.wait_state("session", "fresh: you are somebody else now");
    ann.wait_people(&["bob"]);
    assert_ne!(ann.state("id"), first);
}

#[test]
fn who_does_not_show_the_token_of_the_page_is_refused() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.join(&server.url(), "ann");
    ann.wait_state("csrf", "shown");
    ann.run(
        "document.querySelector('meta[name=csrf-token]').content = 'f'.repeat(32)",
        &[],
    );
    ann.click("Reconnect");
    ann.wait_status("Not let in: ");
    ann.wait_state("refused", "403 Csrf");
    ann.click("Log out");
    ann.wait_console("not logged out: this did not come from the chat's own page");
}

#[test]
fn a_browser_that_keeps_nothing_is_told_so() {
    let server = Server::start();
    let blocks_all = json!({ "profile.default_content_setting_values.cookies": 2 });
    let ann = Window::with_preferences("ann", &blocks_all);
    ann.go_to(&server.url());
    let stores = "try { localStorage.length; return true } catch { return false }";
    assert_eq!(ann.run(stores, &[]), false, "storage is denied");
    ann.wait_status("Not logged in");
    ann.enter("Your name", "ann");
    ann.wait_text("#login-problem", "allow cookies for this page");
}

#[test]
fn a_page_that_may_store_nothing_works_and_a_reload_is_a_fresh_session() {
    let server = Server::start();
    let ann = Window::new("ann");
    ann.before_pages(
        "for (const store of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) {
            Object.defineProperty(window, store, {
                get() { throw new DOMException('denied', 'SecurityError'); }
            });
        }",
    );
    ann.join(&server.url(), "ann");
    ann.say_and_see("hello");
    let before = ann.state("id");
    ann.reload();
    ann.wait_joined();
    ann.wait_state("session", "fresh: the first");
    assert_ne!(ann.state("id"), before);
}
