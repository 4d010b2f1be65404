//! The rooms that a person is in, as they are shown.

use chat_client::View;
use chat_contract::{Line, Person};
use sente_client::SessionId;
use web_sys::{Element, HtmlElement};

use crate::dom;

/// So long someone counts as typing, in milliseconds.
const TYPING: f64 = 3000.0;
/// Names have one of so many colours.
const COLOURS: u32 = 6;

/// All rooms, and which of them is shown.
#[derive(Default)]
pub(crate) struct Rooms {
    rooms: Vec<Room>,
    shown: usize,
}

/// A room.
pub(crate) struct Room {
    pub(crate) view: View,
    /// The session in which the server knows that we are in it.
    pub(crate) joined: Option<SessionId>,
    people: Vec<Person>,
    /// Who types, and until when that counts.
    typing: Vec<(String, f64)>,
    unread: u32,
    tab: Element,
    history: HtmlElement,
}

impl Rooms {
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Room> {
        self.rooms.iter_mut()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    pub(crate) fn get(&mut self, name: &str) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| room.view.is_in(name))
    }

    /// The room that is shown.
    pub(crate) fn shown(&self) -> Option<&Room> {
        self.rooms.get(self.shown)
    }

    /// Shows a room, a new one if need be. Returns whether it is new.
    pub(crate) fn show(&mut self, name: &str) -> bool {
        let known = self.rooms.iter().position(|room| room.view.is_in(name));
        self.shown = known.unwrap_or(self.rooms.len());
        if known.is_none() {
            self.rooms.push(Room::new(name));
        }
        self.render();
        if let Some(room) = self.shown() {
            room.to_end();
        }
        known.is_none()
    }

    /// Takes a room away.
    pub(crate) fn remove(&mut self, name: &str) {
        let Some(place) = self.rooms.iter().position(|room| room.view.is_in(name)) else {
            return;
        };
        let room = self.rooms.remove(place);
        room.tab.remove();
        room.history.remove();
        if self.shown > place || self.shown == self.rooms.len() {
            self.shown = self.shown.saturating_sub(1);
        }
        self.render();
    }

    /// Shows which rooms there are, and who is in the one that is shown.
    pub(crate) fn render(&mut self) {
        for (place, room) in self.rooms.iter_mut().enumerate() {
            let is_shown = place == self.shown;
            if is_shown {
                room.unread = 0;
            }
            room.history.set_hidden(!is_shown);
            room.render_tab(is_shown);
        }
        if let Some(room) = self.shown() {
            render_people(&room.people);
        }
        self.render_typing();
    }

    /// Forgets who has not typed for some time.
    pub(crate) fn render_typing(&mut self) {
        let now = dom::now();
        for room in &mut self.rooms {
            room.typing.retain(|(_, until)| *until > now);
        }
        let typing: Vec<_> = self
            .shown()
            .iter()
            .flat_map(|room| &room.typing)
            .map(|(name, _)| name.as_str())
            .collect();
        let text = match typing.as_slice() {
            [] => String::new(),
            [one] => format!("{one} is typing…"),
            [most @ .., last] => format!("{} and {last} are typing…", most.join(", ")),
        };
        dom::show_text("typing", &text);
    }
}

