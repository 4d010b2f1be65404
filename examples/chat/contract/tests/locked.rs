//! Whoever has the chat's page open goes on after a deploy.

use chat_contract::{Chat, Lab};
use sente_schema::{Contract, compare};

// ANCHOR: locked
#[test]
fn the_contract_still_fits_what_was_locked() {
    let locked = concat!(env!("CARGO_MANIFEST_DIR"), "/sente.lock.json");
    let locked = Contract::read(locked).expect("a locked contract");
    let now = Contract::builder()
        .namespace::<Chat>()
        .namespace::<Lab>()
        .build();
    let comparison = compare(&locked, &now);
    assert!(!comparison.is_breaking(), "{comparison}");
    assert_eq!(
        locked.to_json(),
        now.to_json(),
        "run `cargo run -p chat-contract --example schema -- lock` and commit the file"
    );
}
// ANCHOR_END: locked
