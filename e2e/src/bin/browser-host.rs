//! The server of the tests in browsers: `browser-host ADDRESS ORIGIN`. `cargo xtask browser`
//! starts it.
//!
//! * `/sente`: all that there is, for pages of that origin
//! * `/poll-only`: the same by polling, until a request to `/poll-only/open`
//! * `/strict`: wants the token `sesame` against cross-site request forgery
//! * `/sealed`: for pages of its own origin only
//! * `/other`: speaks another version of the contract
//! * `/mortal`: is stopped by a request to `/mortal/stop`, and another one is there at once
//! * `/short`: keeps sessions for half a second; `/short/sessions` says how many there are
//! * `/brief`: holds polls for half a second
//! * `/html`: is no server of sente's, and answers everything with a page
//! * `/flood`: answers without end

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, post};
use futures_util::stream;
use sente_browser_tests::{Greeting, House, HouseServer, Unfit};
use sente_server::{Builder, Handshake, Identity, Peer, Refusal, Server};
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(origin)) = (arguments.next(), arguments.next()) else {
        return Err("Usage: browser-host ADDRESS ORIGIN".into());
    };
    let listener = TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    let app = app(&origin);
    axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await?;
    Ok(())
}

fn app(origin: &str) -> Router {
    let open = || Server::builder().origins([origin]);
    let main = house(open());
    let strict = house(open().csrf(|handshake| handshake.csrf() == Some("sesame")));
    let others = open()
        .authenticate(authenticate)
        .serve(|_| other::House::server(other::Here))
        .build();
    Router::new()
        .merge(main.routes("/sente"))
        .merge(poll_only(&main))
        .merge(strict.routes("/strict"))
        .merge(house(Server::builder()).routes("/sealed"))
        .merge(others.routes("/other"))
        .merge(short(open()))
        .merge(house(open().poll_hold(Duration::from_millis(500))).routes("/brief"))
        .merge(mortal(origin.to_owned()))
        .merge(foreign(origin))
}

