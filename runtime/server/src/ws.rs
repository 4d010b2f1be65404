//! The WebSocket carrier: one task a connection, which reads, runs handlers and writes.

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use http::request::Parts;
use sente::Codec;
use sente::driver::Bell;
use sente_proto::frame::Frame;
use sente_proto::server::{Carrier, Due, Heard};
use sente_proto::{Close, CloseReason, Refused, RefusedReason, wire};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::tungstenite;

use crate::drive;
use crate::hub::Service;
use crate::open::{self, Admitted, NotAdmitted};
use crate::poll::reason_of;
use crate::routes::{Form, answer_refused};
use crate::sessions::Client;

/// It is zeroed at each read and kept for each connection: larger ones were measured to be slower
/// and to cost their size.
const READ_BUFFER: usize = 4 * 1024;
/// Frames are small and flushed together.
const WRITE_BUFFER: usize = 4 * 1024;
/// Reading pauses after so much, so that acknowledgements go out during a long read.
const READ_MESSAGES: usize = 64;
const READ_BYTES: usize = 64 * 1024;
/// How long the other side's goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// Makes a WebSocket of a request.
pub(crate) async fn upgrade(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (mut request, _body) = request.into_parts();
    if let Err(refused) = service.guard.check(&request) {
        return answer_refused(Form::Binary, &refused);
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut request, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let limits = &service.hub.limits;
    let largest = limits.max_frame.max(limits.max_message + wire::OVERHEAD);
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
                if let Some(line) = greeting.await {
                    line.serve().await;
                }
                drop(counted);
            }
        })
}

// ---- the handshake ----

/// Waits for the hello and answers it.
async fn greet(service: Arc<Service>, mut socket: WebSocket, request: Parts) -> Option<Line> {
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
        Ok(Frame::Hello(hello)) => open::admit(&service, request, *hello, Carrier::WebSocket).await,
        Ok(_) => Err(NotAdmitted::Closed(Close::new(CloseReason::Unexpected))),
        Err(error) => Err(NotAdmitted::Closed(Close::new(reason_of(&error)))),
    };
    match admitted {
        Ok(Admitted {
            client,
            epoch,
            codec,
            welcome,
        }) => {
            // From here on the line gives the session back, whatever happens.
            let mut line = Line::new(service, socket, client, epoch);
            let mut bytes = Vec::new();
            wire::encode(codec, &welcome, &mut bytes);
            line.say_first(message(form, bytes)).ok()?;
            Some(line)
        }
        Err(NotAdmitted::Refused(refusal)) => {
            let end = End::Refused(Box::new(refusal.refused));
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
                Some(Err(error)) => return Err(End::of(error)),
                Some(Ok(Message::Close(_))) => return Err(End::Left),
                None => return Err(End::Lost),
            }
        }
    };
    tokio::select! {
        first = first => first,
        () = tokio::time::sleep(service.hub.limits.handshake) => {
            Err(End::Close(Close::new(CloseReason::HandshakeTimeout)))
        }
        _ = draining.wait_for(|draining| *draining) => Err(End::Refused(Box::new(Refused {
            status: 503,
            reason: RefusedReason::Shutdown,
            message: "the server shuts down: come back later".to_owned(),
            retry_after: Some(Duration::from_secs(2)),
            codecs: Vec::new(),
        }))),
    }
}

