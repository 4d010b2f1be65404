//! WebSocket where it works, polling where it does not, and back.

use std::cell::Cell;
use std::rc::Rc;

use sente_browser_tests::House;
use sente_client::{Carrier, CarrierChoice, Client, SetupError, UrlError};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{client, connected, origin, soon, until, url};
use crate::spy::{self, Bent};

#[wasm_bindgen_test]
async fn a_browser_without_websockets_polls_and_the_state_says_why() {
    let _bent = Bent;
    spy::take_web_socket();
    let (builder, _counted) = client("/sente");
    let client = connected(builder).await;
    let state = client.state();
    assert_eq!(state.carrier, Some(Carrier::Poll));
    let error = state.last_ws_error.as_deref().unwrap();
    assert!(
        error.contains("can open no WebSocket") && error.contains("WebSocket is not defined"),
        "{error}"
    );
    assert_eq!(House::to_server(&client).halve(8).await, Ok(4));
}

#[wasm_bindgen_test]
async fn who_wants_websockets_alone_learns_that_there_are_none() {
    let _bent = Bent;
    spy::take_web_socket();
    let (builder, _counted) = client("/sente");
    let client = builder.carrier(CarrierChoice::WebSocket).connect();
    let state = until("the next try", &client, |state| {
        state.next_reconnect_at.is_some()
    })
    .await;
    assert!(!state.open);
    let error = state.last_ws_error.as_deref().unwrap();
    assert!(error.contains("can open no WebSocket"), "{error}");
}

#[wasm_bindgen_test]
async fn a_call_does_not_notice_that_its_session_moves_up_from_polling() {
    let _bent = Bent;
    spy::tell(&url("/poll-only/close")).await;
    let (builder, _counted) = client("/poll-only");
    let client = connected(builder.token("mover")).await;
    let state = client.state();
    assert_eq!(state.carrier, Some(Carrier::Poll));
    let error = state.last_ws_error.as_deref().unwrap();
    assert!(error.contains("opened no WebSocket"), "{error}");

    let house = House::to_server(&client);
    let answer = Rc::new(Cell::new(None));
    wasm_bindgen_futures::spawn_local({
        let (call, answer) = (house.wait(), Rc::clone(&answer));
        async move { answer.set(Some(call.await)) }
    });
    assert_eq!(soon("a reply", house.halve(2)).await, Ok(1));
    spy::tell(&url("/poll-only/open")).await;
    client.wake();
    let state = until("the WebSocket", &client, |state| {
        state.carrier == Some(Carrier::WebSocket)
    })
    .await;
    assert_eq!(state.session, client.state().session);
    assert_eq!(answer.take(), None);
    house.open().unwrap();
    // What is answered later came later.
    while soon("a reply", house.halve(2)).await.is_ok() {
        if let Some(answer) = answer.take() {
            assert_eq!(answer, Ok(7));
            return;
        }
    }
    panic!("the call was not answered");
}

#[wasm_bindgen_test]
async fn an_address_may_be_relative_to_the_page() {
    // The page's own server is none of sente's: what went wrong names the places.
    for path in ["/deep/sente/", "deep/sente"] {
        let client = Client::builder(path).contract::<House>().connect();
        let state = until("the errors", &client, |state| {
            state.last_ws_error.is_some() && state.last_poll_error.is_some()
        })
        .await;
        let origin = origin();
        let ws = format!("`ws{}/deep/sente/ws`", origin.strip_prefix("http").unwrap());
        let error = state.last_ws_error.as_deref().unwrap();
        assert!(error.contains(&ws), "{error}");
        assert!(!state.open);
    }
}

#[wasm_bindgen_test]
fn a_bad_address_says_what_is_bad() {
    let error = |url: &str| match Client::builder(url).try_connect() {
        Err(SetupError::Url(error)) => error,
        other => panic!("{url}: {other:?}"),
    };
    assert!(matches!(error("ftp://example.org"), UrlError::Scheme(scheme) if scheme == "ftp"));
    assert!(matches!(error("/sente?token=a"), UrlError::Query(_)));
    assert!(matches!(error("/sente#a"), UrlError::Query(_)));
    assert!(matches!(error("http://a:x/"), UrlError::Malformed { .. }));
    assert!(matches!(
        error("http://ann:secret@example.org"),
        UrlError::Credentials
    ));
    let client = Client::builder("http://a:x").connect();
    assert!(client.state().setup_error.is_some() && client.state().ended);
}

#[wasm_bindgen_test]
async fn both_carriers_show_the_cookies_that_the_page_has() {
    let _bent = Bent;
    spy::set_cookie("user=cookie-monster; path=/");
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let (builder, _counted) = client("/sente");
        let client = connected(builder.carrier(carrier)).await;
        assert_eq!(client.state().user.as_deref(), Some("cookie-monster"));
    }
    spy::set_cookie("user=; path=/; max-age=0");
}

#[wasm_bindgen_test]
async fn a_client_can_be_told_to_use_another_carrier() {
    let (builder, _counted) = client("/sente");
    let client = connected(builder).await;
    for (carrier, kind) in [
        (CarrierChoice::Poll, Carrier::Poll),
        (CarrierChoice::WebSocket, Carrier::WebSocket),
        (CarrierChoice::Poll, Carrier::Poll),
        (CarrierChoice::Auto, Carrier::WebSocket),
    ] {
        client.set_carrier(carrier);
        until("the other carrier", &client, |state| {
            state.carrier == Some(kind)
        })
        .await;
        assert_eq!(
            soon("a reply", House::to_server(&client).halve(8)).await,
            Ok(4)
        );
    }
}
