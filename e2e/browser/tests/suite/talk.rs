//! Events, calls, errors, handshakes and pushes: by both carriers and in each codec.

use std::pin::pin;

use futures_util::StreamExt;
use sente_browser_tests::{Greeting, House, Unfit};
use sente_client::{CallError, Carrier, CarrierChoice, Client, Codec, SessionState};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::{CARRIERS, Ui, client, connected, soon, until, url};
use crate::spy;

#[wasm_bindgen_test]
async fn everything_works_by_both_carriers_and_in_each_codec() {
    for carrier in CARRIERS {
        for codec in Codec::ALL {
            let (ui, mut counted) = Ui::new();
            let asked = ui.asked();
            let client = Client::builder(url("/sente"))
                .serve(House::client(ui))
                .carrier(carrier)
                .codec(*codec)
                .token("ann")
                .connect();
            let house = House::to_server(&client);
            for number in 0..3 {
                house.count(number).unwrap();
            }
            assert_eq!(soon("a reply", house.halve(8)).await, Ok(4));
            assert_eq!(
                soon("an error", house.halve(7)).await,
                Err(CallError::Rejected(Unfit::Odd { number: 7 }))
            );
            let answer = soon("the question", house.ask_me()).await;
            assert_eq!(answer.unwrap(), "who? me");
            assert_eq!(*asked.borrow(), ["who?"]);
            for number in 0..3 {
                assert_eq!(soon("an event", counted.next()).await, Some(number));
            }
            let state = client.state();
            assert_eq!(state.user.as_deref(), Some("ann"));
            assert!(state.open && state.ever_opened && state.first_open);
            assert!(state.skew.is_empty() && state.refused.is_none());
            assert!(matches!(state.session, Some(SessionState::Fresh { .. })));
            assert_eq!(
                state.carrier == Some(Carrier::Poll),
                carrier == CarrierChoice::Poll
            );
            let to = "ann".to_owned();
            assert_eq!(client.handshake::<House>().unwrap(), Some(Greeting { to }));
        }
    }
}

#[wasm_bindgen_test]
async fn long_texts_come_back_whole() {
    let text = "grüße, 先手! ".repeat(12_000);
    for carrier in CARRIERS {
        for codec in [Codec::Bincode, Codec::Json] {
            let (builder, _counted) = client("/sente");
            let client = connected(builder.carrier(carrier).codec(codec)).await;
            let echo = House::to_server(&client).echo(text.as_str());
            assert!(soon("the text", echo).await.unwrap() == text, "{carrier:?}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_push_reaches_all_tabs_and_streams_see_it() {
    let mut all = Vec::new();
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let (builder, _counted) = client("/sente");
        let builder = builder.carrier(carrier).token("tabs");
        let events = builder.stream::<House>();
        let client = connected(builder).await;
        House::to_server(&client).halve(2).await.unwrap();
        all.push((client, events));
    }
    House::to_server(&all[0].0).count_for_all(5).unwrap();
    for (_client, events) in &mut all {
        assert_eq!(
            soon("the push", events.next()).await,
            Some(House::Counted { number: 5 })
        );
    }
}

#[wasm_bindgen_test]
async fn what_is_sent_at_once_goes_in_one_frame_and_comes_in_order() {
    const UP_TO: u32 = 2_000;
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let (builder, mut counted) = client("/sente");
        let client = connected(builder.carrier(carrier)).await;
        let before = spy::requested();
        for number in 0..UP_TO {
            House::to_server(&client).count(number).unwrap();
        }
        for number in 0..UP_TO {
            assert_eq!(soon("a number", counted.next()).await, Some(number));
        }
        let requests = spy::requested() - before;
        assert!(requests < UP_TO / 10, "{requests} requests");
    }
}

#[wasm_bindgen_test]
async fn every_change_of_the_state_is_told_with_the_state_before() {
    let (builder, _counted) = client("/sente");
    let mut changes = builder.states();
    let client = connected(builder).await;
    client.break_connection();
    until("the second connection", &client, |state| {
        state.open && !state.first_open
    })
    .await;
    client.disconnect();
    until("the end", &client, |state| state.disconnected).await;
    drop(client);
    let mut before = None;
    let (mut opened, mut closed) = (0, 0);
    let mut all = pin!(async {
        while let Some(change) = changes.next().await {
            if let Some(before) = before.replace(change.new.clone()) {
                assert_eq!(change.old, before);
            }
            opened += u32::from(!change.old.open && change.new.open);
            closed += u32::from(change.old.open && !change.new.open);
        }
    });
    soon("the last change", &mut all).await;
    assert_eq!((opened, closed), (2, 2));
    assert!(before.unwrap().ended);
}
