//! What a program does with its server: who may come, who is there, whom it tells what.

mod common;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::response::IntoResponse;
use common::{
    BINARY, Chat, ChatServer, ECHO, Poller, SAID, SAY, Site, Ws, body, call, data, event, hello,
    hello_of, http, kind, post, resuming, soon,
};
use futures_util::StreamExt;
use sente::{CallError, Peer, SendError};
use sente_proto::frame::{Frame, Hello};
use sente_proto::{CloseReason, FreshReason, RefusedReason};
use sente_server::{Builder, Carrier, Identity, Presence, PresenceStream, Refusal, Server};
use tokio::sync::mpsc;

struct Lobby;

impl ChatServer for Lobby {
    async fn echo(&self, _from: &Peer, text: String) -> String {
        text
    }
    async fn say(&self, _from: &Peer, _text: String) {}
    async fn slow(&self, _from: &Peer, text: String) -> String {
        text
    }
    async fn panic(&self, _from: &Peer) -> String {
        panic!("as the test wants it")
    }
}

fn lobby() -> Builder {
    Server::builder()
        .authenticate(|handshake| async move {
            Ok(handshake
                .token()
                .map_or_else(Identity::anonymous, Identity::user))
        })
        .serve(|_| Chat::server(Lobby))
}

/// A client that the server knows of.
async fn joined(site: &Site, hello: Hello) -> (Ws, Peer) {
    let (mut ws, welcome) = Ws::open(site.address, hello).await;
    ws.is_well(1).await;
    let peer = site.server.session(welcome.session).peer();
    (ws, peer.expect("it has joined"))
}

fn on_device(user: &str, device: &str) -> Hello {
    Hello {
        device: Some(device.to_owned()),
        ..hello_of(user)
    }
}

// ---- pushes, rooms ----

#[tokio::test]
async fn a_push_reaches_those_that_it_names_and_no_other() {
    let site = Site::start(lobby()).await;
    let server = &site.server;
    let (mut laptop, ann) = joined(&site, on_device("ann", "laptop")).await;
    let (mut phone, ann_too) = joined(&site, on_device("ann", "phone")).await;
    let (mut bob, bob_peer) = joined(&site, hello_of("bob")).await;
    let (mut nobody, nobody_peer) = joined(&site, hello()).await;
    assert!(server.join(&ann, "lobby") && server.join(&nobody_peer, "lobby"));
    assert!(!server.join(&ann, "lobby"), "it is there");

    let queued = [
        Chat::to_clients(server.user("ann")).said("to ann"),
        Chat::to_clients(server.user("ann").except(&ann)).said("to ann elsewhere"),
        Chat::to_clients(server.user("ann").device("laptop")).said("to the laptop"),
        Chat::to_clients(server.users(["ann", "bob", "bob"])).said("to both"),
        Chat::to_clients(server.room(String::from("lobby"))).said("to the lobby"),
        Chat::to_clients(server.room("lobby").except(&ann)).said("to the others there"),
        Chat::to_clients(server.anonymous()).said("to strangers"),
        Chat::to_clients(server.everyone()).said("to all"),
        Chat::to_clients(server.everyone().except(&ann_too).except(&bob_peer)).said("to most"),
        Chat::to_clients(server.session(bob_peer.session())).said("to bob here"),
        Chat::to_clients(server.user("carol")).said("to carol"),
        Chat::to_clients(server.room("attic")).said("to ghosts"),
    ];
    assert_eq!(queued, [2, 1, 1, 3, 2, 1, 1, 4, 2, 1, 0, 0]);
    for (ws, expected) in [
        (
            &mut laptop,
            &[
                "to ann",
                "to the laptop",
                "to both",
                "to the lobby",
                "to all",
                "to most",
            ][..],
        ),
        (
            &mut phone,
            &["to ann", "to ann elsewhere", "to both", "to all"],
        ),
        (&mut bob, &["to both", "to all", "to bob here"]),
        (
            &mut nobody,
            &[
                "to the lobby",
                "to the others there",
                "to strangers",
                "to all",
                "to most",
            ],
        ),
    ] {
        for text in expected {
            assert_eq!(ws.item().await, event(SAID, text));
        }
    }
}

