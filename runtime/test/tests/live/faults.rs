//! What is done to a network, and what clients and servers make of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::ConnectInfo;
use sente::Peer;
use sente_client::{CallError, Carrier, CarrierChoice, Client, FreshReason, SessionState};
use sente_test::{Net, Network, Sockets, Uplink, advance, ms, run, secs};
use tokio::time::Instant;

use crate::house::{House, Log, client, configure, server};

/// How long a call takes that finds no connection.
async fn a_call_takes(client: &Client) -> Duration {
    let began = Instant::now();
    let double = House::to_server(client).double(7).timeout(secs(600)).await;
    assert_eq!(double, Ok(14));
    began.elapsed()
}

async fn connected(net: &Net, carrier: CarrierChoice, log: &Log) -> (Uplink, Client) {
    let uplink = net.uplink();
    let client = configure(uplink.client(), "ann", log)
        .carrier(carrier)
        .connect();
    client.ready().await.unwrap();
    // The server keeps a session once it knows that its client has it.
    advance(secs(1)).await;
    (uplink, client)
}

#[test]
fn a_cut_is_seen_at_once_and_a_dead_connection_after_the_silence() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        run(Network::seeded(1), async |net| {
            let log = Log::new();
            let _server = net.serve(server(&log));
            let (uplink, client) = connected(&net, carrier, &log).await;
            let session = client.state().session_id;
            uplink.cut();
            let took = a_call_takes(&client).await;
            assert!(took < secs(2), "{took:?} after a cut by {carrier:?}");
            uplink.half_open();
            let took = a_call_takes(&client).await;
            assert!(took > secs(1) && took < secs(35), "{took:?} by {carrier:?}");
            assert_eq!(client.state().session_id, session);
            assert_eq!(log.with("server doubles").len(), 2);
        });
    }
}

/// Of the connections that polls are kept for, none is tried again that was cut with the others.
#[test]
fn a_cut_costs_busy_polls_no_more_than_a_new_connection() {
    for seed in 0..20 {
        run(Network::seeded(seed).delay(ms(10)..ms(20)), async |net| {
            let log = Log::new();
            let server = net.serve(server(&log));
            let (uplink, client) = connected(&net, CarrierChoice::Poll, &log).await;
            let pushes = async {
                for number in 0.. {
                    House::to_clients(server.everyone()).said("all", number);
                    advance(ms(20)).await;
                }
            };
            let cuts = async {
                advance(secs(2)).await;
                uplink.cut();
                a_call_takes(&client).await
            };
            let took = tokio::select! {
                () = pushes => unreachable!(),
                took = cuts => took,
            };
            assert!(took < ms(150), "{took:?} with seed {seed}");
        });
    }
}

#[test]
fn a_client_without_a_network_comes_back_into_its_session_or_is_told_that_it_is_over() {
    run(Network::seeded(2), async |net| {
        let log = Log::new();
        let server = net.serve(server(&log));
        let (uplink, client) = connected(&net, CarrierChoice::Auto, &log).await;
        uplink.offline();
        advance(secs(60)).await;
        assert!(!client.state().open);
        uplink.heal();
        let took = a_call_takes(&client).await;
        assert!(took < secs(35), "{took:?}");
        assert_eq!(client.state().session, Some(SessionState::Resumed));

        uplink.offline();
        advance(secs(200)).await;
        let of_the_old_session = House::to_server(&client).double(7);
        uplink.heal();
        let maybe_executed = false;
        let outcome = of_the_old_session.await;
        assert_eq!(outcome, Err(CallError::Disconnected { maybe_executed }));
        a_call_takes(&client).await;
        let reason = FreshReason::Expired;
        assert_eq!(client.state().session, Some(SessionState::Fresh { reason }));
        assert_eq!(server.user("ann").count(), 1);
    });
}

#[test]
fn one_client_without_a_network_does_not_disturb_another() {
    run(Network::seeded(3), async |net| {
        let log = Log::new();
        let server = net.serve(server(&log));
        let (uplink, _ann) = connected(&net, CarrierChoice::Auto, &log).await;
        let bob = client(&net, "bob", &log).connect();
        bob.ready().await.unwrap();
        uplink.offline();
        let took = a_call_takes(&bob).await;
        assert!(took < secs(1), "{took:?}");
        let peers = server.everyone().peers();
        let address = |peer: &Peer| {
            let info = peer.request().extensions.get::<ConnectInfo<SocketAddr>>();
            info.unwrap().0
        };
        assert_ne!(address(&peers[0]), address(&peers[1]));
    });
}

