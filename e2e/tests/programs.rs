//! Programs that are killed or stopped under load, and what is left of their conversations.

mod stage;

use std::time::{Duration, Instant};

use sente_e2e::{Entry, Mode, Proxy};
use stage::{AMPLE, Stage, is_closed, is_fresh, is_resumed};

const CARRIERS: [&str; 3] = ["auto", "websocket", "poll"];
/// Silence after which a carrier is dead, in these tests.
const SILENCE: Duration = Duration::from_secs(2);
/// A sleep that every client notices, and that is shorter than the silence of the default.
const ASLEEP: Duration = Duration::from_secs(17);

#[tokio::test]
async fn a_server_that_is_killed_under_load() {
    let mut stage = Stage::set(&[]).await;
    for carrier in CARRIERS {
        stage.enter(&stage.url(), carrier);
    }
    for _ in 0..3 {
        stage.count(50).await;
        let killed = Instant::now();
        stage.restart().await;
        for client in stage.clients() {
            client
                .until("a fresh session", killed, is_fresh("Restarted"))
                .await;
        }
    }
    stage.count(50).await;
    let summary = stage.end().await;
    assert_eq!(summary.sessions, 4 * CARRIERS.len());
    assert!(summary.calls > 100, "{summary:?}");
}

#[tokio::test]
async fn a_client_that_is_killed_under_load() {
    let silence = SILENCE.as_millis() as u64;
    let mut stage = Stage::set(&[("silence", silence), ("window", 1_000)]).await;
    stage.enter(&stage.url(), "auto");
    for carrier in CARRIERS {
        stage.enter(&stage.url(), carrier);
        stage.count(50).await;
        let killed = Instant::now();
        stage.kill_client(1).await;
        // Nobody comes back, and the window passes.
        let is_over = |entry: &Entry| match entry {
            Entry::Ended { reason, back, .. } => Some((reason.clone(), back.len())),
            _ => None,
        };
        let (_, (reason, back)) = stage.server().until("the end", killed, is_over).await;
        assert_eq!(reason, "Silent");
        assert!(back > 0, "what was sent meanwhile comes back");
    }
    stage.count(50).await;
    let summary = stage.end().await;
    assert_eq!(summary.sessions, 1 + CARRIERS.len());
}

#[tokio::test]
async fn a_server_that_stands_still_for_longer_than_silence() {
    let mut stage = Stage::set(&[("silence", SILENCE.as_millis() as u64)]).await;
    for carrier in CARRIERS {
        stage.enter(&stage.url(), carrier);
    }
    stage.count(50).await;
    let stopped = Instant::now();
    stage.server().freeze(true).await;
    for client in stage.clients() {
        let (noticed, ()) = client.until("the silence", stopped, is_closed).await;
        assert!(
            noticed - stopped < SILENCE + AMPLE,
            "{:?}",
            noticed - stopped
        );
    }
    let goes_on = Instant::now();
    stage.server().freeze(false).await;
    for client in stage.clients() {
        client.until("the session", goes_on, is_resumed).await;
    }
    stage.count(50).await;
    let summary = stage.end().await;
    assert_eq!(summary.sessions, CARRIERS.len());
}

#[tokio::test]
async fn a_client_that_stands_still_for_longer_than_silence() {
    let mut stage = Stage::set(&[("silence", SILENCE.as_millis() as u64)]).await;
    for carrier in CARRIERS {
        stage.enter(&stage.url(), carrier);
    }
    stage.count(50).await;
    for client in stage.clients() {
        client.freeze(true).await;
    }
    tokio::time::sleep(SILENCE * 2).await;
    let goes_on = Instant::now();
    for client in stage.clients() {
        client.freeze(false).await;
    }
    for client in stage.clients() {
        let (back, ()) = client.until("the session", goes_on, is_resumed).await;
        assert!(back - goes_on < AMPLE, "{:?}", back - goes_on);
    }
    stage.count(50).await;
    let summary = stage.end().await;
    assert_eq!(summary.sessions, CARRIERS.len());
}

/// With the default of 30 s of silence: the client has to see by itself that it has slept, and that its
/// connections are dead. One that polls needs only new ones.
#[tokio::test]
async fn a_client_that_wakes_with_a_dead_connection() {
    let mut stage = Stage::set(&[]).await;
    let proxy = Proxy::start(stage.address(), Mode::Pass).await;
    for carrier in CARRIERS {
        stage.enter(&proxy.url(), carrier);
    }
    stage.count(50).await;
    for client in stage.clients() {
        client.freeze(true).await;
    }
    proxy.go_dead();
    tokio::time::sleep(ASLEEP).await;
    let goes_on = Instant::now();
    for client in stage.clients() {
        client.freeze(false).await;
    }
    stage.count(50).await;
    assert!(goes_on.elapsed() < AMPLE, "{:?}", goes_on.elapsed());
    let summary = stage.end().await;
    assert_eq!(summary.sessions, CARRIERS.len());
}

#[tokio::test]
async fn a_client_that_stands_still_for_longer_than_the_window() {
    let silence = SILENCE.as_millis() as u64;
    let mut stage = Stage::set(&[("silence", silence), ("window", silence)]).await;
    for carrier in CARRIERS {
        stage.enter(&stage.url(), carrier);
    }
    stage.count(50).await;
    let stopped = Instant::now();
    for client in stage.clients() {
        client.freeze(true).await;
    }
    let is_over = |entry: &Entry| matches!(entry, Entry::Ended { .. });
    stage
        .server()
        .so_many("ends", CARRIERS.len(), is_over)
        .await;
    assert!(stopped.elapsed() < SILENCE * 2 + AMPLE);
    let goes_on = Instant::now();
    for client in stage.clients() {
        client.freeze(false).await;
    }
    for client in stage.clients() {
        client
            .until("a fresh session", goes_on, is_fresh("Expired"))
            .await;
    }
    stage.count(50).await;
    let summary = stage.end().await;
    assert_eq!(summary.sessions, 2 * CARRIERS.len());
}