#[tokio::test]
async fn a_room_is_left_at_the_end_of_a_session_and_not_before() {
    let site = Site::start(lobby()).await;
    let server = &site.server;
    let mut presence = server.presence();
    let (ws, peer) = joined(&site, hello()).await;
    assert!(server.join(&peer, "lobby") && server.join(&peer, "attic"));
    assert_eq!(server.rooms_of(&peer).len(), 2);
    assert!(server.leave(&peer, "attic"));
    assert!(!server.leave(&peer, "attic"));
    assert_eq!(server.rooms(), [(Arc::from("lobby"), 1)]);
    ws.vanish();
    until(&mut presence, |change| {
        matches!(change, Presence::Moved { carrier: None, .. })
    })
    .await;
    assert_eq!(server.room("lobby").peers(), std::slice::from_ref(&peer));
    assert!(server.kick(peer.session(), "out"));
    assert_eq!(server.room("lobby").count(), 0);
    assert!(server.rooms().is_empty());
    assert!(!server.join(&peer, "lobby"), "its session has ended");
    assert!(!server.kick(peer.session(), "out"));
}

// ---- presence ----

async fn until(presence: &mut PresenceStream, is_it: impl Fn(&Presence) -> bool) {
    let wait = async {
        while let Some(change) = presence.next().await {
            if is_it(&change) {
                return;
            }
        }
        panic!("the server is gone");
    };
    soon("the change", wait).await;
}

#[tokio::test]
async fn presence_tells_of_clients_users_and_carriers() {
    let site = Site::start(lobby()).await;
    let mut presence = site.server.presence();
    let mut connected = site.server.connected();
    let mut told = async || match soon("a change", presence.next()).await {
        Some(Presence::Joined { peer }) => format!("{} joined", peer.user_or("-")),
        Some(Presence::Left { peer, reason }) => format!("{} left {reason:?}", peer.user_or("-")),
        Some(Presence::Moved { peer, carrier }) => format!("{} {carrier:?}", peer.user_or("-")),
        Some(Presence::UserConnected { user }) => format!("{user} connected"),
        Some(Presence::UserDisconnected { user, reason }) => format!("{user} gone {reason:?}"),
        other => panic!("{other:?}"),
    };
    // Whoever has not finished its handshake is not there.
    let mut shy = Ws::dial(site.address).await;
    let _ = shy.greet(hello_of("shy")).await;
    assert!(connected.clients().is_empty());

    let (first, peer) = joined(&site, hello_of("ann")).await;
    assert_eq!(told().await, "ann connected");
    assert_eq!(told().await, "ann joined");
    assert!(soon("a change", connected.changed()).await);
    let (mut second, _) = joined(&site, hello_of("ann")).await;
    assert_eq!(told().await, "ann joined");
    drop(first);
    assert_eq!(told().await, "ann None");
    site.server.kick(peer.session(), "out");
    assert_eq!(told().await, "ann left Kicked");
    second
        .send(&Frame::Close(Box::new(sente_proto::Close::new(
            CloseReason::Goodbye,
        ))))
        .await;
    assert_eq!(told().await, "ann left Goodbye");
    assert_eq!(told().await, "ann gone Goodbye");

    let client = Poller::open(site.address, hello()).await;
    assert_eq!(client.send(1, []).await.status, 200);
    assert_eq!(told().await, "- joined");
    assert!(soon("a change", connected.changed()).await);
    let carriers: Vec<_> = connected
        .clients()
        .iter()
        .map(|client| client.carrier)
        .collect();
    assert_eq!(carriers, [Some(Carrier::Poll)]);
    assert!(connected.users().is_empty());
}

// ---- the end of sessions ----

