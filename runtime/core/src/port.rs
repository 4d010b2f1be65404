//! A session behind a lock: what programs, handlers and drivers share.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::AbortHandle;
use sente_proto::Time;
use sente_proto::codec::Codec;
use sente_proto::contract::Contract;
use sente_proto::frame::{Failure, Outcome};
use sente_proto::session::{
    Arrival, CallId, CallResult, Event, IncomingCall, Outgoing, Refusal, Session, Unconfirmed,
};
use slab::Slab;

use crate::send::MaybeSendFuture;
use crate::unhandled::{Unhandled, UnhandledCause};

/// What a session needs of the program around it.
pub trait Host: Send + Sync + 'static {
    /// The time now, by a clock that never goes back.
    fn now(&self) -> Time;

    /// Runs a handler that waits, beside whatever else runs.
    fn spawn(&self, task: MaybeSendFuture<()>);
}

/// One session and all that wait for it.
///
/// A program acts on it ([`act`](Self::act)), a driver moves its frames ([`with`](Self::with)) and
/// is told by a [`Bell`] when a program has acted.
pub struct Port {
    host: Arc<dyn Host>,
    contract: Arc<Contract>,
    codec: Codec,
    state: Mutex<State>,
    /// Calls have been cancelled that have not been started, since those who start them last looked.
    revoked: AtomicBool,
}

/// An idle session keeps room for so many of a kind.
const IDLE_CAPACITY: usize = 64;

/// No handler holds its thread for longer than this before it first waits. After one that does, a call
/// may be started although its deadline has just passed.
const LONG: Duration = Duration::from_secs(10);

/// So many events that are not taken wait for somebody to tell of them.
const UNHANDLED_CAPACITY: usize = 256;

struct State {
    session: Session,
    /// Who waits for a call, by its id.
    callers: Vec<Option<Waker>>,
    /// What has come in and not yet been given to its handler.
    arrivals: VecDeque<Arrived>,
    /// What has come in and this side does not take, since those who tell of it last looked.
    unhandled: Vec<Unhandled>,
    /// Someone gives arrivals to their handlers.
    dispatching: bool,
    /// Handlers of calls that wait, to be dropped when the call is cancelled.
    running: Vec<(IncomingCall, AbortHandle)>,
    /// Namespaces whose handlers run one after the other: what waits behind the one that runs.
    lanes: Vec<(usize, VecDeque<Arrived>)>,
    bells: Slab<BellState>,
}

/// An event or a call that has come in.
pub(crate) struct Arrived {
    pub(crate) call: Option<IncomingCall>,
    /// Of the call.
    deadline: Time,
    pub(crate) arrival: Arrival,
}

#[derive(Default)]
struct BellState {
    rung: bool,
    waker: Option<Waker>,
}

impl Port {
    /// Puts `session` behind a lock.
    #[must_use]
    pub fn new(host: Arc<dyn Host>, session: Session) -> Arc<Self> {
        Arc::new(Self {
            host,
            contract: Arc::clone(session.contract()),
            codec: session.codec(),
            state: Mutex::new(State {
                session,
                callers: Vec::new(),
                arrivals: VecDeque::new(),
                unhandled: Vec::new(),
                dispatching: false,
                running: Vec::new(),
                lanes: Vec::new(),
                bells: Slab::new(),
            }),
            revoked: AtomicBool::new(false),
        })
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        self.host.now()
    }

    /// The codec of the session.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The namespaces that this side speaks.
    #[must_use]
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// What a driver does: takes in frames, cuts frames.
    pub fn with<R>(&self, f: impl FnOnce(Time, &mut Session) -> R) -> R {
        let now = self.host.now();
        let mut state = self.lock();
        let result = f(now, &mut state.session);
        state.absorb(&self.revoked);
        result
    }

    /// What somebody does who only wants to know, and at what time does not matter.
    pub fn look<R>(&self, f: impl FnOnce(&Session) -> R) -> R {
        f(&self.lock().session)
    }

    /// What a program does: the driver is told that there may be something to send.
    pub fn act<R>(&self, f: impl FnOnce(Time, &mut Session) -> R) -> R {
        let now = self.host.now();
        let mut state = self.lock();
        let result = f(now, &mut state.session);
        state.absorb(&self.revoked);
        state.ring();
        result
    }

    /// Tells the drivers to look.
    pub fn ring(&self) {
        self.lock().ring();
    }

    /// A bell for a driver. It rings once at the start.
    #[must_use]
    pub fn bell(self: &Arc<Self>) -> Bell {
        let key = self.lock().bells.insert(BellState {
            rung: true,
            waker: None,
        });
        Bell {
            port: Arc::clone(self),
            key,
        }
    }

    /// Ends the session; what was not confirmed comes back.
    pub fn end(&self) -> Unconfirmed {
        self.act(|_, session| session.end())
    }

    // ---- calls that this side makes ----

