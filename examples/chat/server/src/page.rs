//! The page: files from a directory, and the token that it shows when it connects.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::account;

/// Nothing from elsewhere: scripts and styles are files of the page, and it talks to its own
/// server alone.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The page whose files are in `directory`, as `cargo xtask` builds it, with log-in and log-out.
pub fn routes(directory: PathBuf) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/{file}", get(file))
        .with_state(Arc::new(directory))
        .merge(account::routes())
}

async fn index(State(directory): State<Arc<PathBuf>>, headers: HeaderMap) -> Response {
    let page = match std::fs::read_to_string(directory.join("index.html")) {
        Ok(page) => page,
        Err(error) => return unreadable("index.html", &error),
    };
    let (token, cookie) = account::csrf_token(&headers);
    let headers = [
        cookie,
        (
            CONTENT_SECURITY_POLICY,
            POLICY.parse().expect("it is plain text"),
        ),
        (CACHE_CONTROL, "no-store".parse().expect("it is plain text")),
    ];
    (headers, Html(page.replace("{{csrf-token}}", &token))).into_response()
}

async fn file(State(directory): State<Arc<PathBuf>>, Path(file): Path<String>) -> Response {
    let kind = match file.rsplit('.').next() {
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    // One component of a path, and none that leads out of the directory.
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
    if !file.chars().all(is_plain) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match std::fs::read(directory.join(&file)) {
        // It may be built anew at any time.
        Ok(bytes) => ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], bytes).into_response(),
        Err(error) => unreadable(&file, &error),
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> Response {
    if error.kind() == std::io::ErrorKind::NotFound {
        return StatusCode::NOT_FOUND.into_response();
    }
    tracing::error!(%error, "{file} of the page cannot be read");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