#[tokio::test]
async fn a_kicked_client_is_told_why_and_the_program_what_was_not_delivered() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let builder = lobby().on_end(move |peer, end| {
        let _ = ended.send((peer, end));
    });
    let site = Site::start(builder).await;
    let (mut ws, peer) = joined(&site, hello_of("ann")).await;
    Chat::to_clients(site.server.user("ann")).said("unconfirmed");
    assert_eq!(ws.item().await, event(SAID, "unconfirmed"));
    assert!(site.server.kick(peer.session(), "no more"));
    let close = ws.closed().await;
    assert_eq!(
        (close.reason, close.message.as_str()),
        (CloseReason::Kicked, "no more")
    );
    let (told, end) = soon("the end", ends.recv())
        .await
        .expect("the server is there");
    assert_eq!((told, end.reason), (peer, CloseReason::Kicked));
    let [event] = &end.unconfirmed[..] else {
        panic!("one event");
    };
    assert_eq!(event.name(), "chat/said");
    assert!(event.maybe_received());
    let text = "unconfirmed".to_owned();
    let value = event
        .decode::<Chat>()
        .expect("of this namespace")
        .expect("decodable");
    assert_eq!(value, Chat::Said { text });
}

#[tokio::test]
async fn a_client_that_was_kicked_while_nothing_served_it_hears_of_it_when_it_comes() {
    let site = Site::start(lobby()).await;
    let client = Poller::open(site.address, hello()).await;
    assert_eq!(client.send(1, []).await.status, 200);
    assert!(site.server.kick(client.session, "no more"));
    let answer = client.poll(1, 0).await;
    assert_eq!(answer.close().0, CloseReason::Kicked);

    let mut ws = Ws::dial(site.address).await;
    let welcome = ws.greet(hello()).await;
    ws.is_well(1).await;
    ws.vanish();
    assert!(site.server.kick(welcome.session, "no more"));
    let mut ws = Ws::dial(site.address).await;
    ws.send(&Frame::Hello(Box::new(resuming(&welcome, 2, 1))))
        .await;
    let close = ws.closed().await;
    assert_eq!(
        (close.reason, close.message.as_str()),
        (CloseReason::Kicked, "no more")
    );
    // Whoever has not its secret is told nothing.
    let stranger = Poller {
        secret: welcome.secret.clone(),
        ..client
    };
    let answer = stranger.poll(1, 0).await;
    assert_eq!(answer.close().0, CloseReason::UnknownSession);
}

#[tokio::test]
async fn a_client_that_is_away_for_too_much_loses_its_session() {
    let builder = lobby().outbox(64 * 1024, 10);
    let site = Site::start(builder).await;
    let mut presence = site.server.presence();
    let (ws, _) = joined(&site, hello_of("ann")).await;
    ws.vanish();
    until(&mut presence, |change| {
        matches!(change, Presence::Moved { carrier: None, .. })
    })
    .await;
    let queued = (0..20).map(|_| Chat::to_clients(site.server.user("ann")).said("news"));
    // A reply that she had not confirmed waits too.
    assert!((9..=10).contains(&queued.sum::<usize>()));
    until(&mut presence, |change| {
        matches!(
            change,
            Presence::Left {
                reason: CloseReason::Overflow,
                ..
            }
        )
    })
    .await;
}

#[tokio::test]
async fn a_held_poll_waits_for_more_where_frames_may_be_delayed() {
    let limits = sente_server::Limits {
        max_delay: Some(Duration::from_millis(50)),
        ..sente_server::Limits::default()
    };
    let site = Site::start(lobby().limits(limits)).await;
    let mut presence = site.server.presence();
    let client = Poller::open(site.address, hello_of("ann")).await;
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.poll(1, 0).await.items() }
    });
    until(&mut presence, |change| {
        matches!(change, Presence::Joined { .. })
    })
    .await;
    Chat::to_clients(site.server.user("ann")).said("one");
    Chat::to_clients(site.server.user("ann")).said("two");
    let items = held.await.expect("no panic");
    assert_eq!(items, [event(SAID, "one"), event(SAID, "two")]);
}

/// Three clients, of which two are away, and a server that keeps so much for all of them together.
async fn here_and_away(max_outboxes: usize) -> (Site, PresenceStream, Ws) {
    let site = Site::start(lobby().max_outboxes(max_outboxes)).await;
    let mut presence = site.server.presence();
    let (here, _) = joined(&site, hello_of("here")).await;
    for user in ["away", "far"] {
        let (ws, _) = joined(&site, hello_of(user)).await;
        ws.vanish();
        until(&mut presence, |change| {
            matches!(change, Presence::Moved { carrier: None, .. })
        })
        .await;
    }
    (site, presence, here)
}

