//! A WebSocket at work: reads, runs handlers, writes.

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use sente::Codec;
use sente::driver::Bell;
use sente_proto::server::{Due, Heard, Seat, Standing};
use sente_proto::session::Session;
use sente_proto::{Close, CloseReason, Time, wire};
use tokio::time::{Instant, Sleep};

use crate::budget::Share;
use crate::hub::Service;
use crate::keeper;
use crate::renewal;
use crate::routes::Form;
use crate::sessions::Client;
use crate::ws::{End, message};

/// Reading pauses after so much, so that acknowledgements go out during a long read.
const READ_MESSAGES: usize = 64;
const READ_BYTES: usize = 64 * 1024;

/// A WebSocket that serves a session.
pub(crate) struct Line {
    socket: WebSocket,
    seat: Taken,
    share: Share,
    bell: Bell,
    /// Something was written and not flushed.
    unflushed: bool,
    /// The socket takes no more for now.
    blocked: bool,
    /// The socket had nothing more to read in this very turn of the task, so it will wake the task:
    /// asking it again would zero its read buffer in vain.
    drained: bool,
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
        keeper::ensure(service, client);
    }
}

/// What has ended.
enum Stop {
    /// This carrier. The session goes on, or has ended already.
    Carrier(End),
    /// The session is to be ended as well, for this reason.
    Session(Close, End),
}

impl Stop {
    /// The session, and the client is told so.
    fn session(close: Close) -> Self {
        Self::Session(close.clone(), End::Close(close))
    }
}

/// What a round of reading has brought.
#[derive(Default)]
struct Round {
    messages: usize,
    bytes: usize,
}

impl Line {
    pub(crate) fn new(
        service: Arc<Service>,
        socket: WebSocket,
        client: Arc<Client>,
        epoch: u64,
    ) -> Self {
        Self {
            socket,
            bell: client.port.bell(),
            share: Share::new(Arc::clone(&service.hub)),
            seat: Taken {
                service,
                client,
                epoch,
            },
            unflushed: false,
            blocked: false,
            drained: false,
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
    pub(crate) fn say_first(&mut self, message: Message) -> Result<(), axum::Error> {
        self.unflushed = true;
        Pin::new(&mut self.socket).start_send(message)
    }

    pub(crate) async fn serve(mut self: Box<Self>) {
        let ControlFlow::Break(stop) = self.run().await else {
            return;
        };
        // In a box: an idle connection must not carry it along.
        Box::pin(self.stop(stop)).await;
    }

    async fn stop(self, stop: Stop) {
        let form = self.form();
        let Self {
            mut socket, seat, ..
        } = self;
        // What came before the end is handled all the same.
        seat.service.run_handlers(&seat.client).await;
        let end = match stop {
            Stop::Carrier(end) => end,
            Stop::Session(close, end) => {
                seat.service.hub.end(&seat.client, &close);
                end
            }
        };
        // The session goes on, or has ended, without this carrier: its goodbye may take a while.
        drop(seat);
        end.say(&mut socket, form).await;
    }

    async fn run(&mut self) -> ControlFlow<Stop> {
        let mut timer = std::pin::pin!(tokio::time::sleep_until(Instant::now()));
        loop {
            let round = poll_fn(|cx| self.poll_round(cx, timer.as_mut())).await?;
            self.bell.clear();
            let is_busy = self.look(&round)?;
            if is_busy {
                // Tokio runs next what a handler has just woken: its part joins this frame.
                tokio::task::yield_now().await;
                self.drained = false;
                self.bell.clear();
            }
            let due = poll_fn(|cx| Poll::Ready(self.write(cx))).await?;
            self.set(timer.as_mut(), due);
        }
    }

    /// Reads what there is and runs its handlers; flushes; or waits until there is something to do.
    fn poll_round(
        &mut self,
        cx: &mut Context<'_>,
        timer: Pin<&mut Sleep>,
    ) -> Poll<ControlFlow<Stop, Round>> {
        let mut round = Round::default();
        let drained = std::mem::take(&mut self.drained);
        while !drained && round.messages < READ_MESSAGES && round.bytes < READ_BYTES {
            let Poll::Ready(read) = Pin::new(&mut self.socket).poll_next(cx) else {
                self.drained = true;
                break;
            };
            if let ControlFlow::Break(stop) = self.take_in(read, &mut round) {
                return Poll::Ready(ControlFlow::Break(stop));
            }
        }
        let mut is_awake = round.messages > 0;
        if is_awake {
            // What handlers send goes out in this round: their bell need not wake this task.
            self.bell.clear();
            self.seat.service.dispatch(&self.seat.client, cx);
        }
        if (self.unflushed || self.blocked)
            && let Poll::Ready(flushed) = Pin::new(&mut self.socket).poll_flush(cx)
        {
            if flushed.is_err() {
                return Poll::Ready(ControlFlow::Break(Stop::Carrier(End::Lost)));
            }
            self.unflushed = false;
            is_awake |= std::mem::take(&mut self.blocked);
        }
        is_awake |= self.bell.poll_rung(cx).is_ready();
        is_awake |= timer.poll(cx).is_ready();
        if is_awake {
            Poll::Ready(ControlFlow::Continue(round))
        } else {
            self.drained = false;
            Poll::Pending
        }
    }

    fn take_in(
        &mut self,
        read: Option<Result<Message, axum::Error>>,
        round: &mut Round,
    ) -> ControlFlow<Stop> {
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
                return ControlFlow::Break(match End::of(error) {
                    End::Close(close) => self.violated(close),
                    end => Stop::Carrier(end),
                });
            }
            Some(Ok(Message::Close(_))) => return ControlFlow::Break(Stop::Carrier(End::Left)),
            None => return ControlFlow::Break(Stop::Carrier(End::Lost)),
        };
        round.messages += 1;
        round.bytes += bytes.len();
        if self.seat.service.breaks() {
            return ControlFlow::Break(Stop::Carrier(End::Lost));
        }
        self.frame(&bytes)
    }

