//! What goes wrong between real sockets, and what becomes of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use sente_client::{CallError, CarrierChoice, Client, FreshReason, SessionState};
use sente_e2e::{Host, Mode, Proxy, Talk, connect, soon};

/// Waits until a handler of `wait` has begun.
async fn begun(host: &Host, count: u64) {
    let wanted = async {
        while host.waits.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
    };
    soon("a handler", wanted).await;
}

/// Waits until the client's session is fresh for that reason.
async fn is_fresh(client: &Client, reason: FreshReason) {
    let mut changes = client.states();
    let wanted = SessionState::Fresh { reason };
    if client.state().session == Some(wanted) {
        return;
    }
    let wanted = async {
        while let Some(change) = changes.next().await {
            if change.new.session == Some(wanted) {
                return;
            }
        }
    };
    soon("a fresh session", wanted).await;
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_call() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let host = Host::start(|builder| builder).await;
        let proxy = Proxy::start(host.address(), Mode::Pass).await;
        let (client, _heard) = connect(&proxy.url(), carrier, |builder| builder);
        let call = tokio::spawn(Talk::to_server(&client).wait(1_000));
        begun(&host, 1).await;
        proxy.cut();
        assert_eq!(soon("the answer", call).await.unwrap(), Ok(1_000));
        assert_eq!(
            host.waits.load(Ordering::SeqCst),
            1,
            "a call never runs twice"
        );
    }
}

