//! Programs begin, crash, and end; tests do.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use sente_client::{CallError, Client, CloseReason, FreshReason, NotReady, SessionState};
use sente_server::{Presence, Server};
use sente_test::{Network, advance, ms, pair, run, secs};
use tokio::time::Instant;

use crate::house::{House, Log, Room, Ui, client, configure, server};

#[test]
fn a_server_that_crashes_leaves_nothing_behind_and_its_clients_find_the_next() {
    run(Network::seeded(1), async |net| {
        let log = Log::new();
        let ended = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&ended);
        let builder = server(&log).on_end(move |_, end| told.lock().unwrap().push(end.reason));
        let _server = net.serve(builder);
        let ann = client(&net, "ann", &log).connect();
        let house = House::to_server(&ann);
        let call = tokio::spawn(house.double(6));
        while log.with("server doubles").is_empty() {
            advance(ms(10)).await;
        }
        net.crash();
        advance(secs(10)).await;
        assert!(!ann.state().open);
        let _server = net.serve(server(&log));
        let outcome = call.await.unwrap();
        let maybe_executed = true;
        assert_eq!(outcome, Err(CallError::Disconnected { maybe_executed }));
        assert_eq!(house.double(1).await, Ok(2));
        let reason = FreshReason::Restarted;
        assert_eq!(ann.state().session, Some(SessionState::Fresh { reason }));
        advance(secs(300)).await;
        // The handler stopped where it waited.
        assert_eq!(log.with("server doubled"), ["server doubled 1 of ann"]);
        assert_eq!(*ended.lock().unwrap(), []);
    });
}

#[test]
fn a_server_that_shuts_down_says_so_to_both() {
    run(Network::seeded(2), async |net| {
        let log = Log::new();
        let ended = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&ended);
        let builder = server(&log).on_end(move |_, end| told.lock().unwrap().push(end.reason));
        let old = net.serve(builder);
        let ann = client(&net, "ann", &log).connect();
        ann.ready().await.unwrap();
        let call = tokio::spawn(House::to_server(&ann).double(6));
        advance(ms(100)).await;
        old.shutdown(secs(5)).await;
        // Its handler was let finish.
        assert_eq!(call.await.unwrap(), Ok(12));
        assert_eq!(*ended.lock().unwrap(), [CloseReason::Shutdown]);
        let _server = net.serve(server(&log));
        assert_eq!(House::to_server(&ann).double(1).await, Ok(2));
        let reason = FreshReason::Shutdown;
        assert_eq!(ann.state().session, Some(SessionState::Fresh { reason }));
    });
}

#[test]
fn a_client_that_crashes_is_missed_after_its_window() {
    run(Network::seeded(3), async |net| {
        let log = Log::new();
        let server = net.serve(server(&log));
        let uplink = net.uplink();
        let ann = configure(uplink.client(), "ann", &log).connect();
        ann.ready().await.unwrap();
        advance(secs(1)).await;
        let mut presence = server.presence();
        let crashed = Instant::now();
        uplink.crash();
        let left = loop {
            if let Some(Presence::Left { reason, .. }) = presence.next().await {
                break reason;
            }
        };
        assert_eq!(left, CloseReason::Silent);
        let took = crashed.elapsed();
        assert!(took > secs(115) && took < secs(125), "{took:?}");
        assert!(ann.state().ended);
    });
}

#[test]
fn a_kicked_client_stays_away() {
    run(Network::seeded(4), async |net| {
        let log = Log::new();
        let server = net.serve(server(&log));
        let ann = client(&net, "ann", &log).connect();
        ann.ready().await.unwrap();
        advance(secs(1)).await;
        let peer = server.user("ann").peers().remove(0);
        assert!(server.kick(peer.session(), "enough"));
        advance(secs(600)).await;
        assert!(matches!(ann.ready().await, Err(NotReady::Refused { .. })));
        assert_eq!(server.sessions(), 0);
    });
}

#[test]
fn the_server_asks_and_pushes_to_all_devices_of_a_user() {
    run(Network::seeded(5), async |net| {
        let log = Log::new();
        let server = net.serve(server(&log));
        let names = ["ann's phone", "ann's desk", "bob"];
        let mut clients: Vec<Client> = Vec::new();
        for name in names {
            let user = name.split('\'').next().unwrap();
            let builder = configure(net.client(), name, &log);
            clients.push(builder.token(user).connect());
        }
        advance(secs(1)).await;
        assert_eq!(server.user("ann").count(), 2);
        assert_eq!(House::to_clients(server.user("ann")).said("eve", 1), 2);
        for peer in server.user("ann").peers() {
            let answer = House::to_client(&peer).ask("who?").await.unwrap();
            assert!(answer.starts_with("who? ann's"), "{answer}");
        }
        let mut heard = log.with("hears 1 of eve");
        heard.sort();
        assert_eq!(
            heard,
            ["ann's desk hears 1 of eve", "ann's phone hears 1 of eve"]
        );
    });
}

#[tokio::test(start_paused = true)]
async fn a_pair_works_in_a_test_of_tokio() {
    let began = (Instant::now(), std::time::Instant::now());
    let log = Log::new();
    let (of_server, name) = (log.clone(), "ann".to_owned());
    let (client, server) = pair(
        move |server: Server| {
            let log = of_server;
            House::server(Room { server, log })
        },
        House::client(Ui {
            name,
            log: log.clone(),
        }),
    );
    assert_eq!(House::to_server(&client).double(6).await, Ok(12));
    House::to_server(&client).say(7).unwrap();
    advance(secs(3_600)).await;
    assert_eq!(log.with("ann hears"), ["ann hears 7 of somebody"]);
    assert_eq!(server.everyone().count(), 1);
    assert!(began.0.elapsed() > secs(3_600));
    assert!(began.1.elapsed() < secs(600), "an hour was not simulated");
}

#[test]
fn the_time_of_day_is_simulated_too() {
    let at = || {
        run(Network::seeded(6), async |net| {
            let log = Log::new();
            let _server = net.serve(server(&log));
            let ann = client(&net, "ann", &log).connect();
            ann.ready().await.unwrap();
            net.cut();
            advance(secs(1)).await;
            ann.state().last_close.as_ref().unwrap().at
        })
    };
    let at_first = at();
    assert_eq!(at_first, at());
    let year_2000 = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
    assert!(at_first > year_2000 && at_first < year_2000 + secs(60));
}

#[test]
#[should_panic(expected = "did not come within a simulated day")]
fn a_test_that_waits_for_what_never_comes_ends() {
    run(Network::seeded(7), async |_net| {
        std::future::pending::<()>().await;
    });
}

/// Runs itself once more as a test that fails, and reads what that says.
#[test]
fn a_test_that_fails_names_its_seed() {
    const FAILS: &str = "SENTE_TEST_FAILS";
    if std::env::var_os(FAILS).is_some() {
        return run(Network::seeded(4711), async |_net| {
            panic!("what the test says")
        });
    }
    let failed = Command::new(std::env::current_exe().unwrap())
        .args([
            "programs::a_test_that_fails_names_its_seed",
            "--exact",
            "--nocapture",
        ])
        .env(FAILS, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success());
    assert!(said.contains("what the test says"), "{said}");
    assert!(said.contains("`Network::seeded(4711)`"), "{said}");
}
