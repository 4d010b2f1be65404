//! WebSockets by tungstenite.

use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, Stream, StreamExt};
use http::header::HeaderMap;
use sente::MaybeSendFuture;
use sente_proto::client::SocketClosed;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::address::Address;
use super::connect::Connect;
use super::options::ByteStream;
use crate::platform::{Form, Socket};

/// tungstenite zeroes its read buffer at each read, so a large one costs more than it brings.
const READ_BUFFER: usize = 4 * 1024;
/// The driver flushes after each batch; a long one begins to go out before.
const WRITE_BUFFER: usize = 64 * 1024;
/// How long saying goodbye may take.
const FAREWELL: Duration = Duration::from_secs(2);

pub(crate) struct NativeSocket {
    stream: WebSocketStream<Box<dyn ByteStream>>,
    text: bool,
}

pub(super) async fn dial(
    address: &Address,
    headers: &HeaderMap,
    connect: &Connect,
    form: Form,
) -> Result<NativeSocket, SocketClosed> {
    let url = address.websocket();
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(|error| failure(format!("`{url}` cannot be asked for: {error}")))?;
    for (name, value) in headers {
        request.headers_mut().append(name, value.clone());
    }
    let stream = connect
        .open()
        .await
        .map_err(|error| failure(error.to_string()))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(form.message))
        .max_frame_size(Some(form.message));
    let (stream, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config))
        .await
        .map_err(|error| failure(not_opened(&error, &url)))?;
    Ok(NativeSocket {
        stream,
        text: form.text,
    })
}

impl Socket for NativeSocket {
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, SocketClosed>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
                Some(Ok(Message::Binary(message))) => Ok(message),
                Some(Ok(Message::Text(message))) => Ok(message.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(frame))) => Err(farewell(frame)),
                Some(Err(error)) => Err(broken(&error)),
                None => Err(failure("the WebSocket ended without a word".to_owned())),
            });
        }
    }

    fn send(&mut self, message: Vec<u8>) -> Result<(), SocketClosed> {
        let message = if self.text {
            let text = Utf8Bytes::try_from(message)
                .map_err(|error| failure(format!("a frame of a text codec is no text: {error}")))?;
            Message::Text(text)
        } else {
            Message::Binary(message.into())
        };
        Pin::new(&mut self.stream)
            .start_send(message)
            .map_err(|error| broken(&error))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SocketClosed>> {
        Pin::new(&mut self.stream)
            .poll_flush(cx)
            .map_err(|error| broken(&error))
    }

    fn close(mut self) -> MaybeSendFuture<()> {
        Box::pin(async move {
            let goodbye = async {
                let frame = CloseFrame {
                    code: CloseCode::Normal,
                    reason: Utf8Bytes::default(),
                };
                if self.stream.close(Some(frame)).await.is_ok() {
                    while let Some(Ok(_)) = self.stream.next().await {}
                }
            };
            // Whoever does not answer a goodbye is left without one.
            let _ = tokio::time::timeout(FAREWELL, goodbye).await;
        })
    }
}

fn farewell(frame: Option<CloseFrame>) -> SocketClosed {
    let (code, reason) = frame.map_or((None, String::new()), |frame| {
        (Some(frame.code.into()), frame.reason.to_string())
    });
    SocketClosed {
        clean: true,
        code,
        reason,
        error: None,
    }
}

fn failure(error: String) -> SocketClosed {
    SocketClosed {
        clean: false,
        code: None,
        reason: String::new(),
        error: Some(error),
    }
}

fn broken(error: &Error) -> SocketClosed {
    match error {
        Error::ConnectionClosed => SocketClosed {
            clean: true,
            ..SocketClosed::default()
        },
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            failure("the connection was cut without a goodbye".to_owned())
        }
        Error::Io(error)
            if matches!(
                error.kind(),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
            ) =>
        {
            failure("the connection was cut without a goodbye".to_owned())
        }
        Error::Io(error) => failure(format!("the connection broke: {error}")),
        Error::Capacity(error) => failure(format!(
            "the server sent more than this client takes ({error}): raise `max_message` in the \
             client's limits"
        )),
        error => failure(format!("the WebSocket broke: {error}")),
    }
}

fn not_opened(error: &Error, url: &str) -> String {
    match error {
        Error::Http(response) => {
            let status = response.status();
            let advice = match status.as_u16() {
                404 => "check the path, the server's routes may be elsewhere",
                401 | 403 => "the server, or a proxy before it, does not let this client in",
                400 | 426 => "a proxy before the server may not pass WebSockets on",
                500.. => "see the server's log",
                _ => "is it a sente server?",
            };
            format!("`{url}` answered {status} and opened no WebSocket: {advice}")
        }
        Error::Io(error) => format!("`{url}` hung up before a WebSocket was open: {error}"),
        error => format!("`{url}` opened no WebSocket: {error}"),
    }
}
