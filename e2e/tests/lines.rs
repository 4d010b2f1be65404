//! Programs that count over lines that stall, cut, swallow, are late, slow, or half dead.

mod stage;

use std::time::{Duration, Instant};

use sente_e2e::{Line, Mode, Proxy, Way};
use stage::{AMPLE, Stage, is_closed, is_resumed};

const CARRIERS: [&str; 3] = ["auto", "websocket", "poll"];
/// Silence after which a carrier is dead, in these tests.
const SILENCE: Duration = Duration::from_secs(2);

/// Clients that count through a proxy.
async fn counting(carriers: &[&str]) -> (Stage, Proxy) {
    let mut stage = Stage::set(&[("silence", SILENCE.as_millis() as u64)]).await;
    let proxy = Proxy::start(stage.address(), Mode::Pass).await;
    for carrier in carriers {
        stage.enter(&proxy.url(), carrier);
    }
    stage.count(20).await;
    (stage, proxy)
}

async fn ends_as_it_began(mut stage: Stage, carriers: &[&str]) {
    stage.count(20).await;
    let summary = stage.end().await;
    assert_eq!(summary.sessions, carriers.len(), "all sessions went on");
}

#[tokio::test]
async fn cuts_in_the_middle_of_frames() {
    let (mut stage, proxy) = counting(&CARRIERS).await;
    for cut in 0..30 {
        let way = if cut % 2 == 0 { Way::Up } else { Way::Down };
        // Within a head, within a frame, at its end: wherever it happens to be.
        let cut = proxy.cut_after(way, 1 + cut * 37 % 400);
        sente_e2e::soon("the cut", cut).await.unwrap();
        stage.count(1).await;
    }
    ends_as_it_began(stage, &CARRIERS).await;
}

#[tokio::test]
async fn a_line_that_is_dead_without_a_word() {
    for mode in [Mode::Stall, Mode::StallAnswers, Mode::Freeze] {
        let (mut stage, proxy) = counting(&CARRIERS).await;
        let dead = Instant::now();
        proxy.set(mode);
        for client in stage.clients() {
            let (noticed, ()) = client.until("the silence", dead, is_closed).await;
            let took = noticed - dead;
            assert!(took < SILENCE + AMPLE, "{took:?}");
        }
        // What was under way is lost with its connections.
        let alive = Instant::now();
        proxy.cut();
        proxy.set(Mode::Pass);
        for client in stage.clients() {
            client.until("the session", alive, is_resumed).await;
        }
        ends_as_it_began(stage, &CARRIERS).await;
    }
}

#[tokio::test]
async fn a_line_that_stands_still_for_a_moment_again_and_again() {
    let (mut stage, proxy) = counting(&CARRIERS).await;
    for _ in 0..5 {
        proxy.set(Mode::Freeze);
        tokio::time::sleep(SILENCE / 4).await;
        proxy.set(Mode::Pass);
        stage.count(5).await;
    }
    ends_as_it_began(stage, &CARRIERS).await;
}

#[tokio::test]
async fn a_line_that_is_late_unsteady_and_slow() {
    let (mut stage, proxy) = counting(&CARRIERS).await;
    let late = Line::delayed(Duration::from_millis(80));
    for line in [
        late.jitter(Duration::from_millis(80)),
        late.bytes_per_second(20_000),
        Line::default().bytes_per_second(8_000),
    ] {
        proxy.set_line(line);
        proxy.cut();
        stage.count(20).await;
    }
    ends_as_it_began(stage, &CARRIERS).await;
}

#[tokio::test]
async fn a_proxy_that_changes_its_mind_about_websockets() {
    // One that may not poll would wait for the proxy to change its mind again.
    let carriers = ["auto", "auto", "poll"];
    let (mut stage, proxy) = counting(&carriers).await;
    for mode in [
        Mode::SwallowFrames,
        Mode::Pass,
        Mode::RefuseUpgrade,
        Mode::SwallowAnswers,
        Mode::Pass,
    ] {
        proxy.set(mode);
        proxy.cut();
        stage.count(20).await;
    }
    ends_as_it_began(stage, &carriers).await;
}