async fn overflows(presence: &mut PresenceStream, user: &str) {
    until(presence, |change| {
        matches!(change, Presence::Left { peer, reason: CloseReason::Overflow } if peer.user() == Some(user))
    })
    .await;
}

#[tokio::test]
async fn too_much_in_all_outboxes_ends_first_who_is_away() {
    let (site, mut presence, mut here) = here_and_away(64 * 1024).await;
    let kib = |count: usize| "x".repeat(count * 1024);
    Chat::to_clients(site.server.user("here")).said(kib(8));
    Chat::to_clients(site.server.user("far")).said(kib(20));
    Chat::to_clients(site.server.user("away")).said(kib(40));
    overflows(&mut presence, "away").await;
    assert_eq!(site.server.user("far").count(), 1);
    assert_eq!(here.item().await, event(SAID, &kib(8)));
}

#[tokio::test]
async fn many_small_events_are_too_much_as_well() {
    let (site, mut presence, _here) = here_and_away(64 * 1024).await;
    // A kilobyte of payloads, and a hundred of what each event takes.
    for (user, events) in [("far", 300), ("away", 500)] {
        for _ in 0..events {
            Chat::to_clients(site.server.user(user)).said("");
        }
    }
    overflows(&mut presence, "away").await;
    assert_eq!(site.server.user("far").count(), 1);
}

#[tokio::test]
async fn a_client_that_polls_is_there_as_long_as_it_polls() {
    let silence = Duration::from_secs(1);
    let hold = Duration::from_millis(300);
    let builder = lobby().silence(silence).window(silence).poll_hold(hold);
    let site = Site::start(builder).await;
    let mut presence = site.server.presence();
    let client = Poller::open(site.address, hello_of("ann")).await;
    // Together they take longer than a silence may.
    for number in 1..=5 {
        let answer = client.poll(number, 0).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }
    assert_eq!(site.server.user("ann").count(), 1);
    until(&mut presence, |change| {
        matches!(change, Presence::Moved { carrier: None, .. })
    })
    .await;
    until(&mut presence, |change| {
        matches!(
            change,
            Presence::Left {
                reason: CloseReason::Silent,
                ..
            }
        )
    })
    .await;
    let gone = client.poll(6, 0).await.close().0;
    assert_eq!(gone, CloseReason::UnknownSession);
}

