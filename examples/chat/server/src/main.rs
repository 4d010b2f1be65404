//! The chat server: `chat-server --help` says how to start it.

mod args;

use std::error::Error;
use std::io::{ErrorKind, IsTerminal};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::routing::get;
use axum::serve::ListenerExt;
use chat_contract::{Chat, Lab};
use chat_server::{Handler, LabHandler, authenticate, is_from_page, page};
use sente_server::Server;
use tokio::net::TcpListener;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use args::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let task = match args::parse(std::env::args_os().skip(1)) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("chat-server: {error}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    let args::Task::Serve(options) = task else {
        print!("{}", args::HELP);
        return ExitCode::SUCCESS;
    };
    log_to_stderr();
    match serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat-server: {error}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: setup
async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    let mut builder = Server::builder()
        .authenticate(authenticate)
        .csrf(is_from_page)
        .handshake::<Chat>(Handler::welcome)
        .serve(|server| {
            let handler = Handler::new(server);
            tokio::spawn(handler.watch());
            Chat::server(handler)
        })
        .serve(|server| Lab::server(LabHandler::new(server)));
    if let Some(window) = options.window {
        builder = builder.window(window);
    }
    if let Some(silence) = options.silence {
        builder = builder.silence(silence);
    }
    if let Some(hold) = options.poll_hold {
        builder = builder.poll_hold(hold);
    }
    let sente = builder.build();
    let has_page = options.page.is_some();
    let app = match options.page {
        Some(directory) => page::routes(directory),
        None => axum::Router::new().route("/", get(hint)),
    }
    .merge(sente.routes("/sente"));

    let listener = listen(options.listen).await?;
    announce(listener.local_addr()?, has_page);
    // Or the system holds small events back until the ones before have arrived.
    let listener = listener.tap_io(|tcp| {
        let _ = tcp.set_nodelay(true);
    });
    axum::serve(listener, app)
        .with_graceful_shutdown(sente.shutdown_on(interrupt(), Duration::from_secs(10)))
        .await?;
    Ok(())
}
// ANCHOR_END: setup

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        let problem = match error.kind() {
            ErrorKind::AddrInUse => format!("another program listens on {address}: end it, or"),
            _ => format!("cannot listen on {address} ({error}):"),
        };
        format!(
            "{problem} choose another address by `--listen 127.0.0.1:PORT`, or any free port by \
             `--listen 127.0.0.1:0`"
        )
    })
}

/// On standard output: where the server is, and how to join.
fn announce(address: SocketAddr, has_page: bool) {
    // Nobody can go to the address that stands for all of them.
    let host = match address.ip() {
        ip if ip.is_unspecified() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    };
    let invitation = invitation(&host);
    let how = if has_page {
        format!(
            "\n\n  Open it in a browser, in several windows at once; or join from a terminal:\n    \
             {invitation}\n  \
             Ctrl-C ends it; the clients notice, and come back when it does.\n"
        )
    } else {
        format!(" – join by: {invitation}")
    };
    // In one piece, for those who read only the first line.
    let announcement = format!("chat-server listens on http://{host}{how}\n");
    print!("{announcement}");
}

fn invitation(host: &str) -> String {
    format!("cargo run -p chat-cli -- --name YOU --url http://{host}/sente")
}

/// For those who open the address in a browser.
async fn hint(headers: HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let invitation = invitation(host.unwrap_or("127.0.0.1:4747"));
    format!(
        "This is the chat server of sente's examples. Join it from a terminal:\n\n    {invitation}\n"
    )
}

/// Ends with Ctrl-C or, where there are such signals, with a polite request to end.
async fn interrupt() {
    let ctrl_c = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be noticed; end this process by other means");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending();
    tokio::select! {
        () = ctrl_c => {}
        () = terminated => {}
    }
    eprintln!("chat-server: ending within 10 s; clients are told. Ctrl-C again ends at once.");
    tokio::spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
}

fn log_to_stderr() {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let filter: Targets = wanted.parse().unwrap_or_default();
    let filter = if wanted.is_empty() {
        filter.with_default(LevelFilter::INFO)
    } else {
        filter
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .init();
}