    /// Starts a call that is to be answered within `timeout`, or within the session's default.
    pub(crate) fn start_call(
        &self,
        event: Outgoing,
        timeout: Option<Duration>,
        waker: &Waker,
    ) -> Result<CallId, Refusal> {
        let now = self.host.now();
        let mut state = self.lock();
        let session = &mut state.session;
        let deadline = now + timeout.unwrap_or(session.limits().call_timeout);
        let call = session.call(now, event, deadline)?;
        state.await_call(call, waker);
        state.ring();
        Ok(call)
    }

    pub(crate) fn poll_call(&self, call: CallId, waker: &Waker) -> Poll<CallResult> {
        let mut state = self.lock();
        match state.session.take_result(call) {
            Some(result) => {
                state.spare_callers();
                Poll::Ready(result)
            }
            None => {
                state.await_call(call, waker);
                Poll::Pending
            }
        }
    }

    pub(crate) fn cancel_call(&self, call: CallId) {
        self.act(|now, session| session.cancel(now, call));
    }

    // ---- handlers ----

    /// The right to give arrivals to their handlers; `None` while another has it, who then gives
    /// all that come.
    ///
    /// While one carrier replaces another, both may bring something at the same time.
    pub(crate) fn begin_dispatch(&self) -> Option<Turn<'_>> {
        let was_dispatching = std::mem::replace(&mut self.lock().dispatching, true);
        (!was_dispatching).then(|| Turn {
            port: self,
            is_over: false,
        })
    }

    /// The handler of an event or a call has finished.
    pub(crate) fn finish(&self, now: Time, call: Option<IncomingCall>, outcome: Option<Outcome>) {
        let mut state = self.lock();
        match call {
            Some(call) => {
                // A call whose handler has no reply: the contract's check excludes it.
                let outcome = outcome.unwrap_or(Outcome::Failed(Failure::Internal));
                state.session.reply(now, call, outcome);
                state.take_running(call);
            }
            None => state.session.finished(),
        }
        state.absorb(&self.revoked);
        state.ring();
    }

    /// Whether a call is still wanted.
    pub(crate) fn wants(&self, call: Option<IncomingCall>) -> bool {
        call.is_none_or(|call| self.lock().session.is_running(call))
    }

    /// Keeps the handle by which a waiting handler is dropped when its call is cancelled.
    pub(crate) fn keep_running(&self, call: IncomingCall, handle: AbortHandle) {
        let mut state = self.lock();
        if state.session.is_running(call) {
            state.running.push((call, handle));
        } else {
            handle.abort();
        }
    }

    /// Queues an arrival behind the handler that runs in its lane. Gives it back if none runs.
    pub(crate) fn queue_in_lane(&self, lane: usize, arrived: Arrived) -> Option<Arrived> {
        match self.lock().lane(lane) {
            Some((_, queue)) => {
                queue.push_back(arrived);
                None
            }
            None => Some(arrived),
        }
    }

    pub(crate) fn open_lane(&self, lane: usize) {
        self.lock().lanes.push((lane, VecDeque::new()));
    }

    /// The next arrival of a lane; the lane is closed if there is none.
    pub(crate) fn next_in_lane(&self, lane: usize) -> Option<Arrived> {
        let mut state = self.lock();
        let next = state.lane(lane)?.1.pop_front();
        if next.is_none() {
            state.lanes.retain(|(open, _)| *open != lane);
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under the lock but wakers; the state is whole at every await.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From [`Port::begin_dispatch`]. It is over when there is nothing more, or when it is dropped.
pub(crate) struct Turn<'a> {
    port: &'a Port,
    is_over: bool,
}

impl Turn<'_> {
    /// What has come in since, and what of it this side does not take.
    pub(crate) fn next(&mut self) -> Option<(VecDeque<Arrived>, Vec<Unhandled>)> {
        let mut state = self.port.lock();
        if state.arrivals.is_empty() && state.unhandled.is_empty() {
            // Under the same lock: whatever comes after this begins a turn of its own.
            state.dispatching = false;
            self.is_over = true;
            return None;
        }
        let unhandled = std::mem::take(&mut state.unhandled);
        Some((std::mem::take(&mut state.arrivals), unhandled))
    }

    /// The time for the next of those that wait, if it was `now` for the one before. That one may have
    /// taken its time before it first waited.
    ///
    /// The clock is asked for calls alone whose deadline is near: it costs more than the rest of a
    /// short event.
    pub(crate) fn time_of_next(&self, now: Time, waiting: &VecDeque<Arrived>) -> Time {
        match waiting.front() {
            Some(next) if next.call.is_some() && next.deadline < now + LONG => self.port.now(),
            _ => now,
        }
    }

    /// Drops those whose caller has given up: they are not started.
    pub(crate) fn drop_unwanted(&self, now: Time, waiting: &mut VecDeque<Arrived>) {
        let port = self.port;
        let next = waiting.front();
        if next.is_some_and(|next| next.call.is_some() && next.deadline <= now) {
            port.with(|now, session| session.handle_timeout(now));
        }
        if port.revoked.load(Ordering::Relaxed) {
            port.revoked.store(false, Ordering::Relaxed);
            let state = port.lock();
            let is_wanted = |call| state.session.is_running(call);
            keep(waiting, &|arrived| arrived.call.is_none_or(is_wanted));
        }
    }

    /// Gives back the emptied queue, so that its memory serves again.
    pub(crate) fn give_back(&self, empty: VecDeque<Arrived>) {
        let mut state = self.port.lock();
        if state.arrivals.capacity() == 0 && empty.capacity() <= IDLE_CAPACITY {
            state.arrivals = empty;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // A panic must not silence the session for ever.
        if !self.is_over {
            self.port.lock().dispatching = false;
        }
    }
}

impl State {
    /// Takes in what the session has to tell. Notes in `revoked` that a call is not to be started.
    fn absorb(&mut self, revoked: &AtomicBool) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Event(arrival) => self.arrivals.push_back(Arrived {
                    call: None,
                    deadline: Time::default(),
                    arrival,
                }),
                Event::Call {
                    call,
                    deadline,
                    arrival,
                } => self.arrivals.push_back(Arrived {
                    call: Some(call),
                    deadline,
                    arrival,
                }),
                Event::Refused {
                    name,
                    is_known,
                    is_call,
                    size,
                } => {
                    // What is more than that the session has counted.
                    if self.unhandled.len() < UNHANDLED_CAPACITY {
                        self.unhandled.push(Unhandled {
                            event: name,
                            cause: match is_known {
                                true => UnhandledCause::Form,
                                false => UnhandledCause::Unknown,
                            },
                            is_call,
                            size,
                        });
                    }
                }
                Event::Cancelled { call } => {
                    if let Some(handle) = self.take_running(call) {
                        handle.abort();
                    } else {
                        // It has not been started, and must not be.
                        revoked.store(true, Ordering::Relaxed);
                        let others = |arrived: &Arrived| arrived.call != Some(call);
                        keep(&mut self.arrivals, &others);
                        for (_, lane) in &mut self.lanes {
                            keep(lane, &others);
                        }
                    }
                }
                Event::Completed(call) => {
                    if let Some(waker) = self.callers.get_mut(call.0).and_then(Option::take) {
                        waker.wake();
                    }
                }
            }
        }
    }

    fn take_running(&mut self, call: IncomingCall) -> Option<AbortHandle> {
        // There are no more than may run at once, and most calls never wait.
        let place = self.running.iter().position(|(other, _)| *other == call)?;
        let (_, handle) = self.running.swap_remove(place);
        if self.running.is_empty() && self.running.capacity() > IDLE_CAPACITY {
            self.running = Vec::new();
        }
        Some(handle)
    }

    fn lane(&mut self, lane: usize) -> Option<&mut (usize, VecDeque<Arrived>)> {
        self.lanes.iter_mut().find(|(open, _)| *open == lane)
    }

    /// Gives back what many calls at a time have needed.
    fn spare_callers(&mut self) {
        if self.callers.capacity() > IDLE_CAPACITY && self.session.calls_in_flight() == 0 {
            self.callers = Vec::new();
        }
    }

    fn ring(&mut self) {
        for (_, bell) in &mut self.bells {
            bell.rung = true;
            if let Some(waker) = bell.waker.take() {
                waker.wake();
            }
        }
    }

    fn await_call(&mut self, call: CallId, waker: &Waker) {
        if self.callers.len() <= call.0 {
            self.callers.resize(call.0 + 1, None);
        }
        match &mut self.callers[call.0] {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }
}

