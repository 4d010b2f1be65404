//! Servers that do not want the client, and what is no server at all.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::StreamExt;
use sente_browser_tests::House;
use sente_client::{CallError, CarrierChoice, NotReady, RefusedReason};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{CARRIERS, client, connected, soon, until};
use crate::spy;

#[wasm_bindgen_test]
async fn who_is_refused_learns_why_and_does_not_dial_until_told() {
    for carrier in CARRIERS {
        let token = Rc::new(Cell::new("wrong"));
        let shown = Rc::clone(&token);
        let (builder, _counted) = client("/sente");
        let client = builder
            .carrier(carrier)
            .token(move || std::future::ready(shown.get().to_owned()))
            .connect();
        let error = soon("the refusal", client.ready()).await.unwrap_err();
        assert!(
            matches!(
                error,
                NotReady::Refused {
                    status: 401,
                    reason: RefusedReason::Unauthorized,
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("that token is wrong"), "{error}");
        assert_eq!(client.state().next_reconnect_at, None);
        // Nothing that wakes others makes it dial.
        let dials = (spy::dialled(), spy::requested());
        spy::happen("online");
        spy::show_page(true);
        client.wake();
        spy::later(100.0).await;
        assert_eq!((spy::dialled(), spy::requested()), dials);

        token.set("ann");
        client.reconnect();
        soon("the connection", client.ready()).await.unwrap();
        assert_eq!(client.state().user.as_deref(), Some("ann"));
        assert_eq!(client.state().refused, None);
    }
}

#[wasm_bindgen_test]
async fn the_token_in_the_page_is_shown_at_every_dial() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        spy::set_meta("csrf-token", "stale");
        let (builder, _counted) = client("/strict");
        let client = builder
            .carrier(carrier)
            .csrf_from_meta("csrf-token")
            .connect();
        let error = soon("the refusal", client.ready()).await.unwrap_err();
        assert!(
            matches!(error, NotReady::Refused { status: 403, .. }),
            "{error}"
        );
        spy::set_meta("csrf-token", "sesame");
        client.reconnect();
        soon("the connection", client.ready()).await.unwrap();
        assert!(client.state().has_csrf_token);
    }
    let (builder, _counted) = client("/strict");
    let client = builder.csrf_from_meta("no-such-\"name\"").connect();
    assert!(soon("the refusal", client.ready()).await.is_err());
    assert!(!client.state().has_csrf_token);
}

#[wasm_bindgen_test]
async fn a_page_of_another_origin_learns_what_may_be_wrong() {
    let (builder, _counted) = client("/sealed");
    let client = builder.connect();
    let state = until("the next try", &client, |state| {
        state.next_reconnect_at.is_some()
    })
    .await;
    let errors = (&state.last_ws_error, &state.last_poll_error);
    let (Some(socket), Some(poll)) = errors else {
        panic!("{state:?}");
    };
    assert!(socket.contains("origin"), "{socket}");
    assert!(poll.contains("origin"), "{poll}");
}

#[wasm_bindgen_test]
async fn a_server_that_answers_with_a_page_is_told_from_one_of_sentes() {
    let (builder, _counted) = client("/html");
    let client = builder.connect();
    let state = until("the next try", &client, |state| {
        state.next_reconnect_at.is_some()
    })
    .await;
    assert!(!state.open);
    let error = state.last_poll_error.as_deref().unwrap();
    assert!(error.contains("sente"), "{error}");
}

#[wasm_bindgen_test]
async fn an_answer_without_end_is_given_up() {
    let (builder, _counted) = client("/flood");
    let client = builder.carrier(CarrierChoice::Poll).connect();
    let state = until("the next try", &client, |state| {
        state.next_reconnect_at.is_some()
    })
    .await;
    let error = state.last_poll_error.as_deref().unwrap();
    assert!(error.contains("more than the"), "{error}");
}

#[wasm_bindgen_test]
async fn an_older_server_refuses_only_what_it_does_not_know() {
    let (builder, mut counted) = client("/other");
    let client = connected(builder).await;
    let house = House::to_server(&client);
    house.count(3).unwrap();
    assert_eq!(soon("an event", counted.next()).await, Some(3));
    assert!(matches!(
        soon("an error", house.halve(8)).await,
        Err(CallError::Incompatible)
    ));
    assert!(matches!(
        soon("an error", house.ask_me()).await,
        Err(CallError::Unsupported)
    ));
    let skew = &client.state().skew;
    let names: Vec<&str> = skew.iter().map(|skew| &*skew.name).collect();
    assert!(names.contains(&"house/halve"), "{skew:?}");
    assert!(!names.contains(&"house/count"), "{skew:?}");
}
