//! The one task of a client: it moves frames between the machine and the platform, and sets
//! handlers to work.

mod sockets;

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use sente::driver::{Bell, Dispatcher, Port};
use sente::{Link, MaybeSendFuture, ToClient};
use sente_proto::client::{
    Client as Machine, Credentials, Event, ExchangeId, Response, SocketClosed, SocketId, Transmit,
};
use sente_proto::session::{self, Session};
use sente_proto::wire::{MAX_FRAME, OVERHEAD};
use sente_proto::{FreshReason, Time};

use crate::credentials::{IntoToken, Shown, Tokens};
use crate::platform::{Form, Platform, Timer};
use crate::random::Fault;
use crate::shared::{Command, NewToken, Shared};
use crate::state::State;
use crate::unconfirmed::{Unconfirmed, UnconfirmedReason};
use sockets::{News, ROUND, Sockets};

/// When so many bytes are cut they are flushed before more are.
const BATCH: usize = 64 * 1024;
/// A client that is dropped waits so long for the server to confirm what was sent.
const LINGER: Duration = Duration::from_secs(1);
/// And then so long for the goodbye to go out.
const FAREWELL: Duration = Duration::from_secs(2);
/// The least that is accepted as one message before the server has said its limit.
const LEAST_MESSAGE: usize = 1024 * 1024;
/// The least that is accepted as the body of a response, which may hold many frames.
const LEAST_BODY: usize = 4 * 1024 * 1024;

/// What a driver is made of.
pub(crate) struct Parts<P> {
    pub(crate) platform: P,
    pub(crate) machine: Machine,
    pub(crate) dispatcher: Arc<Dispatcher<ToClient>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tokens: Tokens,
    pub(crate) fault: Fault,
}

/// Runs a client until its last handle is dropped.
pub(crate) async fn drive<P: Platform>(parts: Parts<P>) {
    Driver::new(parts).run().await;
}

struct Driver<P: Platform> {
    platform: P,
    machine: Machine,
    port: Arc<Port>,
    bell: Bell,
    link: Link,
    dispatcher: Arc<Dispatcher<ToClient>>,
    shared: Arc<Shared>,
    tokens: Tokens,
    fault: Fault,
    sockets: Sockets<P>,
    exchanges: Vec<Exchange>,
    /// The credentials that are being asked for.
    asked: Option<MaybeSendFuture<Shown>>,
    alarm: Alarm<P::Timer>,
    /// What is to be done next, and what came in; kept for their memory.
    batch: Vec<Transmit>,
    messages: Vec<Bytes>,
    /// The program has disconnected.
    disconnected: bool,
    leaving: Leaving,
}

/// What was cut, beside the batch itself.
struct Cut {
    now: Time,
    /// When there will be more to do.
    due: Option<Time>,
    /// There is more to do now.
    more: bool,
}

struct Exchange {
    id: ExchangeId,
    timeout: Duration,
    response: MaybeSendFuture<Result<Response, String>>,
}

/// Where a client is on its way out.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    No,
    /// What was sent is still to be confirmed.
    Lingering(Time),
    /// The goodbye is on its way.
    SayingGoodbye(Time),
}

impl<P: Platform> Driver<P> {
    fn new(parts: Parts<P>) -> Self {
        let port = Arc::clone(&parts.shared.port);
        Self {
            alarm: Alarm {
                timer: parts.platform.timer(),
                due: None,
            },
            bell: port.bell(),
            link: Link::new(Arc::clone(&port)),
            port,
            platform: parts.platform,
            machine: parts.machine,
            dispatcher: parts.dispatcher,
            shared: parts.shared,
            tokens: parts.tokens,
            fault: parts.fault,
            sockets: Sockets::default(),
            exchanges: Vec::new(),
            asked: None,
            batch: Vec::new(),
            messages: Vec::new(),
            disconnected: false,
            leaving: Leaving::No,
        }
    }

    async fn run(mut self) {
        self.act(Machine::connect);
        loop {
            let in_company = poll_fn(|cx| Poll::Ready(self.settle(cx))).await;
            if in_company {
                // Those who were just woken have more to send: it goes in the same frame.
                P::yield_now().await;
                self.sockets.set_drained(false);
            }
            poll_fn(|cx| {
                self.transmit(cx);
                Poll::Ready(())
            })
            .await;
            if self.has_left() {
                break;
            }
            poll_fn(|cx| self.poll_news(cx)).await;
        }
    }

    /// Has the machine do something.
    fn act(&mut self, f: impl FnOnce(&mut Machine, Time, &mut Session)) {
        self.port
            .with(|now, session| f(&mut self.machine, now, session));
    }

