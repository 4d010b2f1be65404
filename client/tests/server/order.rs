//! The promise: in order, exactly once, whatever the connection does.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use sente::SendError;
use sente_client::{CarrierChoice, Client, ConnectionEnd, SessionState, UnconfirmedReason};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::house::{House, Running, Ui, soon};

/// Sends numbers as fast as there is room.
async fn count(client: &Client, numbers: std::ops::Range<u32>) {
    let house = House::to_server(client);
    for number in numbers {
        while let Err(error) = house.count(number) {
            assert!(matches!(error, SendError::Full), "{error}");
            tokio::task::yield_now().await;
        }
    }
}

async fn all_come_back(counted: &mut UnboundedReceiver<u32>, numbers: std::ops::Range<u32>) {
    for number in numbers {
        assert_eq!(soon("a number", counted.recv()).await, Some(number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_repeated_while_carriers_come_and_go() {
    const ROUNDS: u32 = 12;
    const EACH: u32 = 500;
    let server = Running::start().await;
    let (ui, mut counted) = Ui::new();
    let client = server.client().serve(House::client(ui)).connect();
    for round in 0..ROUNDS {
        let numbers = round * EACH..(round + 1) * EACH;
        count(&client, numbers.clone()).await;
        match round % 4 {
            0 | 2 => client.break_connection(),
            1 => client.set_carrier(CarrierChoice::Poll),
            _ => client.set_carrier(CarrierChoice::Auto),
        }
        all_come_back(&mut counted, numbers).await;
    }
    let seen = server.seen.counts.lock().unwrap().clone();
    assert_eq!(seen, (0..ROUNDS * EACH).collect::<Vec<_>>());
    assert_eq!(client.state().session, Some(SessionState::Resumed));
    assert!(client.unconfirmed().try_next().is_none());
}

#[tokio::test]
async fn events_that_the_server_turns_out_not_to_take_come_back() {
    let server = Running::start_with("127.0.0.1:0", |it| it.max_message(4)).await;
    let (ui, mut counted) = Ui::new();
    let client = server.client().serve(House::client(ui)).connect();
    let house = House::to_server(&client);
    // Nobody has said yet that it is too large.
    house.count(u32::MAX).unwrap();
    house.count(1).unwrap();
    let batch = soon("the batch", client.unconfirmed().next())
        .await
        .unwrap();
    assert_eq!(batch.reason, UnconfirmedReason::NotTaken);
    let [event] = &batch.events[..] else {
        panic!("{batch:?}");
    };
    let why = event.refusal();
    assert!(
        matches!(why, Some(SendError::TooLarge { size: 5, limit: 4 })),
        "{why:?}"
    );
    assert_eq!(client.counts().too_large, 1);
    all_come_back(&mut counted, 1..2).await;
    let error = client.resend(batch).unwrap_err();
    assert!(matches!(error.error, SendError::TooLarge { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_connection_only_costs_time() {
    let server = Running::start().await;
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let (ui, mut counted) = Ui::new();
        let client = server
            .client()
            .serve(House::client(ui))
            .carrier(carrier)
            .bad_connection(0.1)
            .connect();
        let house = House::to_server(&client);
        for number in 0..40 {
            house.count(number).unwrap();
            let half = house.halve(number * 2).timeout(Duration::from_secs(50));
            assert_eq!(soon("a reply", half).await, Ok(number));
        }
        all_come_back(&mut counted, 0..40).await;
        // A poll that is lost is only repeated; a WebSocket is lost with its message.
        let lost = client.state().last_close.is_some();
        assert!(lost || carrier == CarrierChoice::Poll, "nothing was struck");
    }
    // Once by each of both clients, and not once more.
    let halved = server.seen.halved.lock().unwrap();
    assert!(halved.values().all(|times| *times == 2), "{halved:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_has_died_silently_is_found_out_and_nothing_is_lost() {
    let silence = Duration::from_secs(1);
    let server = Running::start_with("127.0.0.1:0", |it| it.silence(silence)).await;
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let (ui, mut counted) = Ui::new();
        let client = server
            .client()
            .serve(House::client(ui))
            .carrier(carrier)
            .connect();
        client.ready().await.unwrap();
        client.stall_connection();
        // Only after that the numbers are sent, so that none of them gets through.
        client.ready().await.unwrap();
        count(&client, 0..10).await;
        if carrier == CarrierChoice::WebSocket {
            assert_eq!(client.queued(), 10, "nothing of it can have been confirmed");
        }
        all_come_back(&mut counted, 0..10).await;
        let state = client.state();
        assert_eq!(
            state.last_close.as_ref().map(|close| &close.reason),
            Some(&ConnectionEnd::Silent)
        );
        assert_eq!(state.session, Some(SessionState::Resumed));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_connection_can_be_switched_on_and_off() {
    let server = Running::start().await;
    let client = server.client().contract::<House>().connect();
    client.ready().await.unwrap();
    let mut changes = client.states();
    client.set_bad_connection(1.0);
    House::to_server(&client).count(1).unwrap();
    let error = loop {
        let change = soon("a loss", changes.next()).await.unwrap();
        if let Some(error) = &change.new.last_ws_error {
            break error.clone();
        }
    };
    assert!(error.contains("simulated"), "{error}");
    client.set_bad_connection(0.0);
    assert_eq!(
        soon("a reply", House::to_server(&client).halve(4)).await,
        Ok(2)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_from_many_tasks() {
    let server = Running::start().await;
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let client = server
            .client()
            .contract::<House>()
            .carrier(carrier)
            .connect();
        let tasks = (0..20).map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                let calls =
                    (0..50).map(|call| House::to_server(&client).halve(task * 100 + call * 2));
                for (call, reply) in join_all(calls).await.into_iter().enumerate() {
                    assert_eq!(reply, Ok(task * 50 + call as u32));
                }
            })
        });
        for task in join_all(tasks).await {
            task.unwrap();
        }
    }
}
