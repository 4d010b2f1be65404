//! What a client shows when it connects, and the copy of its request that a peer keeps.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, OriginalUri};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use sente::Peer;
use sente_proto::Carrier;
use sente_proto::Secret;
use sente_proto::frame::{Authenticate, Hello};

/// A client that asks to be let in: its request and what its hello says. Cheap to clone.
///
/// `Debug` shows nothing of what the client sent.
#[derive(Clone)]
pub struct Handshake(Arc<Inner>);

struct Inner {
    request: Parts,
    token: Option<Secret<String>>,
    csrf: Option<Secret<String>>,
    device: Option<Box<str>>,
    carrier: Carrier,
    is_resume: bool,
}

impl Handshake {
    pub(crate) fn new(request: Parts, hello: &mut Hello, carrier: Carrier) -> Self {
        Self(Arc::new(Inner {
            request,
            token: hello.token.take(),
            csrf: hello.csrf.take(),
            device: hello.device.take().map(String::into_boxed_str),
            carrier,
            is_resume: hello.resume.is_some(),
        }))
    }

    /// What a client shows in the middle of its session, beside what it showed at the beginning.
    pub(crate) fn again(peer: &Peer, shown: Authenticate, carrier: Carrier) -> Self {
        Self(Arc::new(Inner {
            request: copied(peer.request()),
            token: shown.token,
            csrf: shown.csrf,
            device: peer.device().map(Into::into),
            carrier,
            is_resume: true,
        }))
    }

    /// The request: headers, cookies, URI, and what middleware has left in the extensions.
    #[must_use]
    pub fn request(&self) -> &Parts {
        &self.0.request
    }

    /// The headers of the request.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.request.headers
    }

    /// The token that the client gave, if it gave one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.0.token.as_ref().map(|token| token.reveal().as_str())
    }

    /// The client's token against cross-site request forgery, if it gave one.
    #[must_use]
    pub fn csrf(&self) -> Option<&str> {
        self.0.csrf.as_ref().map(|token| token.reveal().as_str())
    }

    /// The name that the client gives its device. It is worth nothing for security.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        self.0.device.as_deref()
    }

    /// The carrier on which it comes.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        self.0.carrier
    }

    /// Whether it asks to go on with a session, or is in the middle of one and shows itself anew. It
    /// may have to begin a fresh one all the same.
    #[must_use]
    pub fn is_resume(&self) -> bool {
        self.0.is_resume
    }

    /// The address of the other end, where the program serves with
    /// `into_make_service_with_connect_info::<SocketAddr>()`. Behind a proxy it is the proxy's.
    #[must_use]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        let info = self.0.request.extensions.get::<ConnectInfo<SocketAddr>>();
        info.map(|ConnectInfo(address)| *address)
    }

    /// The request for a peer to keep, without the headers that made the WebSocket.
    pub(crate) fn to_request(&self) -> Parts {
        copied(&self.0.request)
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("carrier", &self.0.carrier)
            .field("is_resume", &self.0.is_resume)
            .finish_non_exhaustive()
    }
}

/// The largest head of a request, in bytes. A peer keeps it as long as its session lasts, and hyper
/// lets through hundreds of kilobytes.
pub(crate) const MOST: usize = 32 * 1024;

/// How many bytes the head of a request takes, about.
pub(crate) fn size(request: &Parts) -> usize {
    let path = request.uri.path_and_query();
    let path = path.map_or(0, |path| path.as_str().len());
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len());
    path + headers.sum::<usize>()
}

/// A copy that shares no memory with `parts`: their headers and URIs are slices of the buffer that
/// the connection was read into, and a peer would keep all of it.
fn copied(parts: &Parts) -> Parts {
    let (mut copy, ()) = http::Request::new(()).into_parts();
    copy.method = parts.method.clone();
    copy.version = parts.version;
    copy.uri = copied_uri(&parts.uri);
    let kept = || {
        parts
            .headers
            .iter()
            .filter(|(name, _)| !is_of_connection(name))
    };
    copy.headers = HeaderMap::with_capacity(kept().count());
    for (name, value) in kept() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        let copied = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(mut copied)) = (name, copied) {
            copied.set_sensitive(value.is_sensitive());
            copy.headers.append(name, copied);
        }
    }
    copy.extensions = parts.extensions.clone();
    if let Some(OriginalUri(uri)) = parts.extensions.get::<OriginalUri>() {
        copy.extensions.insert(OriginalUri(copied_uri(uri)));
    }
    copy
}

/// Headers that say how the connection came about and nothing of the client. In many handshakes
/// they are most of all.
fn is_of_connection(name: &HeaderName) -> bool {
    let of_connection = [header::CONNECTION, header::UPGRADE, header::CONTENT_LENGTH];
    of_connection.contains(name) || name.as_str().starts_with("sec-websocket-")
}

fn copied_uri(uri: &Uri) -> Uri {
    Uri::try_from(uri.to_string()).unwrap_or_default()
}
