//! With no `error` in the contract there is nothing to reject with, and no arm for it.

use sente::{Call, CallError};

#[sente::events]
enum Chat {
    #[to_client(reply = bool)]
    Confirm(String),
}

fn confirm(peer: &sente::Peer) -> Call<bool> {
    Chat::to_client(peer).confirm("really?")
}

async fn sure(peer: &sente::Peer) -> bool {
    match confirm(peer).await {
        Ok(sure) => sure,
        Err(
            CallError::TimedOut { .. }
            | CallError::Disconnected { .. }
            | CallError::Unsupported
            | CallError::Incompatible
            | CallError::Internal
            | CallError::Full
            | CallError::TooLarge
            | CallError::Encode,
        ) => false,
    }
}

fn main() {
    let _ = sure;
}
