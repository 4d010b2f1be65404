//! A contract that nobody uses, in a module of its own.

use super::Receipt;

/// Nothing of this is reachable, and nothing is used: still no warning.
#[sente::events(namespace = "private")]
enum Unused {
    #[to_server(reply = Receipt, timeout = "250ms")]
    Ask(String),
    #[to_client(delivery = volatile)]
    Tell,
}
