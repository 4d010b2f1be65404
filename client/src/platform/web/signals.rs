//! What the browser tells of the page and its network.

use std::rc::Rc;
use std::task::{Context, Poll};

use js_sys::{Function, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Document, Event, EventTarget};

use super::alarm::Flag;

#[wasm_bindgen]
extern "C" {
    /// None in a worker.
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    pub(super) static DOCUMENT: Option<Document>;
}

/// What is told to a page or a worker. `offline` too: the state then shows within a second that
/// the connection is gone.
const OF_GLOBAL: [&str; 3] = ["online", "offline", "pageshow"];
const OF_DOCUMENT: &str = "visibilitychange";

/// The events after which a connection should be probed: the network has changed, the page is
/// shown, or it is back from the browser's back-forward cache.
///
/// Nothing is done when a page is hidden or put away: its session goes on when it comes back.
pub(super) struct Signals {
    come: Rc<Flag>,
    /// The page has been hidden or shown.
    turned: Rc<Flag>,
    listener: Closure<dyn FnMut(Event)>,
}

impl Signals {
    pub(super) fn listen() -> Self {
        let (come, turned) = (Rc::<Flag>::default(), Rc::<Flag>::default());
        // It may have been opened in the background.
        turned.raise();
        let listener = Closure::new({
            let (come, turned) = (Rc::clone(&come), Rc::clone(&turned));
            move |event: Event| {
                if event.type_() == OF_DOCUMENT {
                    turned.raise();
                }
                if is_of_interest(&event) {
                    come.raise();
                }
            }
        });
        let signals = Self {
            come,
            turned,
            listener,
        };
        signals.each(|target, name, listener| {
            target.add_event_listener_with_callback(name, listener).ok();
        });
        signals
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.come.poll(cx)
    }

    /// Ready when the page has been hidden or shown: whether it is hidden.
    pub(super) fn poll_background(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.turned.poll(cx).map(|()| is_hidden())
    }

    fn each(&self, f: impl Fn(&EventTarget, &str, &Function)) {
        let listener = self.listener.as_ref().unchecked_ref();
        let global = js_sys::global().unchecked_into();
        for name in OF_GLOBAL {
            f(&global, name, listener);
        }
        DOCUMENT.with(|document| {
            if let Some(document) = document {
                f(document, OF_DOCUMENT, listener);
            }
        });
    }
}

fn is_of_interest(event: &Event) -> bool {
    // Only a page that is shown has it: false if it has just been loaded.
    let persisted = Reflect::get(event, &"persisted".into());
    if persisted.is_ok_and(|persisted| persisted.as_bool() == Some(false)) {
        return false;
    }
    event.type_() != OF_DOCUMENT || !is_hidden()
}

/// Never in a worker.
fn is_hidden() -> bool {
    DOCUMENT.with(|document| document.as_ref().is_some_and(Document::hidden))
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.each(|target, name, listener| {
            target
                .remove_event_listener_with_callback(name, listener)
                .ok();
        });
    }
}