#[test]
fn a_kick_from_outside_of_the_runtime_is_told_too() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let builder = lobby().on_end(move |_, end| {
        let _ = ended.send(end.reason);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (site, _ws, peer) = runtime.block_on(async {
        let site = Site::start(builder).await;
        let (ws, peer) = joined(&site, hello()).await;
        (site, ws, peer)
    });
    assert!(site.server.kick(peer.session(), "out"));
    assert_eq!(ends.try_recv(), Ok(CloseReason::Kicked));
}

// ---- who may come ----

#[tokio::test]
async fn an_application_answers_polls_in_its_own_words() {
    let builder = Server::builder().authenticate(|handshake| async move {
        if handshake.token() == Some("teapot") {
            let answer = (
                http::StatusCode::IM_A_TEAPOT,
                [("x-own", "yes")],
                "short and stout",
            );
            return Err(Refusal::response(answer.into_response()));
        }
        let number: u32 = handshake.token().unwrap_or_default().parse()?;
        Ok(Identity::user(number.to_string()))
    });
    let site = Site::start(builder).await;
    let answer = post(site.address, [Frame::Hello(Box::new(hello_of("teapot")))]).await;
    assert_eq!((answer.status, answer.header("x-own")), (418, Some("yes")));
    assert_eq!(answer.body, b"short and stout");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut ws = Ws::dial(site.address).await;
    ws.send(&Frame::Hello(Box::new(hello_of("teapot")))).await;
    assert_eq!(ws.refused().await.status, 418);
    // Any error is a refusal, which tells nothing of it.
    let answer = post(site.address, [Frame::Hello(Box::new(hello_of("x")))]).await;
    assert_eq!(answer.status, 401);
    let refused = answer.refused();
    assert_eq!(refused.reason, RefusedReason::Unauthorized);
    assert!(!refused.message.contains("digit"), "{}", refused.message);
    let mut ws = Ws::dial(site.address).await;
    assert_eq!(ws.greet(hello_of("7")).await.user.as_deref(), Some("7"));
}

#[tokio::test]
async fn an_authentication_that_panics_or_hangs_refuses_its_client_alone() {
    let limit = Duration::from_millis(500);
    let builder = Server::builder()
        .handshake_timeout(limit)
        .authenticate(|handshake| async move {
            match handshake.token() {
                Some("panic") => panic!("as the test wants it"),
                Some("hang") => std::future::pending().await,
                _ => Ok(Identity::anonymous()),
            }
        });
    let site = Site::start(builder).await;
    for (user, status) in [("panic", 500), ("hang", 503)] {
        let answer = post(site.address, [Frame::Hello(Box::new(hello_of(user)))]).await;
        assert_eq!(answer.status, status);
        let mut ws = Ws::dial(site.address).await;
        ws.send(&Frame::Hello(Box::new(hello_of(user)))).await;
        assert_eq!(ws.refused().await.status, status);
    }
    let mut ws = Ws::dial(site.address).await;
    assert_eq!(ws.greet(hello()).await.fresh, Some(FreshReason::First));
}

#[tokio::test]
async fn the_token_against_forgery_and_the_first_look_are_asked() {
    let builder = Server::builder()
        .csrf(|handshake| handshake.csrf() == Some("right"))
        .admit(|request| match request.headers.get("x-bad") {
            Some(_) => Err(Refusal::forbidden("no bad headers")),
            None => Ok(()),
        });
    let site = Site::start(builder).await;
    let with = |token: &str| Hello {
        csrf: Some(sente::Secret::new(token.to_owned())),
        ..hello()
    };
    for wrong in [hello(), with("wrong")] {
        let answer = post(site.address, [Frame::Hello(Box::new(wrong))]).await;
        assert_eq!(
            (answer.status, answer.refused().reason),
            (403, RefusedReason::Csrf)
        );
    }
    let mut ws = Ws::dial(site.address).await;
    let _ = ws.greet(with("right")).await;
    let bad = [("x-bad", "yes")];
    assert_eq!(Ws::dial_with(site.address, &bad).await.err(), Some(403));
    let answer = http(site.address, "POST", &[BINARY, bad[0]], b"never read").await;
    assert_eq!(answer.refused().message, "no bad headers");
}

#[tokio::test]
async fn pages_of_the_own_origin_may_connect_and_others_may_not() {
    let hello = || body([Frame::Hello(Box::new(hello()))]);
    let check = async |site: &Site, headers: &[(&'static str, &str)], allowed: bool| {
        let own = site.address.to_string();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.replace("{own}", &own)))
            .collect();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let upgraded = Ws::dial_with(site.address, &headers).await;
        let expected = if allowed { None } else { Some(403) };
        assert_eq!(upgraded.err(), expected, "{headers:?} on a WebSocket");
        let headers: Vec<_> = headers.into_iter().chain([BINARY]).collect();
        let answer = http(site.address, "POST", &headers, &hello()).await;
        assert_eq!(
            answer.status,
            if allowed { 200 } else { 403 },
            "{headers:?}"
        );
        if !allowed {
            assert_eq!(answer.refused().reason, RefusedReason::Origin);
        }
    };
    let site = Site::start(Server::builder()).await;
    for (origin, allowed) in [
        ("http://{own}", true),
        ("null", false),
        ("http://example.org", false),
        ("http://{own}.example.org", false),
        ("http://127.0.0.1", false),
    ] {
        check(&site, &[("origin", origin)], allowed).await;
    }
    check(&site, &[], true).await;
    let forwarded = [
        ("origin", "https://example.org"),
        ("x-forwarded-host", "example.org"),
    ];
    check(&site, &forwarded, false).await;
    // Five times, on either carrier.
    let counts = site.server.counts();
    assert_eq!(counts.refused(RefusedReason::Origin), 10);

    let site = Site::start(Server::builder().trust_forwarded_host()).await;
    check(&site, &forwarded, true).await;
    let two = [
        ("origin", "https://example.org"),
        ("x-forwarded-host", "example.org, proxy"),
    ];
    check(&site, &two, true).await;
    let other = [
        ("origin", "https://evil.com"),
        ("x-forwarded-host", "example.org"),
    ];
    check(&site, &other, false).await;
    check(&site, &[("origin", "http://{own}")], true).await;

    let site = Site::start(Server::builder().origins(["https://app.example.org"])).await;
    check(&site, &[("origin", "https://app.example.org")], true).await;
    check(&site, &[("origin", "https://APP.example.org")], true).await;
    check(&site, &[("origin", "http://app.example.org")], false).await;
    check(&site, &[("origin", "http://{own}")], false).await;
    check(&site, &[("origin", "null")], false).await;
}

