//! Rooms: sessions under a name that the application chose.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sente::SessionId;

use crate::sessions::Client;

/// Who is in which room, in an order that is the same in each run of a simulation. A room is there
/// while somebody is in it.
#[derive(Default)]
pub(crate) struct Rooms {
    rooms: BTreeMap<Arc<str>, BTreeMap<SessionId, Arc<Client>>>,
    /// The rooms of each session that is in one.
    joined: HashMap<SessionId, Vec<Arc<str>>>,
}

impl Rooms {
    /// Returns whether it was not in the room before.
    pub(crate) fn join(&mut self, client: &Arc<Client>, room: &str) -> bool {
        let name = match self.rooms.get_key_value(room) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(room),
        };
        let members = self.rooms.entry(Arc::clone(&name)).or_default();
        let is_new = members.insert(client.id, Arc::clone(client)).is_none();
        if is_new {
            self.joined.entry(client.id).or_default().push(name);
        }
        is_new
    }

    /// Returns whether it was in the room.
    pub(crate) fn leave(&mut self, id: SessionId, room: &str) -> bool {
        if !self.remove(id, room) {
            return false;
        }
        if let Some(joined) = self.joined.get_mut(&id) {
            joined.retain(|name| &**name != room);
            if joined.is_empty() {
                self.joined.remove(&id);
            }
        }
        true
    }

    pub(crate) fn leave_all(&mut self, id: SessionId) {
        for room in self.joined.remove(&id).unwrap_or_default() {
            self.remove(id, &room);
        }
    }

    fn remove(&mut self, id: SessionId, room: &str) -> bool {
        let Some(members) = self.rooms.get_mut(room) else {
            return false;
        };
        let was_there = members.remove(&id).is_some();
        if members.is_empty() {
            self.rooms.remove(room);
        }
        was_there
    }

    pub(crate) fn members(&self, room: &str) -> impl Iterator<Item = &Arc<Client>> {
        self.rooms.get(room).into_iter().flat_map(here)
    }

    /// All rooms, with how many sessions are in each.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.rooms
            .iter()
            .map(|(name, members)| (name, here(members).count()))
            .filter(|(_, count)| *count > 0)
    }

    pub(crate) fn of(&self, id: SessionId) -> &[Arc<str>] {
        self.joined.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// The members that the application knows of. Others have been put there during their handshakes,
/// which they may never finish.
fn here(members: &BTreeMap<SessionId, Arc<Client>>) -> impl Iterator<Item = &Arc<Client>> {
    members.values().filter(|client| client.has_joined())
}
