//! The document, in short words.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, Window};

pub(crate) fn window() -> Window {
    web_sys::window().expect("this program runs in a page")
}

pub(crate) fn document() -> Document {
    window().document().expect("a page has a document")
}

/// An element of `index.html`.
pub(crate) fn by_id<T: JsCast>(id: &str) -> T {
    let element = document().get_element_by_id(id);
    element
        .and_then(|element| element.dyn_into().ok())
        .unwrap_or_else(|| panic!("index.html has no such element `{id}`"))
}

/// A new element with these attributes.
pub(crate) fn element(tag: &str, attributes: &[(&str, &str)], text: &str) -> Element {
    let element = document()
        .create_element(tag)
        .expect("the names of elements are written in this program");
    for (name, value) in attributes {
        set(&element, name, value);
    }
    if !text.is_empty() {
        element.set_text_content(Some(text));
    }
    element
}

/// A button that says `text` and does `action`, perhaps to something.
pub(crate) fn button(action: &str, to: &str, text: &str) -> Element {
    let attributes = [("type", "button"), ("data-do", action), ("data-to", to)];
    element("button", &attributes, text)
}

pub(crate) fn set(element: &Element, name: &str, value: &str) {
    if element.get_attribute(name).as_deref() != Some(value) {
        element
            .set_attribute(name, value)
            .expect("the names of attributes are written in this program");
    }
}

/// Puts `child` at the end.
pub(crate) fn append(parent: &Element, child: &Element) {
    parent
        .append_child(child)
        .expect("a new element can be put anywhere");
}

/// Shows `text`. What is shown already is left alone: screen readers would say it again.
pub(crate) fn show_text(id: &str, text: &str) {
    let element = by_id::<Element>(id);
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

pub(crate) fn set_hidden(id: &str, hidden: bool) {
    by_id::<HtmlElement>(id).set_hidden(hidden);
}

/// Calls `f` at each such event, as long as the page lives.
pub(crate) fn on<E: JsCast>(target: &EventTarget, event: &str, mut f: impl FnMut(E) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| f(event.unchecked_into()));
    target
        .add_event_listener_with_callback(event, listener.as_ref().unchecked_ref())
        .expect("a listener can be added to anything");
    listener.forget();
}

/// Milliseconds by the computer's clock.
pub(crate) fn now() -> f64 {
    js_sys::Date::now()
}
