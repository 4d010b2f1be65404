//! The WebSocket carrier: its handshake and its end. One task a connection.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use http::request::Parts;
use sente_proto::frame::Frame;
use sente_proto::{Carrier, Close, CloseReason, Refused, wire};
use tokio_tungstenite::tungstenite;

use crate::hub::Service;
use crate::line::Line;
use crate::open::{self, Admitted, NotAdmitted};
use crate::routes::{Form, answer_refusal, unstored};

/// It is zeroed at each read and kept for each connection: larger ones were measured to be slower
/// and to cost their size.
const READ_BUFFER: usize = 4 * 1024;
/// Frames are small and flushed together.
const WRITE_BUFFER: usize = 4 * 1024;
/// How long the other side's goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long a hello may take once the server shuts down.
const LATE_HELLO: Duration = Duration::from_secs(1);

/// Makes a WebSocket of a request.
pub(crate) async fn upgrade(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (mut request, _body) = request.into_parts();
    if let Err(refusal) = service.check(&request) {
        return answer_refusal(&service, Form::Binary, refusal);
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut request, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return unstored(rejection.into_response()),
    };
    let limits = &service.hub.limits;
    let largest = wire::MAX_FRAME.max(limits.max_message + wire::OVERHEAD);
    let counted = service.hub.carriers.enter();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(largest)
        .max_frame_size(largest)
        .on_upgrade(move |socket| {
            // In a box, because it is large and over soon, while the connection may last for days.
            let greeting = Box::pin(greet(service, socket, request));
            async move {
                let line = greeting.await;
                if let Some(line) = line {
                    line.serve().await;
                }
                drop(counted);
            }
        })
}

// ---- the handshake ----

/// Waits for the hello and answers it.
async fn greet(service: Arc<Service>, mut socket: WebSocket, request: Parts) -> Option<Box<Line>> {
    let bytes = match first_message(&service, &mut socket).await {
        Ok(bytes) => bytes,
        Err(end) => {
            end.say(&mut socket, Form::Binary).await;
            return None;
        }
    };
    let form = if wire::is_text_hello(&bytes) {
        Form::Text
    } else {
        Form::Binary
    };
    let admitted = match wire::decode(form.codec(), &bytes, &service.hub.limits.wire()) {
        Ok(Frame::Hello(hello)) => {
            open::admit(&service, request, *hello, form, Carrier::WebSocket).await
        }
        Ok(_) => Err(NotAdmitted::Closed(
            service.hub.reject(CloseReason::Unexpected),
        )),
        Err(error) => Err(NotAdmitted::Closed(service.hub.reject(error.reason()))),
    };
    match admitted {
        Ok(Admitted {
            client,
            epoch,
            codec,
            welcome,
        }) => {
            // From here on the line gives the session back, whatever happens.
            let mut line = Box::new(Line::new(service, socket, client, epoch));
            let mut bytes = Vec::new();
            wire::encode(codec, &welcome, &mut bytes);
            line.say_first(message(form, bytes)).ok()?;
            Some(line)
        }
        Err(NotAdmitted::Refused(refusal)) => {
            service.hub.counts.refuse(refusal.refused.reason);
            let end = End::Refused(refusal.refused);
            end.say(&mut socket, form).await;
            None
        }
        Err(NotAdmitted::Closed(close)) => {
            End::Close(close).say(&mut socket, form).await;
            None
        }
    }
}

async fn first_message(service: &Service, socket: &mut WebSocket) -> Result<Bytes, End> {
    let mut draining = service.hub.draining.subscribe();
    let first = async {
        loop {
            match poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await {
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
                Some(Ok(Message::Text(text))) => return Ok(text.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Err(error)) => {
                    let end = End::of(error);
                    if let End::Close(close) = &end {
                        service.hub.counts.close(close.reason);
                    }
                    return Err(end);
                }
                Some(Ok(Message::Close(_))) => return Err(End::Left),
                None => return Err(End::Lost),
            }
        }
    };
    let too_late = async {
        draining.wait_for(|draining| *draining).await.ok()?;
        tokio::time::sleep(LATE_HELLO).await;
        let hub = &service.hub;
        hub.sessions().closed(|| hub.around.random())
    };
    tokio::select! {
        // By chance it would not be the same in each run of a simulation.
        biased;
        first = first => first,
        () = tokio::time::sleep(service.hub.limits.handshake) => {
            Err(End::Close(service.hub.reject(CloseReason::HandshakeTimeout)))
        }
        // A session that is there may still be resumed, so the hello is waited for, but not for long.
        Some(refused) = too_late => {
            service.hub.counts.refuse(refused.reason);
            Err(End::Refused(Box::new(refused)))
        }
    }
}

pub(crate) fn message(form: Form, frame: Vec<u8>) -> Message {
    match form {
        Form::Binary => Message::Binary(frame.into()),
        // Text codecs write nothing else; a frame that is not UTF-8 cannot be.
        Form::Text => match String::from_utf8(frame) {
            Ok(text) => Message::Text(text.into()),
            Err(error) => Message::Binary(error.into_bytes().into()),
        },
    }
}

// ---- the end ----

/// Why a WebSocket no longer serves a session.
pub(crate) enum End {
    /// It is gone.
    Lost,
    /// The client has said that it goes, or has closed it.
    Left,
    /// The client is to be told this.
    Close(Close),
    /// The client's hello is refused.
    Refused(Box<Refused>),
}

impl End {
    pub(crate) fn of(error: axum::Error) -> Self {
        let is_too_large = error
            .into_inner()
            .downcast_ref()
            .is_some_and(|error| matches!(error, tungstenite::Error::Capacity(_)));
        if is_too_large {
            Self::Close(Close::new(CloseReason::TooLarge))
        } else {
            Self::Lost
        }
    }

    /// Tells the client and closes, if it lets itself be told.
    pub(crate) async fn say(self, socket: &mut WebSocket, form: Form) {
        let mut bytes = Vec::new();
        let (code, reason) = match self {
            Self::Lost => return,
            Self::Left => (1000, ""),
            Self::Close(close) => {
                let code = match close.reason {
                    CloseReason::Shutdown => 1001,
                    reason if reason.is_violation() => 1008,
                    _ => 1000,
                };
                let reason = close.reason.describe();
                let frame = Frame::Close(Box::new(close));
                wire::encode(form.codec(), &frame, &mut bytes);
                (code, reason)
            }
            Self::Refused(refused) => {
                wire::encode_refused(form == Form::Text, &refused, &mut bytes);
                (1008, "the hello was refused")
            }
        };
        let close = CloseFrame {
            code,
            reason: reason.into(),
        };
        let frame = (!bytes.is_empty()).then(|| message(form, bytes));
        let messages = frame.into_iter().chain([Message::Close(Some(close))]);
        let _ = tokio::time::timeout(GOODBYE, goodbye(socket, messages)).await;
    }
}

/// Sends the last messages and reads until the other side has closed, so that the end of the
/// connection does not destroy what it has not read yet.
async fn goodbye(socket: &mut WebSocket, messages: impl Iterator<Item = Message>) {
    for message in messages {
        let ready = poll_fn(|cx| Pin::new(&mut *socket).poll_ready(cx)).await;
        // It may be closing already: then the answer to the other side's close is still to go.
        if ready.is_err() || Pin::new(&mut *socket).start_send(message).is_err() {
            break;
        }
    }
    let flushed = poll_fn(|cx| Pin::new(&mut *socket).poll_flush(cx)).await;
    if flushed.is_err() {
        return;
    }
    while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await {}
}