    // ---- what comes in ----

    /// Ready when anything has happened; all of it has then been given to the machine.
    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut any = self.bell.poll_rung(cx).is_ready();
        while let Some(command) = self.shared.next_order() {
            any = true;
            self.command(command);
        }
        let drained = self.sockets.take_drained();
        if !drained {
            any |= self.poll_sockets(cx);
        }
        any |= self.poll_exchanges(cx);
        if let Some(Poll::Ready((token, csrf))) =
            self.asked.as_mut().map(|asked| asked.as_mut().poll(cx))
        {
            any = true;
            self.asked = None;
            self.act(|machine, now, session| {
                machine.handle_credentials(now, session, Credentials { token, csrf });
            });
        }
        if let Poll::Ready(background) = self.platform.poll_background(cx) {
            any = true;
            self.act(|machine, now, session| machine.set_background(now, session, background));
        }
        if !drained && self.platform.poll_woken(cx).is_ready() {
            any = true;
            self.act(Machine::wake);
        }
        if self.alarm.poll(cx).is_ready() {
            any = true;
            self.act(Machine::handle_timeout);
        }
        if any {
            Poll::Ready(())
        } else {
            // The next poll is a new turn.
            self.sockets.set_drained(false);
            Poll::Pending
        }
    }

    fn command(&mut self, command: Command) {
        tracing::debug!(?command, "a command");
        match command {
            Command::Connect => {
                self.disconnected = false;
                self.act(Machine::connect);
            }
            Command::Disconnect => {
                self.disconnected = true;
                self.act(Machine::disconnect);
            }
            Command::Reconnect => {
                self.disconnected = false;
                self.act(Machine::reconnect);
            }
            Command::Reauthenticate(NewToken(token)) => {
                self.tokens.token = Some(token.into_token());
                // An answer that comes now is another token's.
                self.asked = None;
                self.act(|machine, _, _| machine.reauthenticate());
            }
            Command::Break => self.act(Machine::break_connection),
            Command::Stall => self.stall(),
            Command::Spoil(rate) => self.fault.set_rate(rate),
            Command::Choose(choice) => self.act(|machine, now, session| {
                machine.choose_carrier(now, session, choice);
            }),
            Command::Wake => self.act(Machine::wake),
            Command::Leave => self.leaving = Leaving::Lingering(self.port.now() + LINGER),
        }
    }

    fn poll_sockets(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = self.sockets.poll_closing(cx);
        let mut messages = std::mem::take(&mut self.messages);
        let mut place = 0;
        let mut drained = true;
        while let Some(id) = self.sockets.at(place) {
            let news = self.sockets.poll_news(place, &mut messages, cx);
            any |= !matches!(news, News::None);
            drained &= match news {
                News::None => true,
                News::Some => messages.len() < ROUND,
                News::Opened | News::Closed(_) => false,
            };
            self.messages(id, &mut messages);
            match news {
                News::None | News::Some => {}
                News::Opened => {
                    tracing::debug!(?id, "a WebSocket is open");
                    self.act(|machine, now, session| machine.handle_opened(now, session, id));
                }
                News::Closed(closed) => self.closed(id, closed),
            }
            if self.sockets.at(place) == Some(id) {
                place += 1;
            }
        }
        self.messages = messages;
        self.sockets.set_drained(drained);
        any
    }

    fn messages(&mut self, id: SocketId, messages: &mut Vec<Bytes>) {
        if messages.is_empty() {
            return;
        }
        let (machine, fault) = (&mut self.machine, &mut self.fault);
        let struck = self.port.with(|now, session| {
            messages.drain(..).any(|message| {
                tracing::trace!(?id, bytes = message.len(), "a frame came in");
                machine.handle_message(now, session, id, &message);
                fault.strikes()
            })
        });
        if struck {
            self.strike(id);
        }
    }

    fn poll_exchanges(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        let mut place = 0;
        while let Some(exchange) = self.exchanges.get_mut(place) {
            let Poll::Ready(response) = exchange.response.as_mut().poll(cx) else {
                place += 1;
                continue;
            };
            any = true;
            let id = self.exchanges.swap_remove(place).id;
            let response = response.and_then(|response| {
                if self.fault.strikes() {
                    Err(simulated("a response was lost"))
                } else {
                    Ok(response)
                }
            });
            tracing::trace!(?id, failed = response.is_err(), "a response came in");
            self.act(|machine, now, session| {
                machine.handle_response(now, session, id, response);
            });
        }
        any
    }

    fn closed(&mut self, id: SocketId, closed: SocketClosed) {
        tracing::debug!(
            ?id,
            code = closed.code,
            error = closed.error,
            "a WebSocket has closed"
        );
        self.act(|machine, now, session| machine.handle_closed(now, session, id, closed));
    }

    /// The network swallows what is under way, and all that goes over what is open.
    fn stall(&mut self) {
        self.sockets.stall();
        for exchange in &mut self.exchanges {
            let request = std::mem::replace(&mut exchange.response, Box::pin(pending()));
            let mut timer = self.platform.timer();
            timer.set(exchange.timeout);
            exchange.response = Box::pin(async move {
                poll_fn(|cx| timer.poll(cx)).await;
                drop(request);
                Err("no response came in time".to_owned())
            });
        }
    }

    /// The simulated network breaks a connection.
    fn strike(&mut self, id: SocketId) {
        self.sockets.drop(id);
        self.closed(
            id,
            SocketClosed {
                error: Some(simulated("the connection was cut")),
                ..SocketClosed::default()
            },
        );
    }

    // ---- what comes of it ----

    /// Tells programs what has happened, and sets handlers to work. Returns whether several
    /// calls are in flight, so that those who make them may have more to send.
    fn settle(&mut self, cx: &mut Context<'_>) -> bool {
        self.tell();
        self.shared.settled();
        // What handlers send goes out in this round: their bell need not wake this task.
        self.bell.clear();
        self.dispatcher.dispatch(&self.link, &self.port, cx);
        self.port
            .look(|session| session.calls_in_flight() > 1 || session.handlers_running() > 1)
    }

    fn tell(&mut self) {
        // Whoever gets events back finds the state as it is after that.
        let mut back = Vec::new();
        while let Some(event) = self.machine.poll_event() {
            match event {
                Event::Changed(change) => {
                    self.shared
                        .board
                        .show(State::of(change.new, self.disconnected));
                }
                Event::SessionEnded {
                    reason,
                    unconfirmed,
                } => {
                    back.push((UnconfirmedReason::SessionEnded(reason), unconfirmed));
                }
                Event::NotTaken(unconfirmed) => {
                    let events = unconfirmed.events.len();
                    tracing::warn!(
                        events,
                        "events were accepted that the server does not take; \
                         `Client::unconfirmed` has them"
                    );
                    back.push((UnconfirmedReason::NotTaken, unconfirmed));
                }
                // A newer machine may tell more.
                _ => {}
            }
        }
        if self.shared.board.state().disconnected != self.disconnected {
            let state = self.machine.copy_state();
            self.shared.board.show(State::of(state, self.disconnected));
        }
        for (reason, unconfirmed) in back {
            self.give_back(reason, unconfirmed);
        }
    }

    /// Does all that the machine wants done, and flushes once for each batch.
    fn transmit(&mut self, cx: &mut Context<'_>) {
        self.bell.clear();
        loop {
            let Cut { now, due, mut more } = self.cut();
            let mut batch = std::mem::take(&mut self.batch);
            for transmit in batch.drain(..) {
                more |= self.carry_out(transmit);
            }
            self.batch = batch;
            let was_backed_up = self.sockets.is_backed_up();
            for (id, closed) in self.sockets.poll_flush(cx) {
                self.closed(id, closed);
                more = true;
            }
            more |= was_backed_up && !self.sockets.is_backed_up();
            self.tell();
            if !more {
                self.alarm.set(due, now);
                break;
            }
        }
    }

    /// Takes from the machine what is to be done.
    fn cut(&mut self) -> Cut {
        let (machine, batch) = (&mut self.machine, &mut self.batch);
        let backed_up = self.sockets.is_backed_up();
        self.port.with(|now, session| {
            let mut bytes = 0;
            while bytes < BATCH {
                let next = if backed_up {
                    machine.poll_control()
                } else {
                    machine.poll_transmit(now, session)
                };
                match next {
                    Some(transmit) => {
                        if let Transmit::Message { message, .. } = &transmit {
                            bytes += message.len();
                        }
                        batch.push(transmit);
                    }
                    None => {
                        let due = if backed_up {
                            machine.poll_deadline(session)
                        } else {
                            machine.poll_timeout(session)
                        };
                        return Cut {
                            now,
                            due,
                            more: false,
                        };
                    }
                }
            }
            Cut {
                now,
                due: None,
                more: true,
            }
        })
    }

    /// Returns whether the machine may have more to do now.
    fn carry_out(&mut self, transmit: Transmit) -> bool {
        match transmit {
            Transmit::Authenticate => {
                tracing::debug!("asking the program for its tokens");
                self.asked = Some(self.tokens.ask());
            }
            Transmit::Open(id) => {
                tracing::debug!(?id, "dialling a WebSocket");
                let dialling = self.platform.dial(self.form());
                self.sockets.open(id, dialling);
            }
            Transmit::Message { socket, message } => {
                tracing::trace!(id = ?socket, bytes = message.len(), "a frame goes out");
                if self.fault.strikes() {
                    self.strike(socket);
                } else if let Err(closed) = self.sockets.send(socket, message) {
                    self.closed(socket, closed);
                } else {
                    return false;
                }
            }
            Transmit::Close { socket, clean } => {
                tracing::debug!(id = ?socket, clean, "closing a WebSocket");
                if clean {
                    self.sockets.close(socket);
                } else {
                    self.sockets.drop(socket);
                }
            }
            Transmit::Post {
                exchange,
                body,
                timeout,
                fresh,
            } => {
                tracing::trace!(id = ?exchange, bytes = body.len(), "a request goes out");
                let response = if self.fault.strikes() {
                    Box::pin(std::future::ready(Err(simulated("a request was lost"))))
                } else {
                    self.platform.post(self.form(), body, timeout, fresh)
                };
                self.exchanges.push(Exchange {
                    id: exchange,
                    timeout,
                    response,
                });
            }
            Transmit::Abort(id) => self.exchanges.retain(|exchange| exchange.id != id),
        }
        true
    }

    /// The form of what is sent, and the limits of what is accepted. The machine has the exact
    /// limits; these keep a broken server from filling memory before it can look.
    fn form(&self) -> Form {
        let message = self.port.look(|session| session.limits().max_message);
        let message = MAX_FRAME
            .max(message.saturating_add(OVERHEAD))
            .max(LEAST_MESSAGE);
        Form {
            text: self.port.codec().is_text(),
            message,
            body: message.saturating_mul(2).max(LEAST_BODY),
        }
    }

    /// Whether the client has said goodbye, or time is up; moves on towards that.
    fn has_left(&mut self) -> bool {
        let now = self.port.now();
        let (until, done) = match self.leaving {
            Leaving::No => return false,
            Leaving::Lingering(until) => (until, self.has_nothing_to_wait_for()),
            Leaving::SayingGoodbye(until) => (until, self.is_quiet()),
        };
        if !done && now < until {
            self.alarm.set(Some(until), now);
            return false;
        }
        if matches!(self.leaving, Leaving::SayingGoodbye(_)) {
            return true;
        }
        self.disconnected = true;
        self.act(Machine::disconnect);
        self.leaving = Leaving::SayingGoodbye(now + FAREWELL);
        // The goodbye is cut by the next round.
        self.port.ring();
        false
    }

    /// Nothing was sent that the server may still confirm.
    fn has_nothing_to_wait_for(&self) -> bool {
        self.port
            .with(|_, session| session.queued() == 0 || !session.is_attached())
    }

    fn give_back(&self, reason: UnconfirmedReason, unconfirmed: session::Unconfirmed) {
        let unconfirmed = Unconfirmed::new(reason, unconfirmed, &self.port);
        self.shared.give_back(unconfirmed);
    }

    /// Nothing is on its way.
    fn is_quiet(&self) -> bool {
        self.sockets.is_empty() && self.exchanges.is_empty() && self.batch.is_empty()
    }
}

impl<P: Platform> Drop for Driver<P> {
    /// Also when the runtime ends, or a driver panics: nobody must wait for one that is gone.
    fn drop(&mut self) {
        let unconfirmed = self.port.end();
        let reason = FreshReason::Requested;
        self.give_back(UnconfirmedReason::SessionEnded(reason), unconfirmed);
        let last = State::of(self.machine.copy_state(), self.disconnected);
        self.shared.end(last);
    }
}

fn simulated(what: &str) -> String {
    format!("{what} by the simulated bad connection (`bad_connection`)")
}

/// A timer that is set anew only to ring earlier: one that rings for nothing is cheaper than one
/// that is moved with each frame.
struct Alarm<T> {
    timer: T,
    due: Option<Time>,
}

impl<T: Timer> Alarm<T> {
    fn set(&mut self, due: Option<Time>, now: Time) {
        if let Some(due) = due
            && self.due.is_none_or(|set| due < set)
        {
            self.timer.set(due - now);
            self.due = Some(due);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let poll = self.timer.poll(cx);
        if poll.is_ready() {
            self.due = None;
        }
        poll
    }
}
