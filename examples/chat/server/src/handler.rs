//! What happens at each event that a client sends.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chat_contract::{
    Chat, ChatServer, ChatToClients, ClearError, JoinError, Person, PostError, Receipt, RoomView,
    Welcome,
};
use futures_util::StreamExt;
use sente::{Peer, SessionId};
use sente_server::{Audience, Presence, Server};

use crate::rooms::{MAX_TEXT, Rooms};

// ANCHOR: handler
/// The server's side of the conversation. Cheap to clone: all clones see the same rooms.
#[derive(Clone, Debug)]
pub struct Handler {
    server: Server,
    rooms: Arc<Mutex<Rooms<SessionId>>>,
}

impl ChatServer for Handler {
    async fn join(&self, from: &Peer, room: String) -> Result<RoomView, JoinError> {
        let mut rooms = self.rooms();
        let entered = rooms.join(from.session(), name(from), &room)?;
        // Under the same lock as the history: a line is in it or is pushed, never both or neither.
        self.server.join(from, &room);
        if !self.server.rooms_of(from).iter().any(|it| **it == *room) {
            // The session has just ended, and its end may have been told before it was in here.
            rooms.gone(from.session());
        } else if entered.new {
            self.others(from, &room).joined(&room, name(from));
        }
        self.tell_who(&rooms, &room);
        Ok(entered.view)
    }

    async fn leave(&self, from: &Peer, room: String) {
        let mut rooms = self.rooms();
        self.server.leave(from, &room);
        if rooms.leave(from.session(), &room) {
            self.others(from, &room).left(&room, name(from));
        }
        self.tell_who(&rooms, &room);
    }

    async fn post(
        &self,
        from: &Peer,
        room: String,
        text: String,
        reply_to: Option<u64>,
    ) -> Result<Receipt, PostError> {
        let mut rooms = self.rooms();
        let line = rooms.post(from.session(), &room, &text, reply_to, Instant::now())?;
        let receipt = Receipt { id: line.id };
        // Still under the lock, so that everyone sees the lines in the order of their numbers.
        self.others(from, &room).posted(&room, line);
        Ok(receipt)
    }

    async fn typing(&self, from: &Peer, room: String) {
        if self.rooms().is_in(from.session(), &room) {
            self.others(from, &room).is_typing(&room, name(from));
        }
    }

    async fn who(&self, _: &Peer, room: String) -> Vec<Person> {
        self.rooms().who(&room)
    }

    async fn clear(&self, from: &Peer, room: String) -> Result<u64, ClearError> {
        if !self.rooms().is_in(from.session(), &room) {
            return Err(ClearError::NotJoined);
        }
        let question = format!("Forget what was said in #{room}, for everyone?");
        // The server asks the client. While it waits for the answer, other events are handled.
        match Chat::to_client(from).confirm(question).await {
            Ok(true) => {}
            Ok(false) => return Err(ClearError::Declined),
            Err(error) => {
                tracing::info!(%error, "nobody answered whether to clear #{room}");
                return Err(ClearError::Declined);
            }
        }
        let count = self.rooms().clear(&room);
        self.others(from, &room).cleared(&room, name(from));
        Ok(count as u64)
    }

    async fn wave(&self, from: &Peer, name: String) -> u64 {
        // A user is all of its devices; there is nothing to keep for it.
        Chat::to_clients(self.server.user(name)).wave(self::name(from)) as u64
    }
}
// ANCHOR_END: handler

impl Handler {
    /// A handler with no rooms yet.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self {
            server,
            rooms: Arc::default(),
        }
    }

    /// What each client is told when it connects.
    #[must_use]
    pub fn welcome(peer: &Peer) -> Welcome {
        Welcome {
            name: name(peer).to_owned(),
            max_text: MAX_TEXT,
        }
    }

    /// Takes those out of their rooms who are gone for good. To be spawned.
    pub fn watch(&self) -> impl Future<Output = ()> + Send + use<> {
        let handler = self.clone();
        // From now on, and not only from when it is first polled.
        let mut changes = self.server.presence();
        async move {
            while let Some(change) = changes.next().await {
                match change {
                    Presence::UserConnected { user } => tracing::info!("{user} is here"),
                    Presence::UserDisconnected { user, .. } => tracing::info!("{user} has gone"),
                    Presence::Left { peer, .. } => handler.gone(peer.session()),
                    Presence::Missed { .. } => handler.look_around(),
                    _ => {}
                }
            }
        }
    }

    fn gone(&self, session: SessionId) {
        let mut rooms = self.rooms();
        let Some(gone) = rooms.gone(session) else {
            return;
        };
        for room in gone.left {
            Chat::to_clients(self.server.room(&*room)).left(&room, &gone.name);
        }
        for room in &gone.rooms {
            self.tell_who(&rooms, room);
        }
    }

    /// Under the lock, so that the newest is told last.
    fn tell_who(&self, rooms: &Rooms<SessionId>, room: &str) {
        Chat::to_clients(self.server.room(room)).people(room, rooms.who(room));
    }

    /// More happened at once than was told one by one.
    fn look_around(&self) {
        let connected = self.server.connected();
        let here: HashSet<_> = connected
            .clients()
            .iter()
            .map(|it| it.peer.session())
            .collect();
        let gone: Vec<_> = self
            .rooms()
            .devices()
            .filter(|it| !here.contains(it))
            .collect();
        for session in gone {
            self.gone(session);
        }
    }

    fn others(&self, peer: &Peer, room: &str) -> ChatToClients<Audience> {
        Chat::to_clients(self.server.room(room).except(peer))
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms<SessionId>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who it is: `authenticate` lets nobody in without a name.
fn name(peer: &Peer) -> &str {
    peer.user_or("someone")
}
