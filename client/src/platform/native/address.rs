//! Where the server is: a URL, taken apart and checked once.

use http::Uri;

use crate::error::UrlError;

/// The two places of a server: a WebSocket and an address for polls, below one prefix.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Address {
    pub(crate) secure: bool,
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host and port as they were written.
    authority: String,
    /// The path, without a slash at its end.
    prefix: String,
}

impl Address {
    /// Reads an absolute URL.
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(UrlError::NoScheme(UrlError::harmless(url)));
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => return Err(UrlError::Scheme(UrlError::harmless(scheme))),
        };
        if rest.contains(['?', '#']) {
            return Err(UrlError::Query(UrlError::harmless(url)));
        }
        let uri: Uri = format!("{}://{rest}", if secure { "https" } else { "http" })
            .parse()
            .map_err(|error: http::uri::InvalidUri| UrlError::Malformed {
                url: UrlError::harmless(url),
                problem: error.to_string(),
            })?;
        let authority = uri
            .authority()
            .ok_or_else(|| UrlError::NoHost(UrlError::harmless(url)))?;
        if authority.as_str().contains('@') {
            return Err(UrlError::Credentials);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(UrlError::NoHost(UrlError::harmless(url)));
        }
        let port = match (authority.port_u16(), authority.as_str().rsplit_once(']')) {
            (Some(port), _) => port,
            // `http` reads a port that is no number as no port.
            (None, Some((_, after))) if !after.is_empty() => return Err(bad_port(url)),
            (None, None) if authority.as_str().contains(':') => return Err(bad_port(url)),
            (None, _) if secure => 443,
            (None, _) => 80,
        };
        Ok(Self {
            secure,
            host,
            port,
            authority: authority.as_str().to_owned(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Where WebSockets are opened.
    pub(crate) fn websocket(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}{}/ws", self.authority, self.prefix)
    }

    /// Where polls are posted.
    pub(crate) fn poll(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{}/poll", self.authority, self.prefix)
    }
}

fn bad_port(url: &str) -> UrlError {
    UrlError::Malformed {
        url: UrlError::harmless(url),
        problem: "the port is no number from 0 to 65535".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_places_are_below_the_prefix() {
        let address = Address::parse("https://example.org/sente/").unwrap();
        assert_eq!(address.websocket(), "wss://example.org/sente/ws");
        assert_eq!(address.poll(), "https://example.org/sente/poll");
        assert_eq!((address.host.as_str(), address.port), ("example.org", 443));

        let address = Address::parse("ws://[::1]:8080").unwrap();
        assert_eq!(address.websocket(), "ws://[::1]:8080/ws");
        assert_eq!((address.host.as_str(), address.port), ("::1", 8080));
        assert_eq!(Address::parse("HTTP://a").unwrap().port, 80);
    }

    #[test]
    fn a_bad_url_says_what_is_bad() {
        let error = |url| Address::parse(url).unwrap_err();
        assert!(matches!(error("example.org/sente"), UrlError::NoScheme(_)));
        assert!(matches!(error("ftp://example.org"), UrlError::Scheme(_)));
        assert!(matches!(error("http://a/b?c=d"), UrlError::Query(_)));
        assert!(matches!(error("http://a b"), UrlError::Malformed { .. }));
        assert!(matches!(error("http://a:x"), UrlError::Malformed { .. }));
        assert!(matches!(
            error("http://a:99999"),
            UrlError::Malformed { .. }
        ));
        assert!(matches!(
            error("http:///sente"),
            UrlError::NoHost(_) | UrlError::Malformed { .. }
        ));
        let secret = error("http://ann:secret@example.org");
        assert!(matches!(secret, UrlError::Credentials));
        assert!(
            !error("ann:secret@example.org")
                .to_string()
                .contains("secret")
        );
    }
}
