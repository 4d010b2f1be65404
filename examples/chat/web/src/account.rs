//! Log-in and log-out: ordinary requests, beside the connection. The server sets a cookie, which
//! it looks at when the client connects anew.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

use crate::dom;

/// Logs in.
///
/// # Errors
/// What the server says, or why it cannot be asked.
pub(crate) async fn login(name: &str) -> Result<(), String> {
    post("/login", name).await
}

/// Logs out.
///
/// # Errors
/// What the server says, or why it cannot be asked.
pub(crate) async fn logout() -> Result<(), String> {
    post("/logout", "").await
}

async fn post(path: &str, body: &str) -> Result<(), String> {
    let response = send(path, body)
        .await
        .map_err(|_| "the server cannot be reached: try again when it is back".to_owned())?;
    if response.ok() {
        return Ok(());
    }
    let what = text(&response).await.unwrap_or_default();
    if what.is_empty() {
        return Err(format!("the server answered {}", response.status()));
    }
    Err(what)
}

async fn send(path: &str, body: &str) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    headers.set("x-csrf-token", &csrf_token())?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_headers(&headers);
    request.set_body(&body.into());
    let response = JsFuture::from(dom::window().fetch_with_str_and_init(path, &request)).await?;
    response.dyn_into()
}

async fn text(response: &Response) -> Option<String> {
    let text = JsFuture::from(response.text().ok()?).await.ok()?;
    text.as_string()
}

/// The token that the server has put into the page.
fn csrf_token() -> String {
    let meta = dom::document().query_selector("meta[name=csrf-token]");
    meta.ok()
        .flatten()
        .and_then(|meta| meta.get_attribute("content"))
        .unwrap_or_default()
}