/// Keeps in a queue what is wanted. By steps that are taken elsewhere too: less code than `retain`.
fn keep(queue: &mut VecDeque<Arrived>, is_wanted: &dyn Fn(&Arrived) -> bool) {
    for _ in 0..queue.len() {
        if let Some(arrived) = queue.pop_front()
            && is_wanted(&arrived)
        {
            queue.push_back(arrived);
        }
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("codec", &self.codec)
            .finish_non_exhaustive()
    }
}

/// Tells a driver that a program has acted on the session.
#[derive(Debug)]
pub struct Bell {
    port: Arc<Port>,
    key: usize,
}

impl Bell {
    /// Ready once the bell has rung since it was last ready or [cleared](Self::clear).
    pub fn poll_rung(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.port.lock();
        let bell = &mut state.bells[self.key];
        if std::mem::take(&mut bell.rung) {
            return Poll::Ready(());
        }
        match &mut bell.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Waits until the bell rings.
    pub async fn rung(&self) {
        std::future::poll_fn(|cx| self.poll_rung(cx)).await;
    }

    /// Forgets that it has rung, and wakes nobody until it is polled again: the driver looks now,
    /// or is about to.
    pub fn clear(&self) {
        self.port.lock().bells[self.key] = BellState::default();
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.port.lock().bells.try_remove(self.key);
    }
}