fn message(form: Form, frame: Vec<u8>) -> Message {
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
enum End {
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
    fn of(error: axum::Error) -> Self {
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
    async fn say(self, socket: &mut WebSocket, form: Form) {
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

// ---- the line ----

/// A WebSocket that serves a session.
struct Line {
    socket: WebSocket,
    seat: Taken,
    bell: Bell,
    /// Something was written and not flushed.
    unflushed: bool,
    /// The socket takes no more for now.
    blocked: bool,
}

/// The seat that a WebSocket has taken. It is given back when this is dropped.
struct Taken {
    service: Arc<Service>,
    client: Arc<Client>,
    epoch: u64,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Self {
            service,
            client,
            epoch,
        } = self;
        if client.with(|_, chair, session| chair.seat.detach(session, *epoch)) {
            service.hub.moved(client);
        }
        drive::ensure_keeper(service, client);
    }
}

/// What a round of reading has brought.
#[derive(Default)]
struct Round {
    messages: usize,
    bytes: usize,
}

impl Line {
    fn new(service: Arc<Service>, socket: WebSocket, client: Arc<Client>, epoch: u64) -> Self {
        Self {
            socket,
            bell: client.port.bell(),
            seat: Taken {
                service,
                client,
                epoch,
            },
            unflushed: false,
            blocked: false,
        }
    }

    fn codec(&self) -> Codec {
        self.seat.client.port.codec()
    }

    fn form(&self) -> Form {
        if self.codec().is_text() {
            Form::Text
        } else {
            Form::Binary
        }
    }

    /// Nothing was written before it, so there is room.
    fn say_first(&mut self, message: Message) -> Result<(), axum::Error> {
        self.unflushed = true;
        Pin::new(&mut self.socket).start_send(message)
    }

    async fn serve(mut self) {
        let ControlFlow::Break(end) = self.run().await else {
            return;
        };
        let form = self.form();
        let Self {
            mut socket, seat, ..
        } = self;
        // The session goes on, or has ended, without this carrier: its goodbye may take a while.
        drop(seat);
        Box::pin(end.say(&mut socket, form)).await;
    }

    async fn run(&mut self) -> ControlFlow<End> {
        let mut timer = std::pin::pin!(tokio::time::sleep_until(Instant::now()));
        loop {
            let round = poll_fn(|cx| self.poll_round(cx, timer.as_mut())).await?;
            self.bell.clear();
            let is_busy = self.look(&round)?;
            if is_busy {
                // Tokio runs next what a handler has just woken: its part joins this frame.
                tokio::task::yield_now().await;
                self.bell.clear();
            }
            poll_fn(|cx| Poll::Ready(self.write(cx))).await?;
            self.set(timer.as_mut());
        }
    }

    /// Reads what there is and runs its handlers; flushes; or waits until there is something to do.
    fn poll_round(
        &mut self,
        cx: &mut Context<'_>,
        timer: Pin<&mut Sleep>,
    ) -> Poll<ControlFlow<End, Round>> {
        let mut round = Round::default();
        while round.messages < READ_MESSAGES && round.bytes < READ_BYTES {
            let Poll::Ready(read) = Pin::new(&mut self.socket).poll_next(cx) else {
                break;
            };
            if let ControlFlow::Break(end) = self.take_in(read, &mut round) {
                return Poll::Ready(ControlFlow::Break(end));
            }
        }
        let mut is_awake = round.messages > 0;
        if is_awake {
            let Taken {
                service, client, ..
            } = &self.seat;
            service.dispatcher.dispatch(&client.peer, &client.port, cx);
        }
        if (self.unflushed || self.blocked)
            && let Poll::Ready(flushed) = Pin::new(&mut self.socket).poll_flush(cx)
        {
            if flushed.is_err() {
                return Poll::Ready(ControlFlow::Break(End::Lost));
            }
            self.unflushed = false;
            is_awake |= std::mem::take(&mut self.blocked);
        }
        is_awake |= self.bell.poll_rung(cx).is_ready();
        is_awake |= timer.poll(cx).is_ready();
        if is_awake {
            Poll::Ready(ControlFlow::Continue(round))
        } else {
            Poll::Pending
        }
    }

    fn take_in(
        &mut self,
        read: Option<Result<Message, axum::Error>>,
        round: &mut Round,
    ) -> ControlFlow<End> {
        let bytes = match read {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Text(text))) => text.into(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                round.messages += 1;
                let Taken { client, epoch, .. } = &self.seat;
                client.with(|now, chair, _| chair.seat.handle_bytes(now, *epoch));
                return ControlFlow::Continue(());
            }
            Some(Err(error)) => {
                let end = End::of(error);
                return ControlFlow::Break(match end {
                    End::Close(close) => self.violated(close),
                    end => end,
                });
            }
            Some(Ok(Message::Close(_))) => return ControlFlow::Break(End::Left),
            None => return ControlFlow::Break(End::Lost),
        };
        round.messages += 1;
        round.bytes += bytes.len();
        if self.seat.service.breaks() {
            return ControlFlow::Break(End::Lost);
        }
        self.frame(&bytes)
    }

    fn frame(&mut self, bytes: &Bytes) -> ControlFlow<End> {
        let Taken {
            service,
            client,
            epoch,
        } = &self.seat;
        let limits = service.hub.limits.wire();
        let frame = match wire::decode(self.codec(), bytes, &limits) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::debug!(session = %client.id, %error, "a message is no frame");
                let close = Close::new(reason_of(&error));
                return ControlFlow::Break(self.violated(close));
            }
        };
        tracing::trace!(session = %client.id, bytes = bytes.len(), "frame in");
        let (heard, joins) = client.with(|now, chair, session| {
            let heard = match &chair.end {
                Some(end) => Err(end.clone()),
                None => chair
                    .seat
                    .handle_frame(now, session, &service.mappings, *epoch, frame),
            };
            (heard, chair.seat.is_confirmed() && !chair.has_joined)
        });
        match heard {
            Ok(Heard::Nothing) => {
                if joins {
                    service.hub.join(client);
                }
                ControlFlow::Continue(())
            }
            Ok(Heard::Ends(reason)) => {
                service.hub.end(client, &Close::new(reason));
                ControlFlow::Break(End::Left)
            }
            Ok(Heard::Leaves) => ControlFlow::Break(End::Left),
            Err(close) => ControlFlow::Break(self.violated(close)),
        }
    }

    /// Ends the session if the client has broken the protocol.
    fn violated(&self, close: Close) -> End {
        let Taken {
            service, client, ..
        } = &self.seat;
        if close.reason.is_violation() && self.is_current() {
            service.hub.end(client, &close);
        }
        End::Close(close)
    }

    fn is_current(&self) -> bool {
        let Taken { client, epoch, .. } = &self.seat;
        client.chair().seat.is_current(*epoch)
    }

    /// Sees what others have done and what the time has come for. Returns whether more is about to
    /// happen at once.
    fn look(&self, round: &Round) -> ControlFlow<End, bool> {
        let Taken {
            service,
            client,
            epoch,
        } = &self.seat;
        let seen = client.with(|now, chair, session| {
            if let Some(end) = &chair.end {
                return Err((None, End::Close(end.clone())));
            }
            if !chair.seat.is_current(*epoch) {
                return Err((None, End::Close(chair.seat.replaced())));
            }
            if session.counts().refused_full > 0 {
                let close = Close::new(CloseReason::Overflow);
                return Err((Some(close.clone()), End::Close(close)));
            }
            while let Some(due) = chair.seat.handle_timeout(now, session) {
                match due {
                    Due::Ping => {}
                    Due::Silent => return Err((None, End::Close(Close::new(CloseReason::Silent)))),
                    Due::Expired => {
                        let close = Close::new(CloseReason::Silent);
                        return Err((Some(close.clone()), End::Close(close)));
                    }
                }
            }
            Ok(round.messages > 1
                || session.handlers_running() > 1
                || session.calls_in_flight() > 1)
        });
        match seen {
            Ok(is_busy) => ControlFlow::Continue(is_busy),
            Err((ends, end)) => {
                if let Some(close) = ends {
                    service.hub.end(client, &close);
                }
                ControlFlow::Break(end)
            }
        }
    }

    /// Writes as many frames as there are and the socket takes, and flushes them together.
    fn write(&mut self, cx: &mut Context<'_>) -> ControlFlow<End> {
        let lost = ControlFlow::Break(End::Lost);
        self.blocked = loop {
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Pending => break true,
                Poll::Ready(Err(_)) => return lost,
                Poll::Ready(Ok(())) => {}
            }
            let Some(frame) = self.cut() else {
                break false;
            };
            tracing::trace!(session = %self.seat.client.id, bytes = frame.len(), "frame out");
            let message = message(self.form(), frame);
            if Pin::new(&mut self.socket).start_send(message).is_err() {
                return lost;
            }
            self.unflushed = true;
        };
        if self.unflushed {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(Err(_)) => return lost,
                Poll::Ready(Ok(())) => self.unflushed = false,
            }
        }
        ControlFlow::Continue(())
    }

    fn cut(&self) -> Option<Vec<u8>> {
        let Taken { client, epoch, .. } = &self.seat;
        client.with(|now, chair, session| {
            let is_current = chair.seat.is_current(*epoch);
            is_current.then(|| session.poll_data(now)).flatten()
        })
    }

    /// Sets the timer to what is due next. A timer that is too early only looks in vain; it is left
    /// as it is, since nearly every frame would move it.
    fn set(&self, timer: Pin<&mut Sleep>) {
        let Taken {
            service, client, ..
        } = &self.seat;
        let due = client.with(|_, chair, session| {
            let due = chair.seat.poll_timeout(session);
            match session.poll_timeout() {
                Some(data) if !self.blocked => due.min(data),
                _ => due,
            }
        });
        let due = service.hub.clock.instant(due);
        if due < timer.deadline() || timer.is_elapsed() {
            timer.reset(due);
        }
    }
}
