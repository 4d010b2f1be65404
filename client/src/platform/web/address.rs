//! Where the server is: a URL as the page sees it, taken apart and checked once.

use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Url;

use super::signals::DOCUMENT;
use super::text_of;
use crate::error::UrlError;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_namespace = location, js_name = href)]
    static LOCATION: Option<String>;
}

/// The two places of a server: a WebSocket and an address for polls, below one prefix.
#[derive(Debug)]
pub(crate) struct Address {
    /// Where WebSockets are opened.
    pub(crate) websocket: String,
    /// Where polls are posted.
    pub(crate) poll: String,
}

impl Address {
    /// Reads a URL, which may be relative to the page.
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let read = match base() {
            Some(base) => Url::new_with_base(url, &base),
            None => Url::new(url),
        };
        let url = read.map_err(|error| UrlError::Malformed {
            url: UrlError::harmless(url),
            problem: text_of(&error),
        })?;
        let secure = match url.protocol().as_str() {
            "https:" | "wss:" => true,
            "http:" | "ws:" => false,
            other => {
                let scheme = other.trim_end_matches(':');
                return Err(UrlError::Scheme(scheme.to_owned()));
            }
        };
        if !url.username().is_empty() || !url.password().is_empty() {
            return Err(UrlError::Credentials);
        }
        if !url.search().is_empty() || !url.hash().is_empty() {
            return Err(UrlError::Query(url.href()));
        }
        let (host, path) = (url.host(), url.pathname());
        let prefix = path.trim_end_matches('/');
        let end = if secure { "s" } else { "" };
        Ok(Self {
            websocket: format!("ws{end}://{host}{prefix}/ws"),
            poll: format!("http{end}://{host}{prefix}/poll"),
        })
    }
}

/// What relative URLs are relative to.
fn base() -> Option<String> {
    let of_document = DOCUMENT.with(|document| document.as_ref()?.base_uri().ok().flatten());
    of_document.or_else(|| LOCATION.with(Clone::clone))
}
