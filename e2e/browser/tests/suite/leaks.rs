//! A client that is dropped leaves nothing behind; and what several of one page cost each other.

use sente_browser_tests::House;
use sente_client::{CarrierChoice, Client};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{CARRIERS, client, connected, soon};
use crate::spy;

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Held {
    listeners: u32,
    timers: u32,
    sockets: u32,
    values: u32,
}

impl Held {
    fn now() -> Self {
        Self {
            listeners: spy::listeners_added(),
            timers: spy::timers_set(),
            sockets: spy::sockets_held(),
            values: wasm_bindgen::externref_heap_live_count(),
        }
    }
}

/// Waits until it is so: a client that is dropped says goodbye first.
async fn until_held(what: impl Fn(Held) -> bool) -> Held {
    for _ in 0..500 {
        if what(Held::now()) {
            break;
        }
        spy::later(20.0).await;
    }
    Held::now()
}

/// What is held while there is no client.
async fn idle() -> Held {
    let is_idle = |held: Held| (held.listeners, held.timers, held.sockets) == (0, 0, 0);
    let held = until_held(is_idle).await;
    assert!(
        is_idle(held),
        "the clients of other tests live on: {held:?}"
    );
    held
}

async fn given_back(before: Held) {
    let held = until_held(|held| held == before).await;
    assert_eq!(held, before, "more is held than before");
}

/// A client that is dropped at some moment of its life.
async fn live(carrier: CarrierChoice, moment: u32) {
    let (builder, _counted) = client("/sente");
    let builder = builder.carrier(carrier);
    match moment % 4 {
        // Never connected.
        0 => drop(builder),
        // While it dials.
        1 => drop(builder.connect()),
        // In the midst of a call.
        2 => {
            let client = connected(builder).await;
            let call = House::to_server(&client).wait();
            let other = House::to_server(&client).halve(2);
            let both = futures_util::future::select(call, other);
            assert!(matches!(
                soon("a reply", both).await,
                futures_util::future::Either::Right(_)
            ));
        }
        // While it comes back.
        _ => {
            let client = connected(builder).await;
            client.break_connection();
            client.reconnect();
        }
    }
}

/// Clients of all kinds, dropped at all moments.
async fn live_all() {
    for carrier in CARRIERS {
        for moment in 0..4 {
            live(carrier, moment).await;
        }
    }
}

#[wasm_bindgen_test]
async fn a_client_that_is_dropped_leaves_nothing_behind() {
    let before = idle().await;
    for _ in 0..10 {
        live_all().await;
    }
    given_back(before).await;
    let pages = spy::memory_pages();
    for _ in 0..20 {
        live_all().await;
    }
    given_back(before).await;
    assert_eq!(spy::memory_pages(), pages);
}

#[wasm_bindgen_test]
async fn a_client_that_cannot_be_set_up_leaves_nothing_behind() {
    let before = idle().await;
    for _ in 0..10 {
        drop(Client::builder("ftp://example.org").connect());
    }
    given_back(before).await;
}

#[wasm_bindgen_test]
async fn seven_clients_that_poll_all_get_through() {
    // A browser allows six connections by HTTP/1.1 to one host.
    let mut clients = Vec::new();
    for _ in 0..7 {
        let (builder, _counted) = client("/brief");
        clients.push(builder.carrier(CarrierChoice::Poll).connect());
    }
    for client in &clients {
        soon("the connection", client.ready()).await.unwrap();
    }
    for client in &clients {
        let call = House::to_server(client).halve(8);
        assert_eq!(soon("a reply", call).await, Ok(4));
    }
}