#[tokio::test]
async fn a_handshake_answer_that_is_lost() {
    let host = Host::start(|builder| builder).await;
    let proxy = Proxy::start(host.address(), Mode::StallAnswers).await;
    let (client, _heard) = connect(&proxy.url(), CarrierChoice::Poll, |builder| builder);
    let mut accepted = proxy.accepted();
    soon("the hello", accepted.wait_for(|accepted| *accepted >= 1))
        .await
        .unwrap();
    // The hello has gone through, its answer will not.
    let answered = async {
        while host.server.sessions() == 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("the session", answered).await;
    proxy.set(Mode::Pass);
    proxy.cut();
    assert_eq!(
        soon("an echo", Talk::to_server(&client).echo("x")).await,
        Ok("x".to_owned())
    );
    assert_eq!(
        host.server.sessions(),
        1,
        "the same attempt is the same session"
    );
}

#[tokio::test]
async fn a_websocket_that_races_with_a_poll_makes_one_session() {
    let host = Host::start(|builder| builder).await;
    let proxy = Proxy::start(host.address(), Mode::SwallowAnswers).await;
    let (client, _heard) = connect(&proxy.url(), CarrierChoice::Auto, |builder| builder);
    assert_eq!(
        soon("an echo", Talk::to_server(&client).echo("x")).await,
        Ok("x".to_owned())
    );
    assert_eq!(host.server.sessions(), 1);
}

#[tokio::test]
async fn a_handler_that_blocks_for_a_minute_while_others_answer() {
    let host = Host::start(|builder| builder).await;
    let (one, _heard) = connect(&host.url(), CarrierChoice::Auto, |builder| builder);
    let (two, _heard) = connect(&host.url(), CarrierChoice::Poll, |builder| builder);
    let blocked = tokio::spawn(Talk::to_server(&one).wait(60_000));
    begun(&host, 1).await;
    for client in [&one, &two] {
        for _ in 0..100 {
            assert_eq!(
                soon("an echo", Talk::to_server(client).echo("x")).await,
                Ok("x".to_owned())
            );
        }
    }
    assert!(!blocked.is_finished());
    // The caller gives up, and the handler with it.
    blocked.abort();
}

#[tokio::test]
async fn a_client_that_reads_nothing_harms_nobody_else() {
    let host = Host::start(|builder| builder).await;
    let proxy = Proxy::start(host.address(), Mode::Pass).await;
    let (slow, _heard) = connect(&proxy.url(), CarrierChoice::WebSocket, |builder| builder);
    let (other, mut hears) = connect(&host.url(), CarrierChoice::WebSocket, |builder| builder);
    soon("one", slow.ready()).await.unwrap();
    soon("two", other.ready()).await.unwrap();
    let slow_id = slow.state().session_id.unwrap();
    // From then on the server knows that there is someone to push to.
    assert_eq!(
        soon("an echo", Talk::to_server(&slow).echo("x")).await,
        Ok("x".to_owned())
    );
    proxy.set(Mode::BlockAnswers);
    // Far more than sockets and outbox hold together; the other client keeps up with it.
    let bytes = vec![0; 64 * 1024];
    let mut pushed = 0;
    while host.server.session(slow_id).peer().is_some() {
        Talk::to_clients(host.server.everyone()).bulk(bytes.clone());
        Talk::to_client(host.server.session(other.state().session_id.unwrap()))
            .counted(pushed)
            .unwrap();
        assert_eq!(soon("a number", hears.recv()).await, Some(pushed));
        pushed += 1;
        assert!(
            pushed < 10_000,
            "a client that reads nothing is never let go"
        );
    }
    assert_eq!(
        soon("an echo", Talk::to_server(&other).echo("x")).await,
        Ok("x".to_owned())
    );
    proxy.set(Mode::Pass);
    is_fresh(&slow, FreshReason::Overflow).await;
    assert_eq!(
        soon("an echo", Talk::to_server(&slow).echo("x")).await,
        Ok("x".to_owned())
    );
}

#[tokio::test]
async fn a_server_that_is_stopped_and_started_is_survived_and_told() {
    let host = Host::start(|builder| builder).await;
    let (client, _heard) = connect(&host.url(), CarrierChoice::Auto, |builder| builder);
    soon("the first handshake", client.ready()).await.unwrap();
    let call = tokio::spawn(Talk::to_server(&client).wait(60_000));
    begun(&host, 1).await;
    let address = host.stop().await;
    let failed = soon("the call's end", call).await.unwrap();
    assert_eq!(
        failed,
        Err(CallError::Disconnected {
            maybe_executed: true
        })
    );
    let mut host = Host::start_at(address, |builder| builder).await;
    let echo = soon("an echo", Talk::to_server(&client).echo("again")).await;
    assert_eq!(echo, Ok("again".to_owned()));
    assert!(matches!(
        client.state().session,
        Some(SessionState::Fresh {
            reason: FreshReason::Restarted | FreshReason::Shutdown
        })
    ));
    Talk::to_server(&client).count(7).unwrap();
    assert_eq!(soon("a number", host.heard.recv()).await, Some(7));
}

#[tokio::test]
async fn a_half_open_connection_is_noticed_and_nothing_is_lost() {
    let mut host = Host::start(|builder| builder).await;
    let proxy = Proxy::start(host.address(), Mode::Pass).await;
    let (client, _heard) = connect(&proxy.url(), CarrierChoice::WebSocket, |builder| builder);
    soon("the first handshake", client.ready()).await.unwrap();
    let talk = Talk::to_server(&client);
    talk.count(1).unwrap();
    assert_eq!(soon("a number", host.heard.recv()).await, Some(1));
    proxy.set(Mode::Stall);
    for number in 2..=100 {
        talk.count(number).unwrap();
    }
    // What a page does when it is shown again: one second later the dead socket is replaced.
    let mut accepted = proxy.accepted();
    let before = *accepted.borrow_and_update();
    client.wake();
    proxy_lets_new_ones_through(&proxy, &mut accepted, before).await;
    for number in 2..=100 {
        assert_eq!(soon("a number", host.heard.recv()).await, Some(number));
    }
    assert_eq!(client.state().session, Some(SessionState::Resumed));
}

async fn proxy_lets_new_ones_through(
    proxy: &Proxy,
    accepted: &mut tokio::sync::watch::Receiver<u64>,
    before: u64,
) {
    soon(
        "a new dial",
        accepted.wait_for(|accepted| *accepted > before),
    )
    .await
    .unwrap();
    proxy.cut();
    proxy.set(Mode::Pass);
}

#[tokio::test]
async fn many_clients_come_and_go_and_leave_nothing_behind() {
    let host = Host::start(|builder| builder.window(Duration::from_millis(200))).await;
    for round in 0..3 {
        let clients: Vec<_> = (0..20)
            .map(|number| {
                let carrier = if number % 2 == 0 {
                    CarrierChoice::WebSocket
                } else {
                    CarrierChoice::Poll
                };
                connect(&host.url(), carrier, |builder| builder)
            })
            .collect();
        for (client, _) in &clients {
            let echo = soon("an echo", Talk::to_server(client).echo("x")).await;
            assert_eq!(echo, Ok("x".to_owned()), "round {round}");
        }
        drop(clients);
        let gone = async {
            while host.server.sessions() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon("the end of all sessions", gone).await;
    }
}
