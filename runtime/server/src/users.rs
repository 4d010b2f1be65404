//! The confirmed sessions, by user.

use std::collections::BTreeMap;
use std::sync::Arc;

use sente::SessionId;

use crate::sessions::Client;

/// The sessions that the application knows of, in an order that is the same in each run of a
/// simulation.
#[derive(Default)]
pub(crate) struct Users {
    named: BTreeMap<Arc<str>, Vec<Arc<Client>>>,
    anonymous: BTreeMap<SessionId, Arc<Client>>,
}

impl Users {
    /// Adds a session. Returns whether it is the first of its user.
    pub(crate) fn add(&mut self, client: &Arc<Client>) -> bool {
        let Some(user) = client.peer.user() else {
            self.anonymous.insert(client.id, Arc::clone(client));
            return false;
        };
        if let Some(clients) = self.named.get_mut(user) {
            clients.push(Arc::clone(client));
            return false;
        }
        self.named.insert(user.into(), vec![Arc::clone(client)]);
        true
    }

    /// Takes a session out. Returns whether it was the last of its user.
    pub(crate) fn remove(&mut self, client: &Arc<Client>) -> bool {
        let Some(user) = client.peer.user() else {
            self.anonymous.remove(&client.id);
            return false;
        };
        let Some(clients) = self.named.get_mut(user) else {
            return false;
        };
        clients.retain(|other| other.id != client.id);
        let is_last = clients.is_empty();
        if is_last {
            self.named.remove(user);
        }
        is_last
    }

    pub(crate) fn of(&self, user: &str) -> &[Arc<Client>] {
        self.named.get(user).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn anonymous(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.anonymous.values()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.named.values().flatten().chain(self.anonymous.values())
    }
}
