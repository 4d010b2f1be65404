//! Two bugs of the kind that users have, and how a network with a seed finds them. The book's
//! chapter on testing shows this code.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join;
use sente::{Link, Peer, Routes, ToServer};
use sente_client::{Client, ClientBuilder};
use sente_server::Server;
use sente_test::{Network, advance, ms, run, secs};
use serde::{Deserialize, Serialize};

// ANCHOR: contract
#[derive(Debug, Deserialize, PartialEq, sente::Schema, Serialize)]
struct Taken;

#[sente::events]
enum Booking {
    /// Buys a seat.
    #[to_server(reply = (), error = Taken)]
    Book { seat: u32 },

    /// Wants to hear of each seat that is sold.
    #[to_server]
    Watch,

    #[to_client]
    Sold { seat: u32 },
}
// ANCHOR_END: contract

/// Asks the bank, which takes its time.
async fn charge(_who: &Peer) {
    tokio::time::sleep(ms(150)).await;
}

// ANCHOR: careless
struct Careless {
    server: Server,
    sold: Mutex<BTreeSet<u32>>,
}

impl BookingServer for Careless {
    async fn book(&self, from: &Peer, seat: u32) -> Result<(), Taken> {
        if self.sold.lock().unwrap().contains(&seat) {
            return Err(Taken);
        }
        charge(from).await;
        self.sold.lock().unwrap().insert(seat);
        Booking::to_clients(self.server.room("watching")).sold(seat);
        Ok(())
    }

    async fn watch(&self, from: &Peer) {
        self.server.join(from, "watching");
    }
}
// ANCHOR_END: careless

struct Careful {
    server: Server,
    sold: Mutex<BTreeSet<u32>>,
}

impl BookingServer for Careful {
    // ANCHOR: careful
    async fn book(&self, from: &Peer, seat: u32) -> Result<(), Taken> {
        // Taken before anything is awaited: nobody comes in between.
        if !self.sold.lock().unwrap().insert(seat) {
            return Err(Taken);
        }
        charge(from).await;
        Booking::to_clients(self.server.room("watching")).sold(seat);
        Ok(())
    }
    // ANCHOR_END: careful

    async fn watch(&self, from: &Peer) {
        self.server.join(from, "watching");
    }
}

fn careless(server: Server) -> Routes<ToServer> {
    let sold = Mutex::default();
    Booking::server(Careless { server, sold })
}

fn careful(server: Server) -> Routes<ToServer> {
    let sold = Mutex::default();
    Booking::server(Careful { server, sold })
}

// ANCHOR: sold_once
fn a_seat_is_sold_once(seed: u64, hall: fn(Server) -> Routes<ToServer>) {
    let network = Network::seeded(seed).delay(ms(5)..ms(300)).loss(0.1);
    run(network, async |net| {
        net.serve(Server::builder().serve(hall));
        let ann = net.client().contract::<Booking>().connect();
        let bob = net.client().contract::<Booking>().connect();
        let by_ann = Booking::to_server(&ann).book(7);
        let by_bob = Booking::to_server(&bob).book(7);
        let (by_ann, by_bob) = join(by_ann, by_bob).await;
        let sold = [by_ann, by_bob].iter().filter(|sale| sale.is_ok()).count();
        assert_eq!(sold, 1, "how often seat 7 is sold");
    });
}
// ANCHOR_END: sold_once

#[test]
#[should_panic(expected = "how often seat 7 is sold")]
fn the_careless_hall_sells_a_seat_twice() {
    for seed in 0..50 {
        a_seat_is_sold_once(seed, careless);
    }
}

// ANCHOR: seeds
#[test]
fn the_careful_hall_sells_a_seat_once() {
    for seed in 0..50 {
        a_seat_is_sold_once(seed, careful);
    }
}
// ANCHOR_END: seeds

// ANCHOR: board
/// Shows what is sold.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<Vec<u32>>>);

impl BookingClient for Board {
    async fn sold(&self, _: &Link, seat: u32) {
        self.0.lock().unwrap().push(seat);
    }
}

/// Begins to watch, once.
fn watch_once(builder: ClientBuilder) -> Client {
    let client = builder.connect();
    Booking::to_server(&client).watch().ok();
    client
}
// ANCHOR_END: board

// ANCHOR: watch_always
/// Begins to watch in each session anew: the server's rooms know sessions, not people.
fn watch_always(builder: ClientBuilder) -> Client {
    let mut states = builder.states();
    let client = builder.connect();
    let booking = Booking::to_server(&client);
    tokio::spawn(async move {
        while let Some(change) = states.next().await {
            if change.new.open && change.new.session_id != change.old.session_id {
                booking.watch().ok();
            }
        }
    });
    client
}
// ANCHOR_END: watch_always

// ANCHOR: after_an_absence
fn a_board_shows_what_is_sold_after_an_absence_of(
    absence: Duration,
    watch: fn(ClientBuilder) -> Client,
) {
    run(Network::seeded(1), async |net| {
        let server = net.serve(Server::builder().serve(careful));
        let board = Board::default();
        let uplink = net.uplink();
        let _client = watch(uplink.client().serve(Booking::client(board.clone())));
        advance(secs(1)).await;
        assert_eq!(server.room("watching").count(), 1);

        uplink.offline();
        advance(absence).await;
        uplink.heal();
        advance(secs(60)).await;

        let bob = net.client().contract::<Booking>().connect();
        Booking::to_server(&bob).book(7).await.unwrap();
        advance(secs(1)).await;
        assert_eq!(*board.0.lock().unwrap(), [7], "what the board shows");
    });
}
// ANCHOR_END: after_an_absence

#[test]
fn a_session_outlives_a_short_absence() {
    a_board_shows_what_is_sold_after_an_absence_of(secs(60), watch_once);
    a_board_shows_what_is_sold_after_an_absence_of(secs(60), watch_always);
}

#[test]
#[should_panic(expected = "what the board shows")]
fn who_watches_once_misses_what_is_sold_after_a_long_absence() {
    a_board_shows_what_is_sold_after_an_absence_of(secs(300), watch_once);
}

#[test]
fn who_watches_in_each_session_misses_nothing() {
    a_board_shows_what_is_sold_after_an_absence_of(secs(300), watch_always);
}
