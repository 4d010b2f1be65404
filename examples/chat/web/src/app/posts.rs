//! The lines that are to be said: one at a time, so that they stay in order.

use std::collections::VecDeque;

use chat_client::{Fate, fate};
use chat_contract::{Chat, Line, PostError, Receipt};
use sente::CallError;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlInputElement};

use super::App;
use crate::dom;
use crate::news::{News, tell};

/// What waits, and what went wrong and may be said again.
#[derive(Default)]
pub(super) struct Posts {
    waiting: VecDeque<Post>,
    failed: Vec<Post>,
    /// The first one has been sent.
    is_sent: bool,
    last: u64,
}

/// A line on its way to the server.
struct Post {
    number: u64,
    room: String,
    text: String,
    reply_to: Option<u64>,
    /// As it is shown.
    item: Element,
}

impl App {
    pub(super) fn say(&mut self, text: String) {
        let Some(room) = self.rooms.shown() else {
            return;
        };
        if text.is_empty() {
            return;
        }
        let reply_to = self.reply_to;
        let item = room.pending(self.me(), &text, reply_to);
        let room = room.name().to_owned();
        self.drop_reply();
        dom::by_id::<HtmlInputElement>("text").set_value("");
        self.posts.last += 1;
        self.posts.waiting.push_back(Post {
            number: self.posts.last,
            room,
            text,
            reply_to,
            item,
        });
        self.post_next();
    }

    /// Says the next line, if one waits and it can be said.
    pub(super) fn post_next(&mut self) {
        let Some(post) = self.posts.waiting.front() else {
            return;
        };
        let session = self.connection.client.state().session_id;
        let room = self.rooms.get(&post.room);
        let is_joined = room.is_some_and(|room| room.joined.is_some() && room.joined == session);
        if self.posts.is_sent || !is_joined {
            return;
        }
        let chat = Chat::to_server(&self.connection.client);
        // This is only the future of the receipt: it is sent when it is polled.
        let call = chat.post(&*post.room, &*post.text, post.reply_to);
        let news = self.news.clone();
        self.posts.is_sent = true;
        spawn_local(async move {
            let result = call.await;
            tell(&news, News::Said(result));
        });
    }

    /// The line that was sent has been answered, or something has prevented that.
    pub(super) fn said(&mut self, result: Result<Receipt, CallError<PostError>>) {
        self.posts.is_sent = false;
        match result.map_err(fate) {
            Ok(receipt) => self.receipted(receipt),
            // It stays the first.
            Err(Fate::Later) => {}
            Err(Fate::Doubtful) => self.not_said("nobody knows whether this was posted"),
            Err(Fate::Failed(why)) => self.not_said(&format!("not posted: {why}")),
        }
        self.post_next();
    }

    fn receipted(&mut self, receipt: Receipt) {
        let Some(post) = self.posts.waiting.pop_front() else {
            return;
        };
        let line = Line {
            id: receipt.id,
            from: self.me().to_owned(),
            text: post.text,
            reply_to: post.reply_to,
        };
        if let Some(room) = self.rooms.get(&post.room) {
            room.settled(&post.item, line);
        }
    }

    fn not_said(&mut self, why: &str) {
        let Some(post) = self.posts.waiting.pop_front() else {
            return;
        };
        dom::set(&post.item, "data-state", "failed");
        let fate = dom::element("span", &[("class", "fate"), ("role", "alert")], why);
        dom::append(&post.item, &fate);
        let again = dom::button("again", &post.number.to_string(), "Say it again");
        dom::append(&post.item, &again);
        self.posts.failed.push(post);
    }

    pub(super) fn say_again(&mut self, number: u64) {
        let failed = &mut self.posts.failed;
        let Some(place) = failed.iter().position(|post| post.number == number) else {
            return;
        };
        let post = failed.remove(place);
        post.item.remove();
        if let Some(room) = self.rooms.get(&post.room) {
            let from = self.me.as_deref().unwrap_or_default();
            let item = room.pending(from, &post.text, post.reply_to);
            self.posts.waiting.push_back(Post { item, ..post });
        }
        self.post_next();
    }

    /// Nothing more is to be said in a room that we have left. What has been sent may be said.
    pub(super) fn drop_posts_in(&mut self, room: &str) {
        let sent = usize::from(self.posts.is_sent);
        let mut place = 0;
        self.posts.waiting.retain(|post| {
            place += 1;
            place <= sent || post.room != room
        });
        self.posts.failed.retain(|post| post.room != room);
        self.post_next();
    }
}
