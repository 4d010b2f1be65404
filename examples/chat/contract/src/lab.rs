//! What the buttons of the page try out, beside the chat: a second namespace on the same
//! connection.

use serde::{Deserialize, Serialize};

/// Someone who is connected, on one device.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, sente::Schema)]
pub struct Device {
    /// Whose it is.
    pub user: String,
    /// What the client calls itself.
    pub device: Option<String>,
    /// What serves it: `WebSocket`, `polling`, or `nothing` while it is away.
    pub carrier: String,
}

#[expect(
    missing_docs,
    reason = "the names of the fields say all there is to say"
)]
/// One event for each thing that is worth a try.
#[sente::events]
#[derive(Debug)]
pub enum Lab {
    /// A call: it comes back as it went.
    #[to_server(reply = String, timeout = "5s")]
    Echo { text: String },

    /// An event that wants no reply. That it has come is seen by a `noted`.
    #[to_server]
    Note { text: String },

    /// Has the server push a hundred events to everyone, as fast as it can.
    #[to_server]
    Burst,

    /// Switches on or off that the server pushes to everyone once a second.
    #[to_server]
    ToggleLoop,

    /// Asks who is connected, on every device.
    #[to_server(reply = Vec<Device>, timeout = "5s")]
    Connected,

    /// A note has come.
    #[to_client]
    Noted { text: String },

    /// One of the pushes of a burst.
    #[to_client]
    Pushed { number: u32, of: u32 },

    /// Someone has switched the loop on or off.
    #[to_client]
    Looping { on: bool },

    /// One of the pushes of the loop, with who is connected.
    #[to_client]
    Tick { number: u64, users: Vec<String> },
}