    fn frame(&mut self, bytes: &Bytes) -> ControlFlow<Stop> {
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
                let close = Close::new(error.reason());
                return ControlFlow::Break(self.violated(close));
            }
        };
        tracing::trace!(session = %client.id, bytes = bytes.len(), "frame in");
        let (heard, joins, moves) = client.with(|now, chair, session| {
            let before = chair.seat.epoch();
            let heard = match &chair.end {
                Some(end) => Err(end.clone()),
                None => chair
                    .seat
                    .handle_frame(now, session, &service.mappings, *epoch, frame),
            };
            let joins = chair.seat.is_confirmed() && !client.has_joined();
            (heard, joins, chair.seat.epoch() != before)
        });
        if moves {
            service.hub.moved(client);
        }
        match heard {
            Ok(Heard::Nothing) => {
                if joins {
                    service.hub.join(client);
                }
                ControlFlow::Continue(())
            }
            Ok(Heard::Authenticates) => {
                renewal::ask(service, client);
                ControlFlow::Continue(())
            }
            Ok(Heard::Ends(reason)) => {
                ControlFlow::Break(Stop::Session(Close::new(reason), End::Left))
            }
            Ok(Heard::Leaves) => ControlFlow::Break(Stop::Carrier(End::Left)),
            Err(close) => ControlFlow::Break(self.violated(close)),
        }
    }

    /// What a close means: the end of the session, if the client has broken the protocol and this
    /// carrier still serves it.
    fn violated(&self, close: Close) -> Stop {
        if close.reason.is_violation() && self.is_current() {
            Stop::session(close)
        } else {
            Stop::Carrier(End::Close(close))
        }
    }

    fn is_current(&self) -> bool {
        let Taken { client, epoch, .. } = &self.seat;
        client.chair().seat.is_current(*epoch)
    }

    /// Sees what others have done and what the time has come for. Returns whether more is about to
    /// happen at once.
    fn look(&mut self, round: &Round) -> ControlFlow<Stop, bool> {
        let Taken { client, epoch, .. } = &self.seat;
        let mut waiting = 0;
        let seen = client.with(|now, chair, session| {
            let close = |reason| Stop::Carrier(End::Close(Close::new(reason)));
            let standing = chair.seat.standing(*epoch, session.limits());
            if standing == Standing::Serves {
                waiting = session.queued_memory();
            }
            let stop = if let Some(end) = &chair.end {
                Stop::Carrier(End::Close(end.clone()))
            } else if let Standing::Welcomed { until } = standing {
                if now < until {
                    return ControlFlow::Continue(false);
                }
                close(CloseReason::HandshakeTimeout)
            } else if standing == Standing::Over {
                Stop::Carrier(End::Close(chair.seat.farewell(*epoch)))
            } else if session.counts().refused_full > 0 {
                Stop::session(Close::new(CloseReason::Overflow))
            } else {
                match chair.seat.handle_timeout(now, session) {
                    Some(Due::Silent) => close(CloseReason::Silent),
                    Some(Due::Expired) => Stop::session(Close::new(CloseReason::Silent)),
                    Some(Due::IdentityExpired) => close(CloseReason::IdentityExpired),
                    Some(Due::Ping | Due::Warning) | None => {
                        return ControlFlow::Continue(
                            round.messages > 1
                                || session.handlers_running() > 1
                                || session.calls_in_flight() > 1,
                        );
                    }
                }
            };
            ControlFlow::Break(stop)
        });
        self.share.set(waiting);
        seen
    }

    /// Writes as many frames as there are and the socket takes, and flushes them together. Returns
    /// when something is due next.
    fn write(&mut self, cx: &mut Context<'_>) -> ControlFlow<Stop, Time> {
        let lost = ControlFlow::Break(Stop::Carrier(End::Lost));
        let due = loop {
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Pending => {
                    self.blocked = true;
                    break self.due_while_blocked();
                }
                Poll::Ready(Err(_)) => return lost,
                Poll::Ready(Ok(())) => self.blocked = false,
            }
            let (frame, due) = self.cut();
            if let Some(frame) = frame {
                tracing::trace!(session = %self.seat.client.id, bytes = frame.len(), "frame out");
                let message = message(self.form(), frame);
                if Pin::new(&mut self.socket).start_send(message).is_err() {
                    return lost;
                }
                self.unflushed = true;
            }
            if let Some(due) = due {
                break due;
            }
        };
        if self.unflushed {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(Err(_)) => return lost,
                Poll::Ready(Ok(())) => self.unflushed = false,
            }
        }
        ControlFlow::Continue(due)
    }

    /// The next frame, and when something is due after it; `None` if that is another frame, now.
    fn cut(&self) -> (Option<Vec<u8>>, Option<Time>) {
        let Taken { client, epoch, .. } = &self.seat;
        client.with(|now, chair, session| {
            let due = due(&chair.seat, session, *epoch);
            if !chair.seat.is_current(*epoch) {
                return (None, Some(due));
            }
            let frame = session.poll_data(now);
            if session.has_data(now) {
                return (frame, None);
            }
            let data = session.poll_timeout();
            (frame, Some(data.map_or(due, |data| due.min(data))))
        })
    }

    fn due_while_blocked(&self) -> Time {
        let Taken { client, epoch, .. } = &self.seat;
        client.with(|_, chair, session| due(&chair.seat, session, *epoch))
    }

    /// Sets the timer to what is due next. A timer that is too early only looks in vain; it is left
    /// as it is, since nearly every frame would move it.
    fn set(&self, timer: Pin<&mut Sleep>, due: Time) {
        let due = self.seat.service.hub.clock.instant(due);
        if due < timer.deadline() || timer.is_elapsed() {
            timer.reset(due);
        }
    }
}

/// When the time has come for something, as far as this carrier is concerned.
fn due(seat: &Seat, session: &Session, epoch: u64) -> Time {
    match seat.standing(epoch, session.limits()) {
        Standing::Welcomed { until } => until,
        Standing::Serves | Standing::Over => seat.poll_timeout(session),
    }
}
