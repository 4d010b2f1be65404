//! Every shape of a variant, in both directions.

#![deny(warnings)]

use sente::{CallError, Link, Peer};
use serde::{Deserialize, Serialize};

/// What a post brings back.
#[derive(Clone, Debug, Deserialize, Serialize, sente::Schema)]
pub struct Receipt {
    /// The id.
    pub id: u64,
}

/// Why a post is refused.
#[derive(Clone, Debug, Deserialize, Serialize, sente::Schema)]
pub enum PostError {
    /// Not now.
    Muted,
}

/// What the server says first.
#[derive(Clone, Debug, Deserialize, Serialize, sente::Schema)]
pub struct Welcome;

/// What a chat page and its server say to each other.
#[sente::events(handshake = Welcome)]
#[derive(Clone, Debug)]
pub enum Chat {
    /// Posts a line in a room.
    #[to_server(reply = Receipt, error = PostError, timeout = "5s")]
    Post {
        /// The room.
        room: String,
        /// The line.
        text: String,
        /// What it answers.
        #[default]
        reply_to: Option<u64>,
    },

    /// Someone is typing. Only the newest one matters.
    #[to_server(delivery = latest)]
    Typing {
        /// The room.
        #[key]
        room: String,
    },

    /// Someone posted a line.
    #[to_client]
    Posted {
        /// The room.
        room: String,
        /// By whom.
        from: String,
        /// The line.
        text: String,
    },

    /// Asks one device to confirm something.
    #[to_client(reply = bool, timeout = "1.5s")]
    Confirm(String),

    /// A place and its colour.
    #[to_server(delivery = volatile)]
    #[to_client(delivery = latest)]
    Move(#[key] u32, (i32, i32)),

    /// A ping that either side may send.
    #[to_server(reply = ())]
    #[to_client]
    Wave,
}

struct Room;

impl ChatServer for Room {
    async fn post(
        &self,
        from: &Peer,
        room: String,
        text: String,
        reply_to: Option<u64>,
    ) -> Result<Receipt, PostError> {
        let sure: Result<bool, CallError> = Chat::to_client(from).confirm("really?").await;
        match sure {
            Ok(true) => Chat::to_client(from).posted(room, "me", text).ok(),
            Ok(false) | Err(_) => None,
        };
        Ok(Receipt { id: reply_to.unwrap_or_default() })
    }

    async fn typing(&self, _from: &Peer, _room: String) {}

    async fn r#move(&self, _from: &Peer, _device: u32, _to: (i32, i32)) {}

    async fn wave(&self, _from: &Peer) {}
}

struct Ui;

impl ChatClient for Ui {
    async fn posted(&self, link: &Link, room: String, _from: String, _text: String) {
        Chat::to_server(link).typing(room).ok();
    }

    async fn confirm(&self, link: &Link, question: String) -> bool {
        Chat::to_server(&link).post("lobby", question, None).await.is_ok()
    }

    async fn r#move(&self, _link: &Link, _device: u32, _to: (i32, i32)) {}

    async fn wave(&self, _link: &Link) {}
}

/// Pushes to many.
pub fn everyone(targets: impl sente::Targets) {
    let everyone = Chat::to_clients(targets);
    everyone.posted("lobby", "me", "hello");
    everyone.wave();
    everyone.r#move(1, (2, 3));
}

fn main() {
    let _: sente::Routes<sente::ToServer> = Chat::server(Room);
    let _: sente::Routes<sente::ToClient> = Chat::client(Ui);
}
