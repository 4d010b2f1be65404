//! A call: a future that sends an event and brings its reply.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use sente_proto::codec::{Codec, DecodeError, EncodeError, FieldWriter};
use sente_proto::session::{CallFailure, CallId, CallResult, Outgoing};
use serde::de::DeserializeOwned;

use crate::error::{CallError, SendError};
use crate::port::Port;
use crate::target::{Outline, prepare, refused};

/// A call that has not been sent yet: a future of the reply.
///
/// It is sent when it is first polled, and cancelled when it is dropped before it ends: then the
/// other side drops its handler. It borrows nothing, so it can be spawned, joined and selected on.
///
/// ```
/// # use std::time::Duration;
/// # async fn example(call: sente::Call<u64, String>) {
/// match call.timeout(Duration::from_secs(2)).await {
///     Ok(id) => println!("posted as {id}"),
///     Err(error) if error.maybe_executed() => println!("nobody knows whether it was posted"),
///     Err(error) => println!("not posted: {error}"),
/// }
/// # }
/// ```
///
/// The deadline is that of the contract (`timeout = "…"`), or else 30 s; it counts from the first
/// poll, travels with the call and survives reconnects.
#[must_use = "a call does nothing until it is awaited; `.detach()` sends it and wants no answer"]
pub struct Call<T, E = Infallible> {
    state: State,
    event: &'static str,
    /// How a rejection is read. Kept here because `Infallible`, which says that there is none,
    /// cannot be decoded.
    rejection: fn(Codec, &[u8]) -> Result<CallError<E>, DecodeError>,
    reply: PhantomData<fn() -> T>,
}

enum State {
    Unsent {
        port: Arc<Port>,
        outgoing: Outgoing,
        /// The session's default if there is none.
        timeout: Option<Duration>,
    },
    Sent(Pending),
    /// It could not even be prepared.
    Unsendable(SendError),
    Done,
}

/// A call in flight; cancels it when it is dropped.
struct Pending {
    port: Arc<Port>,
    call: Option<CallId>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            self.port.cancel_call(call);
        }
    }
}

/// Prepares a call whose handler may reject it. For generated code.
pub fn call<T, E: DeserializeOwned>(
    port: Option<&Arc<Port>>,
    outline: &Outline,
    timeout: Option<Duration>,
    write: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
) -> Call<T, E> {
    prepare_call(port, outline, timeout, write, |codec, bytes| {
        codec.decode(bytes).map(CallError::Rejected)
    })
}

/// Prepares a call that only brings a reply. For generated code.
pub fn ask<T>(
    port: Option<&Arc<Port>>,
    outline: &Outline,
    timeout: Option<Duration>,
    write: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
) -> Call<T> {
    // A rejection that the contract does not have is a fault of the other side.
    prepare_call(port, outline, timeout, write, |_, _| {
        Ok(CallError::Internal)
    })
}

fn prepare_call<T, E>(
    port: Option<&Arc<Port>>,
    outline: &Outline,
    timeout: Option<Duration>,
    write: impl FnOnce(&mut FieldWriter) -> Result<(), EncodeError>,
    rejection: fn(Codec, &[u8]) -> Result<CallError<E>, DecodeError>,
) -> Call<T, E> {
    let event = outline.name();
    let state = match port
        .ok_or(SendError::Ended)
        .and_then(|port| Ok((port, prepare(port, outline, |_| Ok(()), write)?)))
    {
        Ok((port, outgoing)) => State::Unsent {
            port: Arc::clone(port),
            outgoing,
            timeout,
        },
        Err(error) => State::Unsendable(error),
    };
    Call {
        state,
        event,
        rejection,
        reply: PhantomData,
    }
}

impl<T, E> Call<T, E> {
    /// Sets another deadline than the contract's, counted from the first poll.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let State::Unsent {
            timeout: of_contract,
            ..
        } = &mut self.state
        {
            *of_contract = Some(timeout);
        }
        self
    }

    /// Sends the event and wants no answer: no reply comes back, and nothing cancels the handler.
    ///
    /// A call that has been polled before, and so may be on its way, goes on in the same way; only its
    /// deadline holds where it has arrived with that.
    ///
    /// # Errors
    /// If the event could not be accepted for sending. A call that still waits for room is not sent,
    /// and that is [`SendError::Full`].
    pub fn detach(mut self) -> Result<(), SendError> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Unsent { port, outgoing, .. } => port
                .act(|now, session| session.send(now, outgoing))
                .map_err(|refusal| refused(refusal, self.event)),
            State::Sent(mut pending) => match pending.call.take() {
                Some(call) => pending
                    .port
                    .act(|now, session| session.release(now, call))
                    .map_err(|refusal| refused(refusal, self.event)),
                None => Ok(()),
            },
            State::Unsendable(error) => Err(error),
            State::Done => Ok(()),
        }
    }
}

impl<T: DeserializeOwned, E> Future for Call<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (event, rejection) = (self.event, self.rejection);
        // Whoever waits for many calls in one task polls all of them whenever one has ended.
        if let State::Sent(pending) = &mut self.state {
            let Some(call) = pending.call else {
                return Poll::Pending;
            };
            let result = ready!(pending.port.poll_call(call, cx.waker()));
            pending.call = None;
            let outcome = decode(pending.port.codec(), event, result, rejection);
            self.state = State::Done;
            return Poll::Ready(outcome);
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::Unsent {
                port,
                outgoing,
                timeout,
            } => match port.start_call(outgoing, timeout, cx.waker()) {
                Ok(call) => {
                    let call = Some(call);
                    self.state = State::Sent(Pending { port, call });
                    Poll::Pending
                }
                Err(refusal) => {
                    let error = refused(refusal, event);
                    Poll::Ready(Err(CallError::from_send(&error)))
                }
            },
            State::Unsendable(error) => Poll::Ready(Err(CallError::from_send(&error))),
            // Polled again after it was ready: as with any future, nothing comes.
            State::Sent(_) | State::Done => Poll::Pending,
        }
    }
}

fn decode<T: DeserializeOwned, E>(
    codec: Codec,
    event: &'static str,
    result: CallResult,
    rejection: fn(Codec, &[u8]) -> Result<CallError<E>, DecodeError>,
) -> Result<T, CallError<E>> {
    let undecodable = |error| {
        tracing::error!(event, "the answer to a call cannot be decoded");
        // Serde's errors may quote what they could not read.
        tracing::trace!(event, %error);
        CallError::Internal
    };
    match result {
        Ok(reply) => codec.decode(&reply).map_err(undecodable),
        Err(CallFailure::Rejected(error)) => {
            Err(rejection(codec, &error).unwrap_or_else(undecodable))
        }
        Err(CallFailure::Failed(failure)) => Err(CallError::from_failure(failure)),
        Err(CallFailure::TimedOut { maybe_executed }) => {
            Err(CallError::TimedOut { maybe_executed })
        }
        Err(CallFailure::Disconnected { maybe_executed }) => {
            Err(CallError::Disconnected { maybe_executed })
        }
        Err(CallFailure::Full) => Err(CallError::Full),
        Err(CallFailure::TooLarge) => Err(CallError::TooLarge),
    }
}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}
