//! Identities that do not last: warned of, shown anew, and what happens if they are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sente_client::{
    CarrierChoice, Client, ConnectionEnd, FreshReason, RefusedReason, SessionState,
};
use sente_server::{Builder, Identity, Refusal, Server};
use sente_test::{Network, advance, ms, run, secs};

use crate::house::{House, Log, Room, client};

/// A server that asks `judge` who shows a token.
fn judged<F, Judged>(log: &Log, judge: F) -> Builder
where
    F: Fn(String) -> Judged + Send + Sync + 'static,
    Judged: Future<Output = Result<Identity, Refusal>> + Send + 'static,
{
    let log = log.clone();
    Server::builder()
        .authenticate(move |handshake| judge(handshake.token().unwrap_or_default().to_owned()))
        .serve(|server| House::server(Room { server, log }))
}

/// A server to which `ann-1`, `ann-2` and so on are all ann, for two minutes each; what is not named
/// so is nobody. It counts how often it was asked.
fn server(log: &Log, asked: &Arc<AtomicUsize>) -> Builder {
    let asked = Arc::clone(asked);
    judged(log, move |token| {
        asked.fetch_add(1, Ordering::Relaxed);
        async move {
            let (user, _) = token
                .split_once('-')
                .ok_or_else(|| Refusal::unauthorized("that is no token"))?;
            Ok(Identity::user(user).expires_after(secs(120)))
        }
    })
}

async fn doubles(client: &Client) {
    let doubled = House::to_server(client).double(3).timeout(secs(60)).await;
    assert_eq!(doubled, Ok(6));
}

#[test]
fn a_client_with_a_function_for_its_token_is_renewed_within_its_session() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        run(Network::seeded(1), async |net| {
            let (log, asked) = (Log::new(), Arc::new(AtomicUsize::new(0)));
            let _server = net.serve(server(&log, &asked));
            let fetched = Arc::new(AtomicUsize::new(0));
            let client = client(&net, "ann", &log)
                .carrier(carrier)
                .token(move || {
                    let fetched = fetched.fetch_add(1, Ordering::Relaxed);
                    async move {
                        tokio::time::sleep(secs(1)).await;
                        format!("ann-{fetched}")
                    }
                })
                .connect();
            client.ready().await.unwrap();
            let session = client.state().session_id;
            // Each lasts for two minutes, and is renewed a minute ahead.
            for _ in 0..60 {
                doubles(&client).await;
                advance(secs(10)).await;
            }
            let asked = asked.load(Ordering::Relaxed);
            assert!((8..=12).contains(&asked), "{asked} times in ten minutes");
            assert_eq!(client.state().session_id, session);
            assert_eq!(client.state().last_close, None, "by {carrier:?}");
        });
    }
}

#[test]
fn a_client_is_warned_and_shows_another_token_in_the_middle_of_a_call() {
    run(Network::seeded(2), async |net| {
        let (log, asked) = (Log::new(), Arc::new(AtomicUsize::new(0)));
        let _server = net.serve(server(&log, &asked));
        let client = client(&net, "ann-1", &log).connect();
        client.ready().await.unwrap();
        // It asks by itself, with the only token that it has, and is let stay.
        advance(secs(200)).await;
        assert!(client.state().open && client.state().last_close.is_none());
        let before = asked.load(Ordering::Relaxed);
        let call = House::to_server(&client).double(6);
        let shows = async {
            advance(ms(100)).await;
            client.reauthenticate("ann-2");
        };
        let (doubled, ()) = tokio::join!(call, shows);
        assert_eq!(doubled, Ok(12));
        advance(secs(1)).await;
        assert_eq!(asked.load(Ordering::Relaxed), before + 1);
        assert_eq!(client.state().last_close, None);
    });
}

#[test]
fn a_token_that_is_not_taken_ends_the_connection_and_the_session_waits_for_a_better_one() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        run(Network::seeded(3), async |net| {
            let (log, asked) = (Log::new(), Arc::new(AtomicUsize::new(0)));
            let _server = net.serve(server(&log, &asked));
            let client = client(&net, "ann-1", &log).carrier(carrier).connect();
            client.ready().await.unwrap();
            doubles(&client).await;
            let session = client.state().session_id;
            client.reauthenticate("nonsense");
            advance(secs(5)).await;
            let state = client.state();
            let refused = state.refused.as_ref().map(|refused| refused.reason);
            assert_eq!(refused, Some(RefusedReason::Unauthorized), "by {carrier:?}");
            let call = House::to_server(&client).double(5);
            let shows = async {
                advance(secs(1)).await;
                client.reauthenticate("ann-2");
                client.connect();
            };
            let (doubled, ()) = tokio::join!(call.timeout(secs(60)), shows);
            assert_eq!(doubled, Ok(10));
            assert_eq!(client.state().session_id, session);
            assert_eq!(client.state().session, Some(SessionState::Resumed));
        });
    }
}

