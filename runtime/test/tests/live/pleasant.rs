//! How soon a connection is of use: exact, since time is virtual and every way takes 50 ms.

use std::time::Duration;

use futures_util::StreamExt;
use sente_client::{Carrier, CarrierChoice, Client};
use sente_test::{Network, Sockets, advance, ms, run, secs};
use tokio::time::Instant;

use crate::house::{House, Log, client, configure, server};

const WAY: Duration = ms(50);
const ROUND_TRIP: Duration = ms(100);

fn network(seed: u64) -> Network {
    Network::seeded(seed).delay(WAY..WAY)
}

/// How long it took until the client was connected, and until the server heard the first event.
fn first_event(network: Network, carrier: CarrierChoice) -> (Duration, Duration, Carrier) {
    run(network, async |net| {
        let log = Log::new();
        let _server = net.serve(server(&log));
        let began = Instant::now();
        let ann = client(&net, "ann", &log).carrier(carrier).connect();
        House::to_server(&ann).say(1).unwrap();
        ann.ready().await.unwrap();
        let ready = began.elapsed();
        while log.with("server hears 1").is_empty() {
            advance(ms(1)).await;
        }
        let carrier = ann.state().carrier.expect("it is connected");
        (ready, began.elapsed(), carrier)
    })
}

#[test]
fn the_first_event_is_through_a_round_trip_after_the_handshake_at_most() {
    for carrier in [CarrierChoice::Auto, CarrierChoice::Poll] {
        let (ready, heard, _) = first_event(network(1), carrier);
        let then = heard - ready;
        assert!(then <= ROUND_TRIP, "{carrier:?}: {then:?} after {ready:?}");
    }
    // The connection, the upgrade and the hello take a round trip each, and the server looks up who
    // it is.
    let (ready, ..) = first_event(network(1), CarrierChoice::Auto);
    assert!(ready <= ROUND_TRIP * 3 + ms(30), "{ready:?}");
}

#[test]
fn behind_a_proxy_without_websockets_the_first_event_is_through_in_a_second_and_a_half() {
    for (sockets, bound) in [
        (Sockets::Refused, ms(800)),
        (Sockets::Swallowed, ms(1_500)),
        (Sockets::Hang, ms(1_500)),
    ] {
        for seed in 0..10 {
            let network = network(seed).sockets(&[sockets]);
            let (_, heard, carrier) = first_event(network, CarrierChoice::Auto);
            assert!(heard <= bound, "{sockets:?}, seed {seed}: {heard:?}");
            assert_eq!(carrier, Carrier::Poll);
        }
    }
}

/// When the client moved to a WebSocket, counted from when it began to poll.
async fn way_back(client: &Client) -> Duration {
    let mut states = client.states();
    let mut polls_since = None;
    while let Some(change) = states.next().await {
        match change.new.carrier {
            Some(Carrier::Poll) => {
                polls_since.get_or_insert_with(Instant::now);
            }
            Some(Carrier::WebSocket) => break,
            None => {}
        }
    }
    polls_since.map_or(Duration::ZERO, |since| since.elapsed())
}

#[test]
fn the_first_websocket_that_works_is_moved_to() {
    let mut moved = 0;
    for seed in 0..30 {
        let network = network(seed).sockets(&[Sockets::Refused, Sockets::Work]);
        let took = run(network, async |net| {
            let log = Log::new();
            let _server = net.serve(server(&log));
            let ann = client(&net, "ann", &log).connect();
            way_back(&ann).await
        });
        if took == Duration::ZERO {
            continue;
        }
        moved += 1;
        // After 5 s, and then after twice as long each time, counted from when the last one failed.
        // The try that is let through is the one that moves.
        let tries = [5, 15, 35, 75, 155, 315, 615].map(secs);
        let is_at_a_try = tries.iter().any(|at| took >= *at && took <= *at + secs(2));
        assert!(is_at_a_try, "seed {seed}: {took:?}");
    }
    assert!(moved >= 10, "{moved} of 30 began by polling");
}

#[test]
fn a_client_that_is_woken_is_of_use_again_within_a_second_and_a_handshake() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        run(network(4), async |net| {
            let log = Log::new();
            let _server = net.serve(server(&log));
            let uplink = net.uplink();
            let ann = configure(uplink.client(), "ann", &log)
                .carrier(carrier)
                .connect();
            ann.ready().await.unwrap();
            advance(secs(2)).await;
            let call = || House::to_server(&ann).double(7).timeout(secs(60));

            // Its connection is alive: nothing changes, but that polling takes new connections.
            ann.wake();
            let began = Instant::now();
            assert_eq!(call().await, Ok(14));
            assert!(began.elapsed() <= ROUND_TRIP * 4, "{:?}", began.elapsed());
            assert_eq!(ann.state().last_close, None);

            // It is dead, and nobody has said so.
            uplink.half_open();
            ann.wake();
            let began = Instant::now();
            assert_eq!(call().await, Ok(14));
            let took = began.elapsed();
            assert!(took <= secs(1) + ROUND_TRIP * 5, "{carrier:?}: {took:?}");
        });
    }
}
