//! A client in a page that is written with a framework: handlers write to signals, and the page
//! shows what is in them.

// ANCHOR: page
use futures_util::StreamExt;
use sente_client::{Client, Link};
use sycamore::futures::spawn_local_scoped;
use sycamore::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::SubmitEvent;

/// What the page and its server say to each other.
#[sente::events]
pub enum Chat {
    /// Posts a line, and brings its number.
    #[to_server(reply = u32)]
    Post {
        /// What it says.
        text: String,
    },

    /// Someone posted a line.
    #[to_client]
    Posted {
        /// What it says.
        text: String,
    },
}

/// A signal stays in its thread, and so may a handler in a page.
struct Screen {
    lines: Signal<Vec<String>>,
}

impl ChatClient for Screen {
    async fn posted(&self, _: &Link, text: String) {
        self.lines.update(|lines| lines.push(text));
    }
}

#[component]
fn Page() -> View {
    let lines = create_signal(Vec::new());
    let status = create_signal("Connecting…");
    let text = create_signal(String::new());
    let client = Client::builder("/sente")
        .serve(Chat::client(Screen { lines }))
        .connect();

    let mut changes = client.states();
    spawn_local_scoped(async move {
        while let Some(change) = changes.next().await {
            status.set(match change.new.open {
                true => "Connected",
                false => "No connection; trying again",
            });
        }
    });

    // The form holds the client: it lives as long as the page is shown.
    let post = move |event: SubmitEvent| {
        event.prevent_default();
        let call = Chat::to_server(&client).post(text.take());
        spawn_local_scoped(async move {
            if let Err(error) = call.await {
                lines.update(|lines| lines.push(format!("not posted: {error}")));
            }
        });
    };

    view! {
        p(role="status") { (status) }
        ul { Indexed(list=lines, view=|line| view! { li { (line) } }) }
        form(on:submit=post) {
            input(bind:value=text, aria-label="Message")
            button { "Say" }
        }
    }
}

/// Shows the page.
#[wasm_bindgen(start)]
pub fn start() {
    sycamore::render(Page);
}
// ANCHOR_END: page