#[test]
fn another_user_in_the_middle_of_a_session_gets_one_of_its_own() {
    run(Network::seeded(4), async |net| {
        let (log, asked) = (Log::new(), Arc::new(AtomicUsize::new(0)));
        let server = net.serve(server(&log, &asked));
        let client = client(&net, "ann-1", &log).connect();
        client.ready().await.unwrap();
        doubles(&client).await;
        client.reauthenticate("bob-1");
        advance(secs(5)).await;
        doubles(&client).await;
        let reason = FreshReason::UserChanged;
        assert_eq!(client.state().session, Some(SessionState::Fresh { reason }));
        assert_eq!(client.state().user.as_deref(), Some("bob"));
        assert_eq!(server.user("ann").count(), 0);
    });
}

#[test]
fn a_poll_that_is_held_brings_the_warning_in_time() {
    run(Network::seeded(5), async |net| {
        let log = Log::new();
        let _server = net.serve(judged(&log, |_| async {
            Ok(Identity::user("ann").expires_after(secs(20)))
        }));
        let client = client(&net, "ann", &log)
            .carrier(CarrierChoice::Poll)
            .token(async || "fresh".to_owned())
            .connect();
        client.ready().await.unwrap();
        // Nothing goes by that would end a poll: each is held for 25 s.
        advance(secs(120)).await;
        assert_eq!(client.state().last_close, None);
        assert!(client.state().open);
    });
}

#[test]
fn an_answer_about_what_was_shown_before_a_newer_hello_comes_too_late() {
    for slow in [Answer::Refused, Answer::Good(secs(20)), Answer::Another] {
        for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
            run(Network::seeded(6), async |net| {
                let log = Log::new();
                let _server = net.serve(judged(&log, move |token| async move {
                    if token != "slow" {
                        return Ok(Identity::user("ann"));
                    }
                    tokio::time::sleep(secs(5)).await;
                    match slow {
                        Answer::Refused => Err(Refusal::unauthorized("not that one")),
                        Answer::Good(time) => Ok(Identity::user("ann").expires_after(time)),
                        Answer::Another => Ok(Identity::user("bob")),
                    }
                }));
                let client = client(&net, "ann", &log).carrier(carrier).connect();
                client.ready().await.unwrap();
                doubles(&client).await;
                let session = client.state().session_id;
                client.reauthenticate("slow");
                advance(secs(1)).await;
                client.reauthenticate("quick");
                client.reconnect();
                advance(secs(60)).await;
                let close = client.state().last_close.clone().map(|close| close.reason);
                assert_eq!(
                    close,
                    Some(ConnectionEnd::Reconnect),
                    "{slow:?} by {carrier:?}"
                );
                assert_eq!(client.state().session_id, session);
                doubles(&client).await;
            });
        }
    }
}

/// What is found out in the end of a client that shows a token which takes long.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Refused,
    Good(Duration),
    Another,
}

#[test]
fn a_renewal_that_nobody_can_judge_for_now_is_asked_for_again() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        run(Network::seeded(7), async |net| {
            let (log, asked) = (Log::new(), Arc::new(AtomicUsize::new(0)));
            let counted = Arc::clone(&asked);
            let _server = net.serve(judged(&log, move |_| {
                let place = counted.fetch_add(1, Ordering::Relaxed);
                async move {
                    match place {
                        1 => panic!("a bug"),
                        2 => std::future::pending().await,
                        3 => return Err(Refusal::forbidden("later").retry_after(secs(1))),
                        _ => {}
                    }
                    Ok(Identity::user("ann").expires_after(secs(120)))
                }
            }));
            let client = client(&net, "ann", &log)
                .carrier(carrier)
                .token(async || "fresh".to_owned())
                .connect();
            client.ready().await.unwrap();
            advance(secs(140)).await;
            assert_eq!(client.state().last_close, None, "by {carrier:?}");
            assert_eq!(asked.load(Ordering::Relaxed), 5);
        });
    }
}

#[test]
fn a_client_that_shows_one_token_after_the_other_is_not_asked_about_each() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        run(Network::seeded(8), async |net| {
            let (log, asked) = (Log::new(), Arc::new(AtomicUsize::new(0)));
            let server = net.serve(server(&log, &asked));
            let client = client(&net, "ann-1", &log).carrier(carrier).connect();
            client.ready().await.unwrap();
            doubles(&client).await;
            for place in 0..40 {
                client.reauthenticate(format!("ann-{place}"));
                advance(ms(100)).await;
            }
            client.reauthenticate("bob-1");
            advance(secs(2)).await;
            let asked = asked.load(Ordering::Relaxed);
            assert!((5..=9).contains(&asked), "{asked} times by {carrier:?}");
            assert_eq!(server.user("bob").count(), 1, "the latest counts");
        });
    }
}

#[test]
fn what_waits_to_be_asked_about_is_of_no_account_after_a_newer_hello() {
    run(Network::seeded(9), async |net| {
        let (log, asked) = (Log::new(), Arc::new(AtomicUsize::new(0)));
        let _server = net.serve(server(&log, &asked));
        let client = client(&net, "ann-1", &log).connect();
        client.ready().await.unwrap();
        client.reauthenticate("ann-2");
        advance(ms(100)).await;
        client.reauthenticate("nonsense");
        advance(ms(100)).await;
        client.reauthenticate("ann-3");
        client.reconnect();
        advance(secs(10)).await;
        let close = client.state().last_close.clone().map(|close| close.reason);
        assert_eq!(close, Some(ConnectionEnd::Reconnect));
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    });
}
