//! Where the server is: a URL as the page sees it, taken apart and checked once.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Url;

use super::text_of;
use crate::error::UrlError;

#[wasm_bindgen]
extern "C" {
    type Request;
    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str) -> Result<Request, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn url(this: &Request) -> String;
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
        // A request has a whole address at once, in pages and in workers; the empty one has that
        // which all others are relative to.
        let whole = match Request::new("") {
            Ok(here) => Url::new_with_base(url, &here.url()),
            // In a page without an address.
            Err(_) => Url::new(url),
        };
        let whole = whole.map_err(|error| UrlError::Malformed {
            url: UrlError::harmless(url),
            problem: text_of(&error),
        })?;
        // The browser has brought it into one form: a scheme, `://`, a host, and a path that begins
        // with `/`. Taken apart by bytes, for that keeps pages small.
        let whole = whole.href();
        let end_of_scheme = whole
            .bytes()
            .position(|byte| byte == b':')
            .unwrap_or_default();
        let (scheme, rest) = whole.split_at_checked(end_of_scheme).unwrap_or_default();
        let secure = match scheme {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => return Err(UrlError::Scheme(scheme.to_owned())),
        };
        if rest.bytes().any(|byte| matches!(byte, b'?' | b'#')) {
            return Err(UrlError::Query(UrlError::harmless(url)));
        }
        let mut host = rest.bytes().skip(3).take_while(|byte| *byte != b'/');
        if host.any(|byte| byte == b'@') {
            return Err(UrlError::Credentials);
        }
        let mut prefix = rest;
        while let Some(shorter) = prefix.strip_suffix('/') {
            prefix = shorter;
        }
        let end = if secure { "s" } else { "" };
        Ok(Self {
            websocket: format!("ws{end}{prefix}/ws"),
            poll: format!("http{end}{prefix}/poll"),
        })
    }
}
