//! Whose pages may connect: checked before anything else is done for a request.

use std::collections::HashSet;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use sente_proto::{Refused, RefusedReason};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The check of the origin.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// These and no others; `None` for the server's own.
    pub(crate) origins: Option<HashSet<HeaderValue>>,
    pub(crate) trusts_forwarded_host: bool,
}

impl Guard {
    /// Whether the page that makes this request may.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), Refused> {
        // No browser, or no page: whoever can leave it out can write anything into it too.
        let Some(origin) = request.headers.get(ORIGIN) else {
            return Ok(());
        };
        let host = self.host(request);
        let allowed = match &self.origins {
            Some(origins) => origins.contains(&lower(origin)),
            None => origin
                .to_str()
                .is_ok_and(|origin| host.is_some_and(|host| is_same(origin, host))),
        };
        if allowed {
            return Ok(());
        }
        let setting = if self.origins.is_some() {
            "add it to `origins`"
        } else if request.headers.contains_key(X_FORWARDED_HOST) && !self.trusts_forwarded_host {
            "behind a proxy set `trust_forwarded_host`; for pages of other servers set `origins`"
        } else {
            "for pages of other servers set `origins`"
        };
        tracing::warn!(
            ?origin,
            host = host.unwrap_or_default(),
            "a page of another origin may not connect: {setting}"
        );
        Err(Refused {
            status: 403,
            reason: RefusedReason::Origin,
            message: "pages of this origin may not connect: the server's log says what to change"
                .to_owned(),
            retry_after: None,
            codecs: Vec::new(),
        })
    }

    /// The host that the client believes to talk with.
    fn host<'a>(&self, request: &'a Parts) -> Option<&'a str> {
        let named = |name| request.headers.get(name)?.to_str().ok();
        let forwarded = named(X_FORWARDED_HOST)
            .filter(|_| self.trusts_forwarded_host)
            // Of several proxies, the first wrote what the client asked for.
            .and_then(|hosts| hosts.split(',').next())
            .map(str::trim);
        forwarded
            .or_else(|| named(HOST))
            .or_else(|| Some(request.uri.authority()?.as_str()))
    }

    /// What a browser wants to see before it shows an answer to a page of another origin.
    pub(crate) fn allow(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        let Some(origin) = request.get(ORIGIN).filter(|origin| {
            let origins = self.origins.as_ref();
            origins.is_some_and(|origins| origins.contains(&lower(origin)))
        }) else {
            return;
        };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let credentials = HeaderValue::from_static("true");
        answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
        answer.append(header::VARY, HeaderValue::from_static("origin"));
    }

    /// What a browser wants to see before it sends what is not simple.
    pub(crate) fn allow_more(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        self.allow(request, answer);
        if answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            let allowed = HeaderValue::from_static("POST");
            answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allowed);
            let allowed = HeaderValue::from_static("content-type");
            answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
            let seconds = HeaderValue::from_static("600");
            answer.insert(header::ACCESS_CONTROL_MAX_AGE, seconds);
        }
    }
}

fn lower(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(&value.as_bytes().to_ascii_lowercase())
        .unwrap_or_else(|_| value.clone())
}

/// Whether an origin and a host name the same host and port.
fn is_same(origin: &str, host: &str) -> bool {
    // `null`, for instance, which a page in a sandbox sends, has no host.
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let usual = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => 443,
        _ if scheme.eq_ignore_ascii_case("http") => 80,
        _ => return false,
    };
    match (split_port(authority, usual), split_port(host, usual)) {
        (Some((origin, of_origin)), Some((host, of_host))) => {
            !host.is_empty() && of_origin == of_host && origin.eq_ignore_ascii_case(host)
        }
        _ => false,
    }
}

/// Host and port; the port is `usual` where none is written.
fn split_port(authority: &str, usual: u16) -> Option<(&str, u16)> {
    // The colons of an IPv6 address stand in brackets.
    let port_at = match authority.rfind(']') {
        Some(bracket) => authority[bracket..].find(':').map(|at| bracket + at),
        None => authority.find(':'),
    };
    match port_at {
        None => Some((authority, usual)),
        Some(at) => Some((&authority[..at], authority[at + 1..].parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_same_if_host_and_port_are() {
        for (origin, host) in [
            ("https://example.org", "example.org"),
            ("https://example.org", "example.org:443"),
            ("https://Example.ORG", "example.org"),
            ("http://example.org", "example.org:80"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
            ("http://[::1]", "[::1]"),
        ] {
            assert!(is_same(origin, host), "{origin} at {host}");
        }
        for (origin, host) in [
            ("https://example.org", "example.com"),
            ("https://example.org.evil.com", "example.org"),
            ("https://evil.com/example.org", "example.org"),
            ("https://example.org", "example.org:8443"),
            ("http://example.org", "example.org:443"),
            ("http://localhost:3000", "localhost:3001"),
            ("http://localhost:99999", "localhost:99999"),
            ("http://[::1]:3000", "[::2]:3000"),
            ("ftp://example.org", "example.org"),
            ("null", "null"),
            ("null", "example.org"),
            ("", ""),
            ("https://", ""),
        ] {
            assert!(!is_same(origin, host), "{origin} at {host}");
        }
    }
}
