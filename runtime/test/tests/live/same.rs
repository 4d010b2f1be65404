//! The same seed does the same thing again; another does something else; nothing is lost.

use futures_util::StreamExt;
use futures_util::future::join_all;
use sente_client::CarrierChoice;
use sente_test::{Network, Sockets, advance, ms, run, secs};

use crate::house::{House, Log, client, configure, server};

/// All that can go wrong with a network.
fn stormy(seed: u64) -> Network {
    Network::seeded(seed)
        .delay(ms(20)..ms(300))
        .loss(0.1)
        .repeat(0.1)
        .sockets(&[
            Sockets::Work,
            Sockets::Work,
            Sockets::Refused,
            Sockets::Swallowed,
            Sockets::Hang,
            Sockets::Deaf,
            Sockets::Greeted,
            Sockets::Brief,
        ])
        .cut_every(secs(7))
        .half_open_every(secs(9))
        .offline_every(secs(20))
}

/// Six clients of three users talk for a minute, while the server is started anew, one of them
/// crashes, one is kicked, and one goes from carrier to carrier.
fn a_busy_minute(seed: u64) -> Vec<String> {
    run(stormy(seed), async |net| {
        let log = Log::new();
        let mut running = net.serve(server(&log));
        let uplink = net.uplink();
        let mut clients = vec![configure(uplink.client(), "crashing", &log).connect()];
        for name in ["ann", "ann", "bob", "bob", "eve"] {
            clients.push(client(&net, name, &log).connect());
        }
        for (place, client) in clients.iter().enumerate() {
            let (mut states, log) = (client.states(), log.clone());
            tokio::spawn(async move {
                while let Some(change) = states.next().await {
                    let new = change.new;
                    log.note(format!(
                        "client {place}: {:?} {:?}",
                        new.carrier, new.session
                    ));
                }
            });
        }
        for round in 0..30 {
            for (place, client) in clients.iter().enumerate() {
                let number = round * 10 + place as u32;
                let _ = House::to_server(client).say(number);
                let (double, log) = (House::to_server(client).double(number), log.clone());
                tokio::spawn(async move {
                    log.note(format!("answer to {place}: {:?}", double.await));
                });
            }
            advance(secs(2)).await;
            match round {
                8 => uplink.crash(),
                12 => clients[1].set_carrier(CarrierChoice::Poll),
                14 => {
                    let peers = running.user("eve").peers();
                    for peer in peers {
                        running.kick(peer.session(), "enough");
                    }
                }
                18 => running = net.serve(server(&log)),
                22 => {
                    running.shutdown(secs(3)).await;
                    running = net.serve(server(&log));
                }
                _ => {}
            }
        }
        log.lines()
    })
}

#[test]
fn the_same_seed_does_the_same_thing_again() {
    for seed in 0..4 {
        let (one, two) = (a_busy_minute(seed), a_busy_minute(seed));
        assert!(one.len() > 300, "seed {seed} did only {}", one.len());
        let differs = one.iter().zip(&two).position(|(one, two)| one != two);
        if let Some(place) = differs {
            let shown = |lines: &[String]| lines[place.saturating_sub(3)..=place].join("\n");
            panic!("seed {seed} differs:\n{}\n\n{}", shown(&one), shown(&two));
        }
        assert_eq!(one.len(), two.len());
        assert_ne!(one, a_busy_minute(seed + 100));
    }
}

#[test]
fn nothing_is_lost_or_repeated_or_overtakes_on_a_stormy_network() {
    for seed in 0..20 {
        for carrier in [
            CarrierChoice::Auto,
            CarrierChoice::WebSocket,
            CarrierChoice::Poll,
        ] {
            let network = stormy(seed).sockets(&[Sockets::Work]);
            run(network, async |net| {
                let log = Log::new();
                let _server = net.serve(server(&log));
                let ann = client(&net, "ann", &log).carrier(carrier).connect();
                let house = House::to_server(&ann);
                let mut doubles = Vec::new();
                for number in 0..60 {
                    house.say(number).unwrap();
                    let double = house.double(number).timeout(secs(300));
                    doubles.push(tokio::spawn(double));
                    advance(ms(200)).await;
                }
                for (number, double) in (0..).zip(join_all(doubles).await) {
                    assert_eq!(double.unwrap(), Ok(number * 2));
                }
                let heard = |by: &str| -> Vec<String> {
                    let expected = |number| format!("{by} hears {number} of ann");
                    (0..60).map(expected).collect()
                };
                assert_eq!(log.with("server hears"), heard("server"));
                // What was pushed may still be under way.
                while log.with("ann hears").len() < 60 {
                    advance(secs(1)).await;
                }
                assert_eq!(log.with("ann hears"), heard("ann"));
                assert_eq!(log.with("server doubles").len(), 60);
            });
        }
    }
}
