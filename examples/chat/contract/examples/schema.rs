//! The contract as text: `cargo run -p chat-contract --example schema -- print`.

use std::process::ExitCode;

use chat_contract::{Chat, Lab};

// ANCHOR: schema
fn main() -> ExitCode {
    sente_schema::Command::new()
        .namespace::<Chat>()
        .namespace::<Lab>()
        .run()
}
// ANCHOR_END: schema
