//! The console: what happened, line by line.

use web_sys::Element;

use crate::dom;

/// So many lines are kept.
const MOST: u32 = 300;

/// What a person may like to know.
pub(crate) fn note(text: &str) -> Element {
    web_sys::console::log_1(&text.into());
    write("note", text)
}

/// What a person should not miss.
pub(crate) fn warn(text: &str) -> Element {
    web_sys::console::warn_1(&text.into());
    write("warn", text)
}

/// What the library logs.
pub(crate) fn log(text: &str) -> Element {
    web_sys::console::debug_1(&text.into());
    write("log", text)
}

pub(crate) fn clear() {
    dom::by_id::<Element>("log").set_text_content(None);
}

/// Says something else in a line that is there.
pub(crate) fn rewrite(line: &Element, text: &str) {
    if let Some(shown) = line.last_element_child() {
        shown.set_text_content(Some(text));
    }
}

fn write(kind: &str, text: &str) -> Element {
    let list = dom::by_id::<Element>("log");
    let line = dom::element("li", &[("data-kind", kind)], "");
    dom::append(&line, &dom::element("time", &[], &time()));
    dom::append(&line, &dom::element("span", &[], text));
    let at_end = list.scroll_height() - list.scroll_top() - list.client_height() < 30;
    dom::append(&list, &line);
    if list.child_element_count() > MOST
        && let Some(first) = list.first_element_child()
    {
        first.remove();
    }
    // Whoever has scrolled back reads.
    if at_end {
        list.set_scroll_top(list.scroll_height());
    }
    line
}

/// The time of day, as people write it.
pub(crate) fn time() -> String {
    let now = js_sys::Date::new_0();
    format!(
        "{:02}:{:02}:{:02}",
        now.get_hours(),
        now.get_minutes(),
        now.get_seconds()
    )
}