/// An answer to a test, whose page may read it.
fn told(text: impl ToString) -> impl IntoResponse {
    (
        [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")],
        text.to_string(),
    )
}

/// A server that answers [`House`].
fn house(builder: Builder) -> Server {
    builder
        .authenticate(authenticate)
        .handshake::<House>(|peer| Greeting {
            to: peer.user_or("stranger").to_string(),
        })
        .serve(|server| {
            House::server(Handler {
                server,
                open: Notify::new(),
            })
        })
        .build()
}

/// By a token, else by a cookie, else nobody.
async fn authenticate(handshake: Handshake) -> Result<Identity, Refusal> {
    let user = handshake.token().or_else(|| cookie(handshake.headers()));
    match user {
        Some("wrong") => Err(Refusal::unauthorized("that token is wrong")),
        Some(name) => Ok(Identity::user(name)),
        None => Ok(Identity::anonymous()),
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split("; ")
        .find_map(|cookie| cookie.strip_prefix("user="))
}

struct Handler {
    server: Server,
    open: Notify,
}

impl HouseServer for Handler {
    async fn halve(&self, _: &Peer, number: u32) -> Result<u32, Unfit> {
        if number.is_multiple_of(2) {
            Ok(number / 2)
        } else {
            Err(Unfit::Odd { number })
        }
    }

    async fn echo(&self, _: &Peer, text: String) -> String {
        text
    }

    async fn wait(&self, _: &Peer) -> u32 {
        self.open.notified().await;
        7
    }

    async fn open(&self, _: &Peer) {
        self.open.notify_one();
    }

    async fn count(&self, from: &Peer, number: u32) {
        // A session that has just ended hears nothing more.
        let _ = House::to_client(from).counted(number);
    }

    async fn count_for_all(&self, from: &Peer, number: u32) {
        House::to_clients(self.server.user(from.user_or("nobody"))).counted(number);
    }

    async fn ask_me(&self, from: &Peer) -> String {
        match House::to_client(from).ask("who?").await {
            Ok(answer) => answer,
            Err(error) => error.to_string(),
        }
    }

    async fn sessions(&self, from: &Peer) -> u32 {
        let sessions = self.server.user(from.user_or("nobody")).count();
        u32::try_from(sessions).unwrap_or(u32::MAX)
    }

    async fn kick_me(&self, from: &Peer) {
        self.server.kick(from.session(), "you asked for it");
    }
}

/// The namespace of an older program.
mod other {
    use sente_server::Peer;

    #[sente::events(namespace = "house")]
    pub(super) enum House {
        /// It once took text.
        #[to_server(reply = u32)]
        Halve { number: String },

        /// As it is now.
        #[to_server]
        Count { number: u32 },

        #[to_client]
        Counted { number: u32 },
    }

    pub(super) struct Here;

    impl HouseServer for Here {
        async fn halve(&self, _: &Peer, number: String) -> u32 {
            number.len() as u32
        }

        async fn count(&self, from: &Peer, number: u32) {
            // A session that has just ended hears nothing more.
            let _ = House::to_client(from).counted(number);
        }
    }
}

/// The same server behind a proxy that does not know WebSockets, until it is told to.
fn poll_only(server: &Server) -> Router {
    let open = Arc::<AtomicBool>::default();
    let switch = |to: bool| {
        let open = Arc::clone(&open);
        post(async move || {
            open.store(to, Ordering::Relaxed);
            told("done")
        })
    };
    let door = Arc::clone(&open);
    server
        .routes("/poll-only")
        .layer(from_fn(move |request: Request, next: Next| {
            let refuses = request.uri().path().ends_with("/ws") && !door.load(Ordering::Relaxed);
            async move {
                if refuses {
                    return StatusCode::BAD_REQUEST.into_response();
                }
                next.run(request).await
            }
        }))
        .route("/poll-only/open", switch(true))
        .route("/poll-only/close", switch(false))
}

/// A server that soon forgets who has gone.
fn short(builder: Builder) -> Router {
    let server = house(builder.window(Duration::from_millis(500)));
    let sessions = server.clone();
    server.routes("/short").route(
        "/short/sessions",
        post(async move || told(sessions.sessions())),
    )
}

/// A server that can be replaced by a new one, as by a restart of its program.
fn mortal(origin: String) -> Router {
    let born = move || house(Server::builder().origins([&origin]));
    let living = Arc::new(Mutex::new(born()));
    let stopping = Arc::clone(&living);
    Router::new()
        .route(
            "/mortal/stop",
            post(async move || {
                let next = born();
                let last = {
                    let mut living = stopping.lock().unwrap_or_else(PoisonError::into_inner);
                    std::mem::replace(&mut *living, next)
                };
                last.shutdown(Duration::ZERO).await;
                told("done")
            }),
        )
        .route(
            "/mortal/{*rest}",
            any(async move |request: Request| {
                let routes = {
                    let living = living.lock().unwrap_or_else(PoisonError::into_inner);
                    living.routes("/mortal")
                };
                tower_service::Service::call(&mut routes.with_state::<()>(()), request).await
            }),
        )
}

/// What is no server of sente's, but lets pages look.
fn foreign(origin: &str) -> Router {
    let Ok(origin) = HeaderValue::from_str(origin) else {
        return Router::new();
    };
    Router::new()
        .route(
            "/html/{*rest}",
            any(async || Html("<!doctype html><title>Welcome</title>")),
        )
        .route(
            "/flood/{*rest}",
            any(async || {
                let part = Bytes::from_static(&[b'a'; 64 * 1024]);
                Body::from_stream(stream::repeat_with(move || {
                    Ok::<_, Infallible>(part.clone())
                }))
            }),
        )
        .layer(from_fn(move |request: Request, next: Next| {
            let origin = origin.clone();
            async move {
                let mut response: Response = next.run(request).await;
                let headers = response.headers_mut();
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                for (name, value) in [
                    (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
                    (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
                ] {
                    headers.insert(name, HeaderValue::from_static(value));
                }
                response
            }
        }))
}
