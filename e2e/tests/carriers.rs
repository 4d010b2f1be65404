//! Proxies that refuse, swallow and pass: the client gets through each, and comes back to WebSocket.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use sente_client::{Carrier, CarrierChoice, Client};
use sente_e2e::{Host, Line, Mode, PATIENCE, Proxy, Talk, connect, soon};

/// Waits until the client is connected by that carrier.
async fn served_by(client: &Client, carrier: Carrier) {
    let mut changes = client.states();
    if client.state().carrier == Some(carrier) {
        return;
    }
    let wanted = async {
        while let Some(change) = changes.next().await {
            if change.new.carrier == Some(carrier) {
                return;
            }
        }
    };
    soon("the other carrier", wanted).await;
}

async fn gets_through(mode: Mode, first: Carrier) {
    let mut host = Host::start(|builder| builder).await;
    let proxy = Proxy::start(host.address(), mode).await;
    let begun = Instant::now();
    let (client, _heard) = connect(&proxy.url(), CarrierChoice::Auto, |builder| builder);
    Talk::to_server(&client).count(1).unwrap();
    assert_eq!(soon("the first event", host.heard.recv()).await, Some(1));
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    served_by(&client, first).await;

    // A call is in flight while the session moves up, and neither notices the other.
    let call = tokio::spawn(Talk::to_server(&client).wait(8_000));
    let tries = proxy.upgrades();
    proxy.set(Mode::Pass);
    served_by(&client, Carrier::WebSocket).await;
    let more = u64::from(first == Carrier::Poll);
    assert_eq!(proxy.upgrades() - tries, more, "the next try succeeds");
    let answer = tokio::time::timeout(PATIENCE, call).await.unwrap().unwrap();
    assert_eq!(answer, Ok(8_000));
    assert_eq!(host.waits.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(host.server.connected().clients().len(), 1);
}

#[tokio::test]
async fn nothing_between() {
    gets_through(Mode::Pass, Carrier::WebSocket).await;
}

#[tokio::test]
async fn a_proxy_that_refuses_the_upgrade() {
    gets_through(Mode::RefuseUpgrade, Carrier::Poll).await;
}

#[tokio::test]
async fn a_proxy_that_swallows_websocket_frames() {
    gets_through(Mode::SwallowFrames, Carrier::Poll).await;
}

#[tokio::test]
async fn a_proxy_that_swallows_the_answers_on_a_websocket() {
    gets_through(Mode::SwallowAnswers, Carrier::Poll).await;
}

#[tokio::test]
async fn the_first_event_goes_with_the_first_connection() {
    let mut host = Host::start(|builder| builder).await;
    let proxy = Proxy::start(host.address(), Mode::Pass).await;
    proxy.set_line(Line::delayed(Duration::from_millis(100)));
    let begun = Instant::now();
    let (client, _heard) = connect(&proxy.url(), CarrierChoice::Auto, |builder| builder);
    Talk::to_server(&client).count(1).unwrap();
    assert_eq!(soon("the first event", host.heard.recv()).await, Some(1));
    // Three round trips and a half: for TCP, for the upgrade, for the hello, and to the server.
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(700), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_session_moves_between_carriers_under_load_and_both_sides_count_on() {
    const UP_TO: u64 = 3_000;
    let mut host = Host::start(|builder| builder).await;
    let (client, mut heard) = connect(&host.url(), CarrierChoice::Auto, |builder| builder);
    soon("the first handshake", client.ready()).await.unwrap();
    let talk = Talk::to_server(&client);
    let mover = client.clone();
    let mover = tokio::spawn(async move {
        for carrier in [
            CarrierChoice::Poll,
            CarrierChoice::WebSocket,
            CarrierChoice::Poll,
            CarrierChoice::Auto,
            CarrierChoice::WebSocket,
        ] {
            mover.set_carrier(carrier);
            let kind = if carrier == CarrierChoice::Poll {
                Carrier::Poll
            } else {
                Carrier::WebSocket
            };
            served_by(&mover, kind).await;
        }
    });
    talk.count_back(1, UP_TO).unwrap();
    for number in 1..=UP_TO {
        talk.count(number).unwrap();
        if number % 50 == 0 {
            // The other side's answer paces this side, so that moves fall between events.
            assert_eq!(soon("an echo", talk.echo("on")).await, Ok("on".to_owned()));
        }
    }
    for number in 1..=UP_TO {
        assert_eq!(soon("a number", host.heard.recv()).await, Some(number));
        assert_eq!(soon("a number back", heard.recv()).await, Some(number));
    }
    soon("the last move", mover).await.unwrap();
    assert!(
        host.heard.try_recv().is_err() && heard.try_recv().is_err(),
        "nothing came twice"
    );
}

#[tokio::test]
async fn a_server_asks_a_client_that_polls() {
    let host = Host::start(|builder| builder).await;
    let (client, _heard) = connect(&host.url(), CarrierChoice::Poll, |builder| builder);
    let answer = soon("the answer", Talk::to_server(&client).ask_back()).await;
    assert_eq!(answer, Ok("you asked who?".to_owned()));
}