#[tokio::test]
async fn a_browser_is_told_which_other_origins_may_poll() {
    let site = Site::start(Server::builder().origins(["https://app.example.org"])).await;
    let allowed = ("origin", "https://app.example.org");
    let answer = http(site.address, "OPTIONS", &[allowed], &[]).await;
    assert_eq!(answer.status, 204);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(allowed.1)
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("content-type")
    );
    let frames = body([Frame::Hello(Box::new(hello()))]);
    let answer = http(site.address, "POST", &[allowed, BINARY], &frames).await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(allowed.1)
    );
    let other = ("origin", "https://evil.com");
    let answer = http(site.address, "OPTIONS", &[other], &[]).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn what_is_no_origin_is_not_taken_for_one() {
    for wrong in [
        "example.org",
        "*",
        "https://*.example.org",
        "https://example.org/",
        "null",
        "://x",
    ] {
        let taken = std::panic::catch_unwind(|| drop(Server::builder().origins([wrong])));
        assert!(taken.is_err(), "{wrong}");
    }
}

// ---- what is served ----

#[tokio::test]
async fn events_come_as_a_stream_and_hold_credit_until_they_are_taken() {
    let mut builder = Server::builder().max_handlers(2);
    let mut events = builder.stream::<Chat>();
    let site = Site::start(builder).await;
    let (mut ws, welcome) = Ws::open(site.address, hello()).await;
    ws.send(&data(0, 1, vec![event(SAY, "one"), event(SAY, "two")]))
        .await;
    for text in ["one", "two"] {
        let (from, event) = soon("an event", events.next())
            .await
            .expect("the server is there");
        let text = text.to_owned();
        assert_eq!(
            (from.session(), event),
            (welcome.session, Chat::Say { text })
        );
    }
    // Both were taken: there is credit for two more.
    let credit = loop {
        if let Frame::Data(data) = ws.frame().await
            && let Some(acknowledge) = data.acknowledge
            && acknowledge.credit >= 4
        {
            break acknowledge.credit;
        }
    };
    assert_eq!(credit, 4);
    // A call needs a handler.
    ws.send(&data(0, 3, vec![call(ECHO, "hello?")])).await;
    let refused = sente_proto::frame::Item::Reply {
        call: 3,
        outcome: sente_proto::frame::Outcome::Failed(sente_proto::frame::Failure::Unsupported),
    };
    assert_eq!(ws.item().await, refused);
}

#[derive(Debug, serde::Deserialize, PartialEq, serde::Serialize, sente::Schema)]
struct Motd {
    text: String,
}

mod greeting {
    use super::Motd;

    /// Says something at the start.
    #[sente::events(handshake = Motd)]
    pub(crate) enum Greeting {
        /// Nothing much.
        #[to_client]
        Nothing,
    }
}

#[tokio::test]
async fn handshake_data_comes_with_the_welcome() {
    let builder = lobby()
        .handshake::<greeting::Greeting>(|peer| Motd {
            text: format!("hello {}", peer.user_or("stranger")),
        })
        .handshake::<Chat>(|_| panic!("as the test wants it"));
    let site = Site::start(builder).await;
    let mut ws = Ws::dial(site.address).await;
    let welcome = ws.greet(hello_of("ann")).await;
    let [(namespace, value)] = &welcome.handshake[..] else {
        panic!("one: that of the function that panicked is left out");
    };
    assert_eq!(namespace, "greeting");
    let text = "hello ann".to_owned();
    assert_eq!(
        sente::Codec::Bincode.decode::<Motd>(value).ok(),
        Some(Motd { text })
    );
}

