//! A documented contract is documented whole, and as visible as it is written.

#![deny(missing_docs, unreachable_pub, warnings)]

/// The contract.
#[sente::events]
pub enum Chat {
    /// An event.
    #[to_server(reply = u8, error = String)]
    #[to_client]
    Post {
        /// The line.
        text: String,
    },
}

mod inner {
    #[sente::events]
    pub(crate) enum Within {
        #[to_server]
        #[to_client]
        Post,
    }
}

fn main() {
    let _ = <inner::Within as sente::Events>::NAMESPACE;
}
