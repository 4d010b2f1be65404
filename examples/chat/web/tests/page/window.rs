//! A window of a browser, and a person before it: they read, click and type, and wait for what
//! they want to see.

use std::fs;
use std::rc::Rc;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::programs::{Driver, kept};
use crate::webdriver::Session;

/// A tab of a browser.
pub(crate) struct Window {
    session: Rc<Session>,
    tab: String,
    /// For reports: whose it is.
    name: String,
}

/// Waits until `condition` is true in the page, which tells by its changes when to look again.
const WAIT: &str = "
    const [condition, args, done] = arguments;
    const holds = new Function('args', 'return (' + condition + ')');
    const look = () => { try { return holds(args); } catch { return null; } };
    const now = look();
    if (now) { done(now); return; }
    new MutationObserver((changes, observer) => {
        const now = look();
        if (now) { observer.disconnect(); done(now); }
    }).observe(document, {
        subtree: true, childList: true, attributes: true, characterData: true
    });
";

const ENTER: &str = "\u{e007}";

impl Window {
    /// A new browser of somebody's.
    pub(crate) fn new(name: &str) -> Self {
        Self::with_preferences(name, &json!({}))
    }

    /// The same with other settings than usual.
    pub(crate) fn with_preferences(name: &str, preferences: &Value) -> Self {
        let driver = Rc::new(Driver::start());
        Self::of(Session::start(&driver, preferences), name)
    }

    /// A browser of somebody else's, with cookies of its own.
    pub(crate) fn of_other(&self, name: &str) -> Self {
        Self::of(Session::start(self.session.driver(), &json!({})), name)
    }

    fn of(session: Session, name: &str) -> Self {
        Self {
            tab: session.tab(),
            session: Rc::new(session),
            name: name.to_owned(),
        }
    }

    /// Another tab of the same browser.
    pub(crate) fn new_tab(&self) -> Self {
        let tab = self
            .session()
            .post("/window/new", &json!({ "type": "tab" }));
        self.tab(&tab.unwrap()["handle"])
    }

    /// The tab that this one opens itself, as a copy: with what a page may have stored for the tab.
    pub(crate) fn duplicate(&self) -> Self {
        let handles = || self.session().get("/window/handles").unwrap();
        let before = handles();
        self.run("window.open(location.href)", &[]);
        let after = handles();
        let is_new = |tab: &&Value| !before.as_array().unwrap().contains(tab);
        self.tab(after.as_array().unwrap().iter().find(is_new).unwrap())
    }

    fn tab(&self, handle: &Value) -> Self {
        Self {
            session: Rc::clone(&self.session),
            tab: handle.as_str().unwrap().to_owned(),
            name: format!("{}-too", self.name),
        }
    }

    /// Closes the tab, as a person does.
    pub(crate) fn close(self) {
        self.session().delete("/window").unwrap();
    }

    fn session(&self) -> &Session {
        self.session.switch(&self.tab);
        &self.session
    }

    // ---- what a person does ----

    pub(crate) fn go_to(&self, url: &str) {
        self.session().post("/url", &json!({ "url": url })).unwrap();
    }

    pub(crate) fn reload(&self) {
        self.session().post("/refresh", &json!({})).unwrap();
    }

    /// Clicks what has this text: a button or a choice.
    pub(crate) fn click(&self, text: &str) {
        let element = self.wait_for_element(
            &format!("something to click that says `{text}`"),
            "[...document.querySelectorAll('button, label')].find(it => \
             it.checkVisibility({ visibilityProperty: true }) && \
             (it.innerText.trim() === args[0] || it.getAttribute('aria-label') === args[0]))",
            &[text.into()],
        );
        self.click_element(&element);
    }

    fn click_element(&self, element: &str) {
        let path = format!("/element/{element}/click");
        if let Err(error) = self.session().post(&path, &json!({})) {
            panic!("{}: {error}", self.name);
        }
    }

    /// Types into the field with this label.
    pub(crate) fn write(&self, label: &str, text: &str) {
        let element = self.wait_for_element(
            &format!("a field with the label `{label}`"),
            "[...document.querySelectorAll('label[for]')].filter(it => \
             it.innerText.trim() === args[0]).map(it => it.control).find(it => \
             it.checkVisibility())",
            &[label.into()],
        );
        let path = format!("/element/{element}/value");
        if let Err(error) = self.session().post(&path, &json!({ "text": text })) {
            panic!("{}: {error}", self.name);
        }
    }

    /// Types into the field with this label, and Enter.
    pub(crate) fn enter(&self, label: &str, text: &str) {
        self.write(label, &format!("{text}{ENTER}"));
    }

    /// Chooses from a list with this label.
    pub(crate) fn choose(&self, label: &str, option: &str) {
        let element = self.wait_for_element(
            &format!("`{option}` in the list `{label}`"),
            "[...document.querySelectorAll('label[for]')].filter(it => \
             it.innerText.trim() === args[0]).flatMap(it => [...it.control.options]).find(it => \
             it.text === args[1])",
            &[label.into(), option.into()],
        );
        self.click_element(&element);
    }

    /// Presses keys, wherever the focus is.
    pub(crate) fn press(&self, keys: &[&str]) {
        let keys = keys.iter().flat_map(|key| {
            [
                json!({ "type": "keyDown", "value": key }),
                json!({ "type": "keyUp", "value": key }),
            ]
        });
        let keys: Vec<_> = keys.collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keys", "actions": keys }] });
        self.session().post("/actions", &body).unwrap();
    }

    // ---- what a person does in the chat ----

