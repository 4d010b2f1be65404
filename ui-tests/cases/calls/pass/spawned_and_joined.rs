//! A call borrows nothing: it can be made in one place and awaited in another.

use std::future::Future;

#[sente::events]
enum Chat {
    #[to_server(reply = u64, error = String)]
    Post { room: String, text: String },
}

fn spawn(_: impl Future + Send + 'static) {}

fn post(link: &sente::Link) {
    let room = String::from("lobby");
    spawn(Chat::to_server(link).post(&room, "hello"));
    spawn(Chat::to_server(link).post(room, String::from("hello")));
}

fn main() {
    let _ = post;
}
