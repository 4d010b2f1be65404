//! What the browser tells of the page, its network and its machine.

use futures_util::StreamExt;
use sente_browser_tests::House;
use sente_client::{Carrier, CarrierChoice, Client, SessionState};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{client, connected, soon, until, url};
use crate::spy::{self, Bent};

/// Longer than a probe waits for its answer, and shorter than any other wait of a client's.
const PROBES_ONLY: f64 = 2_000.0;

/// A client that polls and would go back to WebSocket, but whose timers do not ring.
async fn asleep_at_polling() -> Client {
    spy::tell(&url("/poll-only/close")).await;
    let (builder, _counted) = client("/poll-only");
    let client = connected(builder).await;
    assert_eq!(client.state().carrier, Some(Carrier::Poll));
    spy::tell(&url("/poll-only/open")).await;
    client
}

#[wasm_bindgen_test]
async fn a_page_that_is_back_looks_for_its_connection_at_once() {
    let _bent = Bent;
    spy::hold_timers(PROBES_ONLY);
    for (what, comes_back) in [
        ("online", (|| spy::happen("online")) as fn()),
        ("pageshow", || spy::show_page(true)),
        ("visibilitychange", || spy::set_visibility("visible")),
    ] {
        let client = asleep_at_polling().await;
        let dialled = spy::dialled();
        // A page that goes away, or that was just loaded, is no reason to dial.
        spy::set_visibility("hidden");
        spy::show_page(false);
        spy::later(50.0).await;
        assert_eq!(spy::dialled(), dialled);
        comes_back();
        until(what, &client, |state| {
            state.carrier == Some(Carrier::WebSocket)
        })
        .await;
    }
}

#[wasm_bindgen_test]
async fn a_page_that_waits_for_its_next_try_tries_at_once() {
    let _bent = Bent;
    spy::take_web_socket();
    let (builder, _counted) = client("/sente");
    let client = builder.carrier(CarrierChoice::WebSocket).connect();
    spy::hold_timers(0.0);
    until("the next try", &client, |state| {
        state.next_reconnect_at.is_some()
    })
    .await;
    drop(_bent);
    let _bent = Bent;
    spy::hold_timers(PROBES_ONLY);
    spy::happen("online");
    soon("the connection", client.ready()).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_dead_connection_is_noticed_when_the_network_changes() {
    let _bent = Bent;
    let (builder, _counted) = client("/sente");
    let client = connected(builder.carrier(CarrierChoice::WebSocket)).await;
    spy::hold_timers(PROBES_ONLY);
    spy::mute(true);
    spy::happen("offline");
    until("the loss", &client, |state| !state.open).await;
    spy::mute(false);
    spy::happen("online");
    let state = until("the second connection", &client, |state| state.open).await;
    assert_eq!(state.session, Some(SessionState::Resumed));
}

#[wasm_bindgen_test]
async fn a_machine_that_slept_finds_its_connection_dead_at_once() {
    let _bent = Bent;
    let (builder, _counted) = client("/sente");
    let client = connected(builder.carrier(CarrierChoice::WebSocket)).await;
    spy::hold_timers(PROBES_ONLY);
    spy::mute(true);
    // The clock of timers stood still, that of the system did not.
    spy::jump(60_000.0);
    House::to_server(&client).count(1).unwrap();
    until("the loss", &client, |state| !state.open).await;
    spy::mute(false);
    client.wake();
    let state = until("the second connection", &client, |state| state.open).await;
    assert_eq!(state.session, Some(SessionState::Resumed));
}

/// Waits until so many requests are without an answer.
async fn until_awaited(count: u32) {
    while spy::requests_awaited() != count {
        spy::later(20.0).await;
    }
}

#[wasm_bindgen_test]
async fn a_hidden_page_holds_no_poll_and_hears_all_the_same() {
    let _bent = Bent;
    let (builder, mut counted) = client("/sente");
    let client = connected(builder.carrier(CarrierChoice::Poll)).await;
    let house = House::to_server(&client);
    soon("a poll that is held", until_awaited(1)).await;
    spy::set_visibility("hidden");
    soon("the end of the poll", until_awaited(0)).await;
    house.count(3).unwrap();
    assert_eq!(soon("an event", counted.next()).await, Some(3));
    assert_eq!(soon("a reply", house.halve(8)).await, Ok(4));
    soon("the end of the poll", until_awaited(0)).await;
    spy::set_visibility("visible");
    soon("a poll that is held", until_awaited(1)).await;
}