    /// Opens the page and logs in.
    pub(crate) fn join(&self, url: &str, name: &str) {
        self.go_to(url);
        self.enter("Your name", name);
        self.wait_joined();
    }

    /// Waits until the page is connected and in its room.
    pub(crate) fn wait_joined(&self) {
        self.wait_status("Connected by ");
        self.wait(
            "to be in a room",
            "document.querySelector('#talk:not([hidden]) #people li')",
            &[],
        );
    }

    pub(crate) fn say(&self, text: &str) {
        self.enter("What you say", text);
    }

    /// Says something and waits until it is said.
    pub(crate) fn say_and_see(&self, text: &str) {
        self.say(text);
        self.wait_line(text);
    }

    // ---- what a person waits for ----

    /// Waits until an element shows this, perhaps with more around it.
    pub(crate) fn wait_text(&self, selector: &str, text: &str) {
        self.wait(
            &format!("`{text}` in `{selector}`"),
            "[...document.querySelectorAll(args[0])].some(it => it.checkVisibility() && \
             it.textContent.includes(args[1]))",
            &[selector.into(), text.into()],
        );
    }

    pub(crate) fn wait_status(&self, text: &str) {
        self.wait_text("#status", text);
    }

    /// Waits until the table of the state says this.
    pub(crate) fn wait_state(&self, what: &str, text: &str) {
        self.wait_text(&format!("#state-{what}"), text);
    }

    /// Waits for a line in the console.
    pub(crate) fn wait_console(&self, text: &str) {
        self.wait_text("#log li", text);
    }

    /// Waits for a line in the room that the server has numbered.
    pub(crate) fn wait_line(&self, text: &str) {
        self.wait_text("#histories ol:not([hidden]) [data-id] .text", text);
    }

    /// Waits for a note in the room.
    pub(crate) fn wait_note(&self, text: &str) {
        self.wait_text("#histories ol:not([hidden]) .note", text);
    }

    pub(crate) fn wait_people(&self, people: &[&str]) {
        self.wait(
            &format!("{people:?} in the room"),
            "JSON.stringify([...document.querySelectorAll('#people li')].map(it => \
             it.textContent)) === JSON.stringify(args[0])",
            &[people.into()],
        );
    }

    /// Waits until a condition, in JavaScript, holds.
    pub(crate) fn wait(&self, what: &str, condition: &str, args: &[Value]) -> Value {
        let args = json!([condition, args]);
        let body = json!({ "script": WAIT, "args": args });
        match self.session().post("/execute/async", &body) {
            Ok(value) => value,
            Err(error) => panic!("{} waited in vain for {what} ({error})", self.name),
        }
    }

    fn wait_for_element(&self, what: &str, condition: &str, args: &[Value]) -> String {
        let element = self.wait(what, condition, args);
        let reference = element.as_object().and_then(|it| it.values().next());
        reference.and_then(Value::as_str).unwrap().to_owned()
    }

    // ---- what a person sees ----

    /// What an element says now.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.run(
            "return document.querySelector(arguments[0]).textContent",
            &[selector.into()],
        );
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What the table of the state says now.
    pub(crate) fn state(&self, what: &str) -> String {
        self.text(&format!("#state-{what}"))
    }

    /// The lines of the room that have a number.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.run(
            "return [...document.querySelectorAll('#histories ol:not([hidden]) [data-id] .text')]\
             .map(it => it.textContent)",
            &[],
        );
        serde_json::from_value(lines).unwrap()
    }

    // ---- what only a test does ----

    /// Runs JavaScript.
    pub(crate) fn run(&self, script: &str, args: &[Value]) -> Value {
        let body = json!({ "script": script, "args": args });
        match self.session().post("/execute/sync", &body) {
            Ok(value) => value,
            Err(error) => panic!("{}: {error}", self.name),
        }
    }

    /// Runs JavaScript in all pages from now on, before their own.
    pub(crate) fn before_pages(&self, script: &str) {
        self.cdp(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({ "source": script }),
        );
    }

    pub(crate) fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.session().cdp(command, parameters)
    }

    pub(crate) fn set_size(&self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false
        });
        self.cdp("Emulation.setDeviceMetricsOverride", &size);
    }
}

impl Drop for Window {
    /// A test that fails leaves what was to be seen.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let test = std::thread::current()
            .name()
            .unwrap_or("test")
            .replace("::", "-");
        let path = kept().join(format!("{test}-{}.png", self.name));
        if self
            .session
            .post("/window", &json!({ "handle": self.tab }))
            .is_err()
        {
            eprintln!("\n{}: the window is gone", self.name);
            return;
        }
        let get = |script: &str| {
            let body = json!({ "script": script, "args": [] });
            self.session
                .post("/execute/sync", &body)
                .unwrap_or_default()
        };
        let shown = get("return document.body.innerText");
        let log = self.session.post("/se/log", &json!({ "type": "browser" }));
        eprintln!("\n---- the window of {} ----", self.name);
        eprintln!("{}", shown.as_str().unwrap_or("(nothing can be seen)"));
        eprintln!("---- its browser's log ----");
        for entry in log.unwrap_or_default().as_array().into_iter().flatten() {
            let message = entry["message"].as_str().unwrap_or_default();
            eprintln!("{} {message}", entry["level"].as_str().unwrap_or_default());
        }
        let picture = self.session.get("/screenshot").unwrap_or_default();
        match picture
            .as_str()
            .and_then(|it| BASE64_STANDARD.decode(it).ok())
        {
            Some(picture) if fs::write(&path, &picture).is_ok() => {
                eprintln!("---- a screenshot is in {} ----", path.display());
            }
            _ => eprintln!("---- there is no screenshot ----"),
        }
    }
}