impl Room {
    fn new(name: &str) -> Self {
        let tab = dom::element("li", &[], "");
        dom::append(&tab, &dom::button("show", name, &format!("#{name}")));
        let leave = dom::button("leave", name, "×");
        dom::set(&leave, "class", "quiet");
        dom::set(&leave, "aria-label", &format!("Leave #{name}"));
        dom::append(&tab, &leave);
        dom::append(&dom::by_id("rooms"), &tab);

        let label = format!("What was said in #{name}");
        let attributes = [("role", "log"), ("tabindex", "0"), ("aria-label", &*label)];
        let history = dom::element("ol", &attributes, "");
        dom::append(&dom::by_id("histories"), &history);

        let mut view = View::default();
        view.enter(name, false);
        Self {
            view,
            joined: None,
            people: Vec::new(),
            typing: Vec::new(),
            unread: 0,
            tab,
            history: wasm_bindgen::JsCast::unchecked_into(history),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.view.room()
    }

    // ---- lines ----

    /// Shows a line.
    pub(crate) fn line(&mut self, line: &Line) {
        self.typing.retain(|(name, _)| *name != line.from);
        self.unread += 1;
        let item = dom::element("li", &[("class", "line")], "");
        self.fill(&item, line);
        self.add(&item);
    }

    /// Shows a line that is on its way to the server. Returns it, to be told what becomes of it.
    pub(crate) fn pending(&self, from: &str, text: &str, reply_to: Option<u64>) -> Element {
        let item = dom::element("li", &[("class", "line"), ("data-state", "waiting")], "");
        self.write(&item, from, text, reply_to);
        self.add(&item);
        self.to_end();
        item
    }

    /// A line that was on its way has its number: it stands where the others see it.
    pub(crate) fn settled(&mut self, item: &Element, line: Line) {
        item.set_text_content(None);
        item.remove_attribute("data-state").ok();
        self.fill(item, &line);
        let later = self.later_than(line.id);
        self.history.insert_before(item, later.as_deref()).ok();
        self.view.remember(line);
    }

    /// Says something of the room itself.
    pub(crate) fn note(&self, text: &str) {
        self.add(&dom::element("li", &[("class", "note")], text));
    }

    /// Forgets all lines, but not those that wait.
    pub(crate) fn clear(&self) {
        let mut next = self.history.first_element_child();
        while let Some(item) = next {
            next = item.next_element_sibling();
            if !item.has_attribute("data-state") {
                item.remove();
            }
        }
    }

    fn fill(&self, item: &Element, line: &Line) {
        dom::set(item, "data-id", &line.id.to_string());
        self.write(item, &line.from, &line.text, line.reply_to);
        let reply = dom::button("reply", &line.id.to_string(), "Reply");
        dom::set(&reply, "class", "quiet");
        let label = format!("Reply to {}: {}", line.from, line.text);
        dom::set(&reply, "aria-label", &label);
        dom::append(item, &reply);
    }

    fn write(&self, item: &Element, from: &str, text: &str, reply_to: Option<u64>) {
        let colour = from.chars().fold(0, |sum, it| sum + u32::from(it)) % COLOURS;
        let attributes = [("class", "from"), ("data-colour", &*colour.to_string())];
        dom::append(item, &dom::element("b", &attributes, from));
        let said = dom::element("span", &[("class", "said")], "");
        if let Some(to) = reply_to.and_then(|id| self.view.line(id)) {
            let quote = format!("{}: {}", to.from, to.text);
            dom::append(&said, &dom::element("q", &[], &quote));
        }
        dom::append(&said, &dom::element("span", &[("class", "text")], text));
        dom::append(item, &said);
    }

    fn add(&self, item: &Element) {
        let history = &self.history;
        let at_end = history.scroll_height() - history.scroll_top() - history.client_height() < 30;
        // What waits to be said comes last.
        let waiting = history
            .query_selector("[data-state=waiting]")
            .ok()
            .flatten();
        let before = waiting.filter(|_| !item.has_attribute("data-state"));
        history.insert_before(item, before.as_deref()).ok();
        if at_end {
            self.to_end();
        }
    }

    /// The first line with a higher number, or the first that has none yet.
    fn later_than(&self, id: u64) -> Option<Element> {
        let mut later = None;
        let mut item = self.history.last_element_child();
        while let Some(line) = item {
            let number = line
                .get_attribute("data-id")
                .and_then(|it| it.parse::<u64>().ok());
            match number {
                Some(number) if number < id => break,
                Some(number) if number == id => {}
                Some(_) => later = Some(line.clone()),
                None if line.get_attribute("data-state").as_deref() == Some("waiting") => {
                    later = Some(line.clone());
                }
                None => {}
            }
            item = line.previous_element_sibling();
        }
        later
    }

    fn to_end(&self) {
        self.history.set_scroll_top(self.history.scroll_height());
    }

    // ---- people ----

    pub(crate) fn set_people(&mut self, people: Vec<Person>) {
        self.people = people;
    }

    pub(crate) fn set_typing(&mut self, name: String) {
        self.typing.retain(|(known, _)| *known != name);
        self.typing.push((name, dom::now() + TYPING));
        self.typing.sort_by(|a, b| a.0.cmp(&b.0));
    }

    fn render_tab(&self, is_shown: bool) {
        let Some(show) = self.tab.first_element_child() else {
            return;
        };
        dom::set(
            &show,
            "aria-current",
            if is_shown { "true" } else { "false" },
        );
        let unread = match self.unread {
            0 => String::new(),
            more => more.to_string(),
        };
        dom::set(&show, "data-unread", &unread);
        let label = match self.unread {
            0 => format!("#{}", self.name()),
            more => format!("#{}, {more} new", self.name()),
        };
        dom::set(&show, "aria-label", &label);
    }
}

/// Shows who is there. Whoever has the focus keeps it.
fn render_people(people: &[Person]) {
    let list = dom::by_id::<Element>("people");
    let text = |person: &Person| match person.devices {
        1 => person.name.clone(),
        devices => format!("{} · {devices} devices", person.name),
    };
    let shown = list.query_selector_all("button").ok();
    let shown: Vec<_> = shown
        .iter()
        .flat_map(|shown| (0..shown.length()).filter_map(|place| shown.get(place)))
        .filter_map(|button| button.text_content())
        .collect();
    if shown
        .iter()
        .eq(people.iter().map(text).collect::<Vec<_>>().iter())
    {
        return;
    }
    let focus = dom::document().active_element();
    let focus = focus
        .filter(|focus| list.contains(Some(focus)))
        .and_then(|focus| focus.get_attribute("data-to"));
    list.set_text_content(None);
    for person in people {
        let button = dom::button("wave", &person.name, &text(person));
        dom::set(&button, "title", &format!("Wave at {}", person.name));
        let item = dom::element("li", &[], "");
        dom::append(&item, &button);
        dom::append(&list, &item);
        if focus.as_deref() == Some(&*person.name) {
            let button: HtmlElement = wasm_bindgen::JsCast::unchecked_into(button);
            button.focus().ok();
        }
    }
}
