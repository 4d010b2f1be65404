//! Requests by hyper, over connections that are kept for the next.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use sente::MaybeSendFuture;
use sente_proto::client::Response;
use sente_proto::frame::POLLS;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

use super::address::Address;
use super::connect::{Connect, ConnectError};
use super::options::ByteStream;
use crate::error::{SetupError, UrlError};
use crate::platform::Form;

/// Less than the idle time-outs of servers and proxies, which are a minute and more: a request
/// should not meet a connection that is just being closed.
const KEEP: Duration = Duration::from_secs(45);

/// Connections, and what is under way on them.
type Pool = Client<Connector, Full<Bytes>>;

/// Posts to one address.
#[derive(Clone)]
pub(super) struct Http {
    connector: Connector,
    pool: Arc<Mutex<Pool>>,
    uri: Uri,
    headers: Arc<HeaderMap>,
}

impl Http {
    pub(super) fn new(
        address: &Address,
        headers: Arc<HeaderMap>,
        connect: Arc<Connect>,
    ) -> Result<Self, SetupError> {
        let url = address.poll();
        let uri = Uri::try_from(&url).map_err(|error| UrlError::Malformed {
            url,
            problem: error.to_string(),
        })?;
        let connector = Connector(connect);
        Ok(Self {
            pool: Arc::new(Mutex::new(pool(connector.clone()))),
            connector,
            uri,
            headers,
        })
    }

    pub(super) fn post(
        &self,
        form: Form,
        body: Vec<u8>,
        timeout: Duration,
        fresh: bool,
    ) -> MaybeSendFuture<Result<Response, String>> {
        if fresh {
            self.forget_connections();
        }
        let this = self.clone();
        Box::pin(async move {
            match tokio::time::timeout(timeout, this.exchange(form, body)).await {
                Ok(response) => response,
                Err(_) => {
                    this.forget_connections();
                    Err(format!(
                        "`{}` did not answer within {} s: check the network and the server",
                        this.uri,
                        timeout.as_secs_f32()
                    ))
                }
            }
        })
    }

    /// The next request is not to meet a connection that was kept: where one has broken or gone dead,
    /// those beside it probably have as well.
    fn forget_connections(&self) {
        *lock(&self.pool) = pool(self.connector.clone());
    }

    async fn exchange(&self, form: Form, body: Vec<u8>) -> Result<Response, String> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        let content_type = HeaderValue::from_static(form.content_type());
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        let client = lock(&self.pool).clone();
        let response = client.request(request).await.map_err(|error| {
            self.forget_connections();
            self.failed(&error)
        })?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), form.body)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    let (uri, limit) = (&self.uri, form.body);
                    format!(
                        "`{uri}` answered with more than the {limit} bytes that this client takes"
                    )
                } else {
                    format!("the answer of `{}` broke off: {error}", self.uri)
                }
            })?
            .to_bytes();
        Ok(Response { status, body })
    }

    /// The own words for a connection that could not be had; hyper's for the rest.
    fn failed(&self, error: &(dyn Error + 'static)) -> String {
        let mut cause = Some(error);
        let mut last = String::new();
        while let Some(error) = cause {
            if let Some(own) = error.downcast_ref::<ConnectError>() {
                return own.to_string();
            }
            last = error.to_string();
            cause = error.source();
        }
        format!("the connection to `{}` broke: {last}", self.uri)
    }
}

fn pool(connector: Connector) -> Pool {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEEP)
        // Those that are held, one that sends. One more would have to be dialled each time, and a poll
        // on it would come late.
        .pool_max_idle_per_host(usize::from(POLLS) + 1)
        .build(connector)
}

fn lock(pool: &Mutex<Pool>) -> MutexGuard<'_, Pool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens connections for hyper.
#[derive(Clone)]
struct Connector(Arc<Connect>);

impl Service<Uri> for Connector {
    type Response = TokioIo<Opened>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connect = Arc::clone(&self.0);
        Box::pin(async move { Ok(TokioIo::new(Opened(connect.open().await?))) })
    }
}

/// A stream that hyper takes.
struct Opened(Box<dyn ByteStream>);

impl Connection for Opened {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Opened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Opened {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
