//! Events, calls, errors, handshakes, log-ins: by both carriers and in each codec.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use sente::{CallError, Codec};
use sente_client::{Carrier, CarrierChoice, FreshReason, NotReady, RefusedReason, SessionState};

use crate::house::{Greeting, House, Running, Ui, Unfit, soon};

#[tokio::test]
async fn everything_works_by_both_carriers_and_in_each_codec() {
    let server = Running::start().await;
    for carrier in [
        CarrierChoice::Auto,
        CarrierChoice::WebSocket,
        CarrierChoice::Poll,
    ] {
        for codec in Codec::ALL {
            let (ui, mut counted) = Ui::new();
            let client = server
                .client()
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
            assert_eq!(
                soon("the question", house.ask_me()).await.unwrap(),
                "who? me"
            );
            for number in 0..3 {
                assert_eq!(soon("an event", counted.recv()).await, Some(number));
            }
            let state = client.state();
            assert_eq!(state.user.as_deref(), Some("ann"));
            assert_eq!(
                state.carrier == Some(Carrier::Poll),
                carrier == CarrierChoice::Poll
            );
            assert!(state.skew.is_empty());
            let to = "ann".to_owned();
            assert_eq!(client.handshake::<House>().unwrap(), Some(Greeting { to }));
        }
    }
}

#[tokio::test]
async fn a_push_reaches_all_devices_and_streams_see_it() {
    let server = Running::start().await;
    let mut all = Vec::new();
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let builder = server.client().carrier(carrier).token("ann");
        let events = builder.stream::<House>();
        let client = builder.connect();
        client.ready().await.unwrap();
        // The session is confirmed, and seen by pushes, once the client has acknowledged it.
        House::to_server(&client).halve(2).await.unwrap();
        all.push((client, events));
    }
    House::to_clients(server.server.user("ann")).counted(5);
    for (_client, events) in &mut all {
        assert_eq!(
            soon("the push", events.next()).await,
            Some(House::Counted { number: 5 })
        );
    }
}

#[tokio::test]
async fn who_is_refused_logs_in_and_comes_back_as_somebody() {
    let server = Running::start().await;
    let token = Arc::new(Mutex::new("wrong".to_owned()));
    for carrier in [CarrierChoice::Auto, CarrierChoice::Poll] {
        "wrong".clone_into(&mut token.lock().unwrap());
        let shown = Arc::clone(&token);
        let client = server
            .client()
            .contract::<House>()
            .carrier(carrier)
            .token(move || std::future::ready(shown.lock().unwrap().clone()))
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
        for user in ["ann", "ann", "bob"] {
            user.clone_into(&mut token.lock().unwrap());
            client.reconnect();
            soon("the connection", client.ready()).await.unwrap();
            let state = client.state();
            assert_eq!(state.user.as_deref(), Some(user));
        }
        assert_eq!(
            client.state().session,
            Some(SessionState::Fresh {
                reason: FreshReason::UserChanged
            })
        );
    }
}

#[tokio::test]
async fn a_call_survives_any_change_of_carrier() {
    let server = Running::start().await;
    let client = server.client().contract::<House>().connect();
    soon("the connection", client.ready()).await.unwrap();
    let call = tokio::spawn(
        House::to_server(&client)
            .wait()
            .timeout(Duration::from_secs(50)),
    );
    for carrier in [
        CarrierChoice::Poll,
        CarrierChoice::WebSocket,
        CarrierChoice::Poll,
    ] {
        client.set_carrier(carrier);
        soon("the connection", client.ready()).await.unwrap();
        client.break_connection();
        soon("the connection", client.ready()).await.unwrap();
        assert_eq!(client.state().session, Some(SessionState::Resumed));
    }
    server.seen.gate.send_replace(true);
    assert_eq!(soon("the reply", call).await.unwrap(), Ok(7));
}

#[tokio::test]
async fn a_restarted_server_is_found_again_and_the_client_knows() {
    let server = Running::start().await;
    let client = server.client().contract::<House>().connect();
    let house = House::to_server(&client);
    assert_eq!(soon("a reply", house.halve(8)).await, Ok(4));
    let address = server.address.to_string();
    server.stop().await;
    let server = Running::start_with(&address, |builder| builder).await;
    assert_eq!(
        soon("a reply", house.halve(8).timeout(Duration::from_secs(50))).await,
        Ok(4)
    );
    assert!(matches!(
        client.state().session,
        Some(SessionState::Fresh {
            reason: FreshReason::Shutdown | FreshReason::Restarted
        })
    ));
    assert_eq!(server.seen.halved.lock().unwrap()[&8], 1);
}

#[tokio::test]
async fn a_kicked_client_stays_away_and_says_why() {
    let server = Running::start().await;
    let client = server.client().contract::<House>().connect();
    House::to_server(&client).halve(2).await.unwrap();
    let session = client.state().session_id.unwrap();
    assert!(server.server.kick(session, "you were rude"));
    let mut states = client.states();
    while client.state().open {
        soon("a change", states.next()).await;
    }
    let error = soon("the end", client.ready()).await.unwrap_err();
    assert!(error.to_string().contains("you were rude"), "{error}");
}
