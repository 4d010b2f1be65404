//! The page of the chat: a program for browsers, which shows what a sente client can do.
//!
//! What happens comes as `News` and is dealt with in one place, one after the other:
//! `App::deal_with`. Nothing else changes anything, so there are no locks.
//!
//! # Layout
//! * `app`: what there is to know, and what becomes of news
//! * `news`: what can happen; `inputs`: what a person can do
//! * `connection`: the client, and what its handlers do with events
//! * `rooms`, `panel`, `console`, `question`: parts of the page, as they are shown
//! * `dom`: the document, in short words; `account`: log-in and log-out; `logging`: the library's log
// Elsewhere there is no page to show, and nothing to build.
#![cfg(target_family = "wasm")]

mod account;
mod app;
mod connection;
mod console;
mod dom;
mod inputs;
mod logging;
mod news;
mod panel;
mod question;
mod rooms;

use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Is called when the module is loaded.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        console::warn(&format!("this page is broken, reload it: {panic}"));
    }));
    logging::begin();
    let (sender, mut news) = unbounded();
    inputs::listen(&sender);
    let mut app = app::App::new(sender);
    spawn_local(async move {
        while let Some(news) = news.next().await {
            app.deal_with(news);
        }
    });
}
