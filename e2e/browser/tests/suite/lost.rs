//! Connections that break, servers that restart, and what becomes of the session.

use std::cell::Cell;
use std::rc::Rc;

use sente_browser_tests::House;
use sente_client::{
    Carrier, CarrierChoice, CloseReason, ConnectionEnd, FreshReason, NotReady, SessionState,
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{client, connected, soon, until, url};
use crate::spy::{self, Bent};

#[wasm_bindgen_test]
async fn a_session_and_its_calls_go_on_after_the_connection_broke() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let (builder, _counted) = client("/sente");
        let client = connected(builder.carrier(carrier).token("breaker")).await;
        let house = House::to_server(&client);
        let answer = Rc::new(Cell::new(None));
        wasm_bindgen_futures::spawn_local({
            let (call, answer) = (house.wait(), Rc::clone(&answer));
            async move { answer.set(Some(call.await)) }
        });
        assert_eq!(soon("a reply", house.halve(2)).await, Ok(1));
        client.break_connection();
        let state = until("the second connection", &client, |state| {
            state.open && !state.first_open
        })
        .await;
        assert_eq!(state.session, Some(SessionState::Resumed));
        let end = state.last_close.as_ref().map(|close| close.reason.clone());
        assert_eq!(end, Some(ConnectionEnd::Broken));
        assert_eq!(answer.take(), None);
        house.open().unwrap();
        while answer.take().is_none() {
            assert_eq!(soon("a reply", house.halve(2)).await, Ok(1));
        }
    }
}

#[wasm_bindgen_test]
async fn a_websocket_that_closes_is_replaced_and_the_state_says_how_it_closed() {
    let (builder, _counted) = client("/sente");
    let client = connected(builder.carrier(CarrierChoice::WebSocket)).await;
    spy::close_last(4321, "for a test");
    let state = until("the second connection", &client, |state| {
        state.open && !state.first_open
    })
    .await;
    assert_eq!(state.session, Some(SessionState::Resumed));
    let close = state.last_ws_close.as_ref().unwrap();
    assert!(close.clean, "{close:?}");
    assert!(close.error.is_none(), "{close:?}");
    assert_eq!(
        state.last_close.as_ref().map(|close| close.reason.clone()),
        Some(ConnectionEnd::Lost)
    );
}

#[wasm_bindgen_test]
async fn a_client_that_is_told_to_stay_away_does_until_it_is_told_to_come() {
    let (builder, _counted) = client("/sente");
    let client = connected(builder).await;
    client.disconnect();
    until("the end", &client, |state| state.disconnected).await;
    let error = soon("the end", client.ready()).await.unwrap_err();
    assert!(matches!(error, NotReady::Disconnected), "{error}");
    let dials = (spy::dialled(), spy::requested());
    spy::happen("online");
    client.wake();
    spy::later(100.0).await;
    assert_eq!((spy::dialled(), spy::requested()), dials);
    client.reconnect();
    soon("the connection", client.ready()).await.unwrap();
    let state = client.state();
    assert_eq!(
        state.session,
        Some(SessionState::Fresh {
            reason: FreshReason::Requested
        })
    );
    assert_eq!(
        soon("a reply", House::to_server(&client).halve(8)).await,
        Ok(4)
    );
}

#[wasm_bindgen_test]
async fn a_restarted_server_is_found_again_and_the_client_knows() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let (builder, _counted) = client("/mortal");
        let client = connected(builder.carrier(carrier)).await;
        let house = House::to_server(&client);
        assert_eq!(soon("a reply", house.halve(8)).await, Ok(4));
        spy::tell(&url("/mortal/stop")).await;
        let state = until("the second connection", &client, |state| {
            state.open && !state.first_open
        })
        .await;
        assert!(matches!(
            state.session,
            Some(SessionState::Fresh {
                reason: FreshReason::Shutdown | FreshReason::Restarted
            })
        ));
        assert_eq!(soon("a reply", house.halve(8)).await, Ok(4));
    }
}

#[wasm_bindgen_test]
async fn a_kicked_client_stays_away_and_says_why() {
    let (builder, _counted) = client("/sente");
    let client = connected(builder).await;
    House::to_server(&client).kick_me().unwrap();
    let state = until("the end", &client, |state| !state.open).await;
    assert!(
        matches!(
            &state.last_close.as_ref().unwrap().reason,
            ConnectionEnd::Server(CloseReason::Kicked)
        ),
        "{state:?}"
    );
    let error = soon("the end", client.ready()).await.unwrap_err();
    assert!(error.to_string().contains("you asked for it"), "{error}");
}

#[wasm_bindgen_test]
async fn a_tab_that_slept_for_longer_than_the_window_begins_a_fresh_session() {
    let _bent = Bent;
    let (builder, _counted) = client("/short");
    let client = connected(builder.carrier(CarrierChoice::WebSocket)).await;
    // Asleep: no timer rings, and nothing can be dialled.
    spy::hold_timers(0.0);
    spy::take_web_socket();
    spy::close_last(1000, "asleep");
    until("the loss", &client, |state| !state.open).await;
    while soon("a count", spy::tell(&url("/short/sessions"))).await != "0" {
        spy::later(50.0).await;
    }
    // Awake.
    drop(_bent);
    spy::show_page(true);
    let state = until("the second connection", &client, |state| state.open).await;
    assert_eq!(
        state.session,
        Some(SessionState::Fresh {
            reason: FreshReason::Expired
        })
    );
    assert_eq!(state.carrier, Some(Carrier::WebSocket));
}
