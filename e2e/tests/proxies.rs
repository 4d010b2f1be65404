//! nginx and haproxy between server and clients, with and without WebSockets, impatient, and reloaded
//! in the middle.

mod between;
mod stage;

use std::time::Instant;

use between::{Between, Kind, Setup};
use sente_e2e::Entry;
use stage::{Stage, is_closed, is_resumed};

/// Clients that count through a proxy: one that chooses, one that polls.
const CARRIERS: [&str; 2] = ["auto", "poll"];

async fn counting(kind: Kind, setup: Setup, pause: u64) -> (Stage, Between) {
    let mut stage = Stage::set(&[("pause", pause)]).await;
    stage.clients_pause(pause);
    let between = Between::start(kind, stage.address(), setup).await;
    for carrier in CARRIERS {
        stage.enter(&between.url(), carrier);
    }
    stage.count(2).await;
    (stage, between)
}

async fn all_went_on(stage: Stage) {
    let summary = stage.end().await;
    assert_eq!(summary.sessions, CARRIERS.len(), "all sessions went on");
}

/// Whether a client has ever been served by that carrier.
fn served(stage: &mut Stage, place: usize, by_polling: bool) -> bool {
    let client = stage.clients().nth(place).unwrap();
    let mut entries = client.entries().into_iter();
    entries.any(|entry| matches!(entry, Entry::Open { polls, .. } if polls == by_polling))
}

async fn passes_everything(kind: Kind) {
    let (mut stage, _between) = counting(kind, Setup::default(), 10).await;
    stage.count(200).await;
    assert!(served(&mut stage, 0, false) && !served(&mut stage, 0, true));
    all_went_on(stage).await;
}

async fn passes_no_websockets(kind: Kind) {
    let setup = Setup {
        no_upgrade: true,
        ..Setup::default()
    };
    let (mut stage, _between) = counting(kind, setup, 10).await;
    stage.count(200).await;
    assert!(!served(&mut stage, 0, false) && served(&mut stage, 0, true));
    all_went_on(stage).await;
}

/// It gives up on polls that the server still holds, and on WebSockets on which nobody speaks.
async fn is_impatient(kind: Kind) {
    let setup = Setup {
        patience: Some(1),
        ..Setup::default()
    };
    let (mut stage, _between) = counting(kind, setup, 1_700).await;
    stage.count(3).await;
    let client = stage.clients().next().unwrap();
    let closed = client
        .entries()
        .iter()
        .filter(|it| is_closed(it).is_some())
        .count();
    assert!(closed > 0, "its patience never ended");
    all_went_on(stage).await;
}

async fn is_reloaded(kind: Kind) {
    let (mut stage, mut between) = counting(kind, Setup::default(), 10).await;
    for _ in 0..3 {
        stage.count(20).await;
        let reloaded = Instant::now();
        between.reload().await;
        // The old process takes its WebSockets with it.
        let client = stage.clients().next().unwrap();
        client.until("the session", reloaded, is_resumed).await;
        stage.count(20).await;
    }
    all_went_on(stage).await;
}

#[tokio::test]
async fn nginx_that_passes_everything() {
    passes_everything(Kind::Nginx).await;
}

#[tokio::test]
async fn nginx_that_passes_no_websockets() {
    passes_no_websockets(Kind::Nginx).await;
}

#[tokio::test]
async fn nginx_that_is_impatient() {
    is_impatient(Kind::Nginx).await;
}

#[tokio::test]
async fn nginx_that_is_reloaded() {
    is_reloaded(Kind::Nginx).await;
}

#[tokio::test]
async fn haproxy_that_passes_everything() {
    passes_everything(Kind::Haproxy).await;
}

#[tokio::test]
async fn haproxy_that_passes_no_websockets() {
    passes_no_websockets(Kind::Haproxy).await;
}

#[tokio::test]
async fn haproxy_that_is_impatient() {
    is_impatient(Kind::Haproxy).await;
}

#[tokio::test]
async fn haproxy_that_is_reloaded() {
    is_reloaded(Kind::Haproxy).await;
}