#[test]
fn proxies_do_what_they_are_told_to() {
    for (sockets, within) in [
        (Sockets::Refused, ms(500)),
        (Sockets::Swallowed, ms(1_500)),
        (Sockets::Hang, ms(1_500)),
        (Sockets::Greeted, ms(500)),
        // The server has answered by WebSocket first, and polling waits a while for that.
        (Sockets::Deaf, ms(2_000)),
    ] {
        run(Network::seeded(4).sockets(&[sockets]), async |net| {
            let log = Log::new();
            let _server = net.serve(server(&log));
            let client = client(&net, "ann", &log).connect();
            let took = a_call_takes(&client).await;
            assert!(took < within, "{took:?} where sockets {sockets:?}");
            assert_eq!(client.state().carrier, Some(Carrier::Poll));
        });
    }
    run(Network::seeded(4).blocks_posts(), async |net| {
        let log = Log::new();
        let _server = net.serve(server(&log));
        let client = client(&net, "ann", &log).connect();
        a_call_takes(&client).await;
        assert_eq!(client.state().carrier, Some(Carrier::WebSocket));
        client.set_carrier(CarrierChoice::Poll);
        advance(secs(5)).await;
        assert!(!client.state().open);
    });
}

/// While polling serves, a WebSocket that is tried is nobody's business, whatever becomes of it.
#[test]
fn proxies_that_let_no_websocket_through_disturb_nobody_who_polls() {
    for sockets in [Sockets::Swallowed, Sockets::Deaf, Sockets::Greeted] {
        run(Network::seeded(4).sockets(&[sockets]), async |net| {
            let log = Log::new();
            let _server = net.serve(server(&log));
            let client = client(&net, "ann", &log).connect();
            client.ready().await.unwrap();
            let closed = client.state().last_close.clone();
            for _ in 0..60 {
                let took = a_call_takes(&client).await;
                assert!(took < ms(200), "{took:?} where sockets {sockets:?}");
                advance(secs(1)).await;
            }
            assert_eq!(client.state().last_close, closed);
        });
    }
}

#[test]
fn where_no_websocket_lasts_polling_serves() {
    run(Network::seeded(4).sockets(&[Sockets::Brief]), async |net| {
        let log = Log::new();
        let _server = net.serve(server(&log));
        let client = client(&net, "ann", &log).connect();
        let mut polls = 0;
        for _ in 0..60 {
            a_call_takes(&client).await;
            polls += usize::from(client.state().carrier == Some(Carrier::Poll));
            advance(secs(1)).await;
        }
        assert!(polls > 40, "{polls} of 60 by polling");
    });
}

/// What a network does to polls can be seen by how many requests the server gets.
#[test]
fn polls_are_lost_repeated_and_broken_off() {
    let talk = |network: Network| {
        run(network, async |net| {
            let log = Log::new();
            let requests = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&requests);
            let builder = server(&log).admit(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok(())
            });
            let _server = net.serve(builder);
            let (_, client) = connected(&net, CarrierChoice::Poll, &log).await;
            for number in 0..50 {
                House::to_server(&client).say(number).unwrap();
                a_call_takes(&client).await;
            }
            advance(secs(60)).await;
            let heard = |number| format!("ann hears {number} of ann");
            assert_eq!(
                log.with("ann hears"),
                (0..50).map(heard).collect::<Vec<_>>()
            );
            assert_eq!(log.with("server doubles").len(), 50);
            requests.load(Ordering::Relaxed)
        })
    };
    let on_a_good_network = talk(Network::seeded(5));
    for network in [
        Network::seeded(5).loss(0.2),
        Network::seeded(5).repeat(0.5),
        Network::seeded(5).breaks_off(0.2),
    ] {
        let shown = format!("{network:?}");
        let requests = talk(network);
        assert!(
            requests > on_a_good_network * 11 / 10,
            "{requests} requests, {on_a_good_network} on a good network: {shown}"
        );
    }
}

#[test]
fn each_way_takes_its_time() {
    for (carrier, delay) in [
        (CarrierChoice::WebSocket, ms(30)..ms(40)),
        (CarrierChoice::Poll, ms(200)..ms(300)),
    ] {
        let network = Network::seeded(6)
            .only(Carrier::WebSocket, ms(30)..ms(40), 0.0)
            .only(Carrier::Poll, ms(200)..ms(300), 0.0);
        run(network, async |net| {
            let log = Log::new();
            let _server = net.serve(server(&log));
            let (_, client) = connected(&net, carrier, &log).await;
            for _ in 0..10 {
                let took = a_call_takes(&client).await;
                // A poll that is to bring the answer may just have been answered.
                let most = delay.end * 4 + ms(10);
                assert!(
                    took >= delay.start * 2 && took <= most,
                    "{took:?} by {carrier:?}"
                );
            }
        });
    }
}

#[test]
fn a_slow_line_takes_its_time() {
    let took = |bytes_per_second| {
        let network = Network::seeded(6).bytes_per_second(bytes_per_second);
        run(network, async |net| {
            let log = Log::new();
            let _server = net.serve(server(&log));
            let (_, client) = connected(&net, CarrierChoice::WebSocket, &log).await;
            let began = Instant::now();
            // A hundred bytes and more for each event.
            for number in 0..2_000 {
                House::to_server(&client).say(number).unwrap();
            }
            while log.with("ann hears").len() < 2_000 {
                advance(ms(100)).await;
            }
            began.elapsed()
        })
    };
    let (fast, slow) = (took(1024 * 1024), took(1024));
    assert!(fast < secs(2) && slow > secs(10), "{fast:?} and {slow:?}");
}
