//! What happens at the events of [`Lab`]: the buttons of the page.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chat_contract::{Device, Lab, LabServer};
use sente::Peer;
use sente_server::{Carrier, ConnectedClient, Server};
use tokio::task::JoinHandle;

/// So many events are a burst.
const BURST: u32 = 100;
/// The loop pushes once in this time.
const PERIOD: Duration = Duration::from_secs(1);

/// The server's side of [`Lab`].
#[derive(Debug)]
pub struct LabHandler {
    server: Server,
    /// The loop, while it runs.
    ticking: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl LabHandler {
    /// A handler whose loop does not run.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self {
            server,
            ticking: Arc::default(),
        }
    }
}

impl LabServer for LabHandler {
    async fn echo(&self, _: &Peer, text: String) -> String {
        text
    }

    async fn note(&self, from: &Peer, text: String) {
        // If the session has just ended there is nobody to tell.
        Lab::to_client(from).noted(text).ok();
    }

    async fn burst(&self, _: &Peer) {
        let everyone = Lab::to_clients(self.server.everyone());
        for number in 1..=BURST {
            everyone.pushed(number, BURST);
        }
    }

    async fn toggle_loop(&self, _: &Peer) {
        let mut ticking = self.ticking.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended by itself counts as switched off.
        let running = ticking.take().filter(|running| !running.is_finished());
        let on = running.is_none();
        match running {
            Some(running) => running.abort(),
            None => *ticking = Some(tokio::spawn(tick(self.server.clone()))),
        }
        // Under the lock, so that the last word is told last.
        Lab::to_clients(self.server.everyone()).looping(on);
    }

    async fn connected(&self, _: &Peer) -> Vec<Device> {
        let connected = self.server.connected();
        let mut devices: Vec<_> = connected.clients().iter().map(device).collect();
        devices.sort_by(|a, b| (&a.user, &a.device).cmp(&(&b.user, &b.device)));
        devices
    }
}

/// Pushes to everyone, until nobody is there.
async fn tick(server: Server) {
    let mut period = tokio::time::interval(PERIOD);
    for number in 1.. {
        period.tick().await;
        let connected = server.connected();
        let users: Vec<_> = connected.users().into_iter().map(str::to_owned).collect();
        if Lab::to_clients(server.everyone()).tick(number, users) == 0 {
            break;
        }
    }
}

fn device(client: &ConnectedClient) -> Device {
    let carrier = match client.carrier {
        Some(Carrier::WebSocket) => "WebSocket",
        Some(Carrier::Poll) => "polling",
        None => "nothing",
    };
    Device {
        user: client.peer.user_or("someone").to_owned(),
        device: client.peer.device().map(str::to_owned),
        carrier: carrier.to_owned(),
    }
}