#[tokio::test]
async fn nothing_waits_for_a_client_that_has_not_finished_its_handshake() {
    let handle: Arc<OnceLock<Server>> = Arc::default();
    let (of_handler, of_handshake) = (Arc::clone(&handle), handle);
    let (tried, mut tries) = mpsc::unbounded_channel();
    let builder = Server::builder()
        .serve(move |server| {
            let _ = of_handler.set(server);
            Chat::server(Lobby)
        })
        .handshake::<Chat>(move |peer| {
            let server = of_handshake.get().expect("it is there");
            let joins = server.join(peer, "lobby");
            let sent = Chat::to_client(peer).said("too early");
            let pushed = Chat::to_clients(server.session(peer.session())).said("too early")
                + Chat::to_clients(server.room("lobby")).said("too early")
                + Chat::to_clients(server.everyone()).said("too early");
            let seen = server.room("lobby").count() + server.rooms().len();
            let asked = Chat::to_client(peer).sure("too early?");
            let _ = tried.send((joins, sent, pushed, seen, asked));
        });
    let site = Site::start(builder).await;
    let mut ws = Ws::dial(site.address).await;
    let _ = ws.greet(hello()).await;
    let (joins, sent, pushed, seen, asked) = tries.recv().await.expect("it was called");
    assert!(joins);
    assert!(matches!(sent, Err(SendError::Unconfirmed)), "{sent:?}");
    assert_eq!((pushed, seen), (0, 0));
    let unsent = CallError::Disconnected {
        maybe_executed: false,
    };
    assert_eq!(soon("the failure", asked).await, Err(unsent));

    ws.is_well(1).await;
    assert_eq!(site.server.room("lobby").count(), 1);
    assert_eq!(Chat::to_clients(site.server.room("lobby")).said("now"), 1);
    assert_eq!(ws.item().await, event(SAID, "now"));
}

#[tokio::test]
async fn routes_work_below_others_and_peers_keep_their_request() {
    #[derive(Clone)]
    struct State;
    #[derive(Clone, Debug, PartialEq)]
    struct FromMiddleware(u32);

    let server = lobby().build();
    let app = axum::Router::<State>::new()
        .nest("/api/v1", server.routes("/sente"))
        .layer(axum::Extension(FromMiddleware(7)))
        .with_state(State);
    // The paths of the test's clients lie elsewhere.
    let app = axum::Router::new().nest("/other", app).merge(
        server
            .routes::<()>("sente/")
            .layer(axum::Extension(FromMiddleware(8))),
    );
    let site = Site::serve(server, app).await;
    let headers = [("cookie", "id=1"), ("x-custom", "kept")];
    let mut ws = Ws::dial_with(site.address, &headers)
        .await
        .expect("an upgrade");
    let welcome = ws.greet(hello()).await;
    ws.is_well(1).await;
    let peer = site
        .server
        .session(welcome.session)
        .peer()
        .expect("it is there");
    let request = peer.request();
    assert_eq!(request.headers["cookie"], "id=1");
    assert_eq!(request.headers["x-custom"], "kept");
    assert_eq!(request.uri.path(), "/sente/ws");
    assert_eq!(request.extensions.get(), Some(&FromMiddleware(8)));
    assert!(!format!("{peer:?}").contains("id=1"));
}

#[tokio::test]
async fn connections_break_on_purpose() {
    let site = Site::start(lobby().bad_connection(1.0)).await;
    let (mut ws, _) = {
        let mut ws = Ws::dial(site.address).await;
        let welcome = ws.greet(hello()).await;
        (ws, welcome)
    };
    ws.send(&data(0, 0, vec![])).await;
    assert!(
        ws.try_frame()
            .await
            .is_none_or(|frame| kind(&frame) == "data")
    );
    ws.hung_up().await;
    let answer = post(site.address, [Frame::Hello(Box::new(hello()))]).await;
    assert_eq!(answer.status, 502);
}
