//! Two servers behind one address, and a balancer that does not know who belongs where.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use futures_util::StreamExt;
use sente_client::{CarrierChoice, CloseReason, ConnectionEnd, State};
use sente_e2e::{Host, Talk, connect, soon};
use tokio::net::TcpListener;
use tower_service::Service;

/// Sends each request to the other server in turn; or all to one, as sticky routing does with those
/// of one client.
struct Balancer {
    url: String,
    is_sticky: Arc<AtomicBool>,
}

impl Balancer {
    async fn start(servers: [Router; 2]) -> Self {
        let is_sticky = Arc::<AtomicBool>::default();
        let (sticks, turns) = (Arc::clone(&is_sticky), Arc::<AtomicUsize>::default());
        let app = Router::new().fallback(move |request: Request| {
            let turn = turns.fetch_add(1, Ordering::SeqCst);
            let place = if sticks.load(Ordering::SeqCst) {
                0
            } else {
                turn % 2
            };
            let mut server = servers[place].clone();
            async move { server.call(request).await }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sente", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, is_sticky }
    }
}

async fn two_servers() -> ([Host; 2], Balancer) {
    let hosts = [
        Host::start(|builder| builder).await,
        Host::start(|builder| builder).await,
    ];
    let servers = hosts.each_ref().map(|host| host.server.routes("/sente"));
    let balancer = Balancer::start(servers).await;
    (hosts, balancer)
}

#[tokio::test]
async fn a_poll_that_meets_the_wrong_server_is_told_exactly_that() {
    let (hosts, balancer) = two_servers().await;
    let mut states = None;
    let (client, _heard) = connect(&balancer.url, CarrierChoice::Poll, |builder| {
        states = Some(builder.states());
        builder
    });
    let says = |state: &State| {
        let says = state.last_poll_error.as_deref();
        says.is_some_and(|error| error.contains("polling needs sticky routing"))
    };
    let mut states = states.unwrap();
    let told = async {
        while let Some(change) = states.next().await {
            let last = change.new.last_close.as_ref().map(|close| &close.reason);
            if says(&change.new) && last == Some(&ConnectionEnd::Server(CloseReason::WrongServer)) {
                return;
            }
        }
        panic!("the client is gone");
    };
    soon("that several servers answer", told).await;
    let wrong: u64 = hosts
        .iter()
        .map(|host| host.server.counts().closed(CloseReason::WrongServer))
        .sum();
    assert!(wrong > 0);

    balancer.is_sticky.store(true, Ordering::SeqCst);
    assert_eq!(
        soon("an answer", Talk::to_server(&client).wait(0)).await,
        Ok(0)
    );
}

#[tokio::test]
async fn a_websocket_stays_where_it_is() {
    let (hosts, balancer) = two_servers().await;
    let (client, _heard) = connect(&balancer.url, CarrierChoice::WebSocket, |builder| builder);
    for number in 0..10 {
        let answer = soon("an answer", Talk::to_server(&client).wait(number)).await;
        assert_eq!(answer, Ok(number));
    }
    let sessions: usize = hosts.iter().map(|host| host.server.sessions()).sum();
    assert_eq!(sessions, 1);
}
