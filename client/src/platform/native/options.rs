//! What only programs with threads can choose: headers, TLS, another transport than TCP.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use sente::driver::System;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::builder::ClientBuilder;
use crate::error::SetupError;
use crate::random::Random;

/// A stream of bytes that a client can speak over, for [`ClientBuilder::transport`].
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> ByteStream for S {}

/// A function that opens streams of bytes instead of TCP.
#[derive(Clone)]
pub(super) struct Transport(pub(super) Arc<Open>);

type Open = dyn Fn(String, u16) -> Opening + Send + Sync;
type Opening = Pin<Box<dyn Future<Output = std::io::Result<Box<dyn ByteStream>>> + Send>>;

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

/// What a builder keeps for this platform.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(super) headers: HeaderMap,
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
    pub(super) transport: Option<Transport>,
    pub(super) system: Option<Simulated>,
}

/// What stands in for the operating system.
#[derive(Clone)]
pub(super) struct Simulated(pub(super) Arc<dyn System>);

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Simulated")
    }
}

/// What only programs with threads can choose; browsers choose for their pages.
impl ClientBuilder {
    /// Sends a header with the WebSocket's handshake and with every request. Default: none.
    ///
    /// ```no_run
    /// use sente_client::Client;
    ///
    /// let builder = Client::builder("https://example.org/sente").header("cookie", "session=abc");
    /// ```
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.platform.headers.append(name, value);
            }
            _ => self.fail(SetupError::Header {
                name: name.to_owned(),
            }),
        }
        self
    }

    /// Uses another configuration of TLS: own certificates, or another provider of cryptography.
    ///
    /// By default the system's certificates are trusted and graviola is the provider, which there
    /// is for x86-64 (processors since about 2014) and aarch64; programs for others give a
    /// configuration. Its ALPN protocols are not used: a client speaks HTTP/1.1 alone.
    ///
    /// ```no_run
    /// use sente_client::Client;
    ///
    /// # fn example(config: rustls::ClientConfig) {
    /// let builder = Client::builder("https://example.org/sente").tls(config);
    /// # }
    /// ```
    pub fn tls(mut self, config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        self.platform.tls = Some(config.into());
        self
    }

    /// Opens streams of bytes by `open`, given a host and a port, instead of by TCP: through a
    /// proxy, or on a simulated network. TLS goes over them where the URL says so.
    ///
    /// ```no_run
    /// use sente_client::Client;
    /// use tokio::net::TcpStream;
    ///
    /// let builder = Client::builder("http://example.org/sente")
    ///     .transport(|_host, _port| TcpStream::connect("127.0.0.1:8080"));
    /// ```
    pub fn transport<F, Answer, S>(mut self, open: F) -> Self
    where
        F: Fn(String, u16) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = std::io::Result<S>> + Send + 'static,
        S: ByteStream,
    {
        self.platform.transport = Some(Transport(Arc::new(move |host, port| {
            let opening = open(host, port);
            Box::pin(async move { Ok(Box::new(opening.await?) as Box<dyn ByteStream>) })
        })));
        self
    }

    /// Takes the time of day, random numbers and tasks from `system`: for simulations alone, since
    /// who can foresee the numbers can take over the session. `sente-test` sets it.
    #[doc(hidden)]
    pub fn system(mut self, system: Arc<dyn System>) -> Self {
        self.platform.system = Some(Simulated(Arc::clone(&system)));
        self.random = Some(Random(Box::new(move || system.random())));
        self
    }
}
