//! The WebSockets of a client: those that are dialled, open, or on their way out.

use std::task::{Context, Poll};

use bytes::Bytes;
use sente::MaybeSendFuture;
use sente_proto::client::{SocketClosed, SocketId};

use crate::platform::{Platform, Socket};

/// So many messages are taken in before acknowledgements go out.
pub(super) const ROUND: usize = 32;

/// All WebSockets. There are one or two.
pub(super) struct Sockets<P: Platform> {
    slots: Vec<(SocketId, Slot<P::Socket>)>,
    closing: Vec<MaybeSendFuture<()>>,
    /// None of them had more to tell in this very turn of the task, so they will wake it: asking
    /// them again is dear, since each time a read buffer is zeroed.
    drained: bool,
}

enum Slot<S> {
    Dialling(MaybeSendFuture<Result<S, SocketClosed>>),
    Open {
        socket: S,
        /// Something was sent since the last flush.
        written: bool,
        /// The last flush is not done: the network takes no more.
        backed_up: bool,
    },
    /// Nobody listens to it or speaks to it any more. The other side is not told.
    Stalled {
        _socket: S,
    },
}

/// What happened to a WebSocket, beside messages.
#[derive(Debug)]
pub(super) enum News {
    /// Nothing, and no message came.
    None,
    /// Messages came, or the network takes more again.
    Some,
    Opened,
    /// It has ended, after the messages.
    Closed(SocketClosed),
}

impl News {
    fn and(self, other: Self) -> Self {
        if matches!(other, Self::None) {
            self
        } else {
            other
        }
    }
}

impl<P: Platform> Default for Sockets<P> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            closing: Vec::new(),
            drained: false,
        }
    }
}

impl<P: Platform> Sockets<P> {
    pub(super) fn open(
        &mut self,
        id: SocketId,
        dialling: MaybeSendFuture<Result<P::Socket, SocketClosed>>,
    ) {
        self.slots.push((id, Slot::Dialling(dialling)));
        self.drained = false;
    }

    /// Says whether any has more to tell in this turn of the task.
    pub(super) fn set_drained(&mut self, drained: bool) {
        self.drained = drained;
    }

    /// Whether none has more to tell in this turn of the task. Once: then they are asked again.
    pub(super) fn take_drained(&mut self) -> bool {
        std::mem::take(&mut self.drained)
    }

    pub(super) fn send(&mut self, id: SocketId, message: Vec<u8>) -> Result<(), SocketClosed> {
        let Some(place) = self.place(id) else {
            return Ok(());
        };
        let Slot::Open {
            socket, written, ..
        } = &mut self.slots[place].1
        else {
            return Ok(());
        };
        *written = true;
        socket.send(message).inspect_err(|_| {
            self.slots.swap_remove(place);
        })
    }

    /// Says goodbye, after all that was sent.
    pub(super) fn close(&mut self, id: SocketId) {
        if let Some(place) = self.place(id)
            && let (_, Slot::Open { socket, .. }) = self.slots.swap_remove(place)
        {
            self.closing.push(socket.close());
            self.drained = false;
        }
    }

    /// From now on what is open swallows everything, without a word.
    pub(super) fn stall(&mut self) {
        for (id, slot) in std::mem::take(&mut self.slots) {
            let slot = match slot {
                Slot::Open { socket, .. } => Slot::Stalled { _socket: socket },
                slot => slot,
            };
            self.slots.push((id, slot));
        }
    }

    pub(super) fn drop(&mut self, id: SocketId) {
        if let Some(place) = self.place(id) {
            self.slots.swap_remove(place);
        }
    }

    /// Whether the network takes no more.
    pub(super) fn is_backed_up(&self) -> bool {
        self.slots.iter().any(|(_, slot)| {
            matches!(
                slot,
                Slot::Open {
                    backed_up: true,
                    ..
                }
            )
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.closing.is_empty()
    }

    /// Sends all that was written. Returns the sockets that are broken.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Vec<(SocketId, SocketClosed)> {
        let mut broken = Vec::new();
        self.slots.retain_mut(|(id, slot)| {
            let Slot::Open {
                socket,
                written: written @ true,
                backed_up,
                ..
            } = slot
            else {
                return true;
            };
            match socket.poll_flush(cx) {
                Poll::Ready(Ok(())) => {
                    *written = false;
                    *backed_up = false;
                }
                Poll::Ready(Err(closed)) => {
                    broken.push((*id, closed));
                    return false;
                }
                Poll::Pending => *backed_up = true,
            }
            true
        });
        broken
    }

    /// Whether a goodbye has been said to the end.
    pub(super) fn poll_closing(&mut self, cx: &mut Context<'_>) -> bool {
        let before = self.closing.len();
        self.closing
            .retain_mut(|closing| closing.as_mut().poll(cx).is_pending());
        self.closing.len() < before
    }

    /// The socket at `place`, if there are so many.
    pub(super) fn at(&self, place: usize) -> Option<SocketId> {
        self.slots.get(place).map(|(id, _)| *id)
    }

    /// What has happened to the socket at `place`. One that has closed is gone after that.
    pub(super) fn poll_news(
        &mut self,
        place: usize,
        messages: &mut Vec<Bytes>,
        cx: &mut Context<'_>,
    ) -> News {
        let news = match &mut self.slots[place].1 {
            Slot::Stalled { .. } => News::None,
            Slot::Dialling(dialling) => match dialling.as_mut().poll(cx) {
                Poll::Pending => News::None,
                Poll::Ready(Ok(socket)) => {
                    self.slots[place].1 = Slot::Open {
                        socket,
                        written: false,
                        backed_up: false,
                    };
                    News::Opened
                }
                Poll::Ready(Err(closed)) => News::Closed(closed),
            },
            Slot::Open {
                socket,
                written,
                backed_up,
            } => {
                let flushed = if *backed_up {
                    socket.poll_flush(cx)
                } else {
                    Poll::Pending
                };
                match flushed {
                    Poll::Ready(Err(closed)) => News::Closed(closed),
                    Poll::Ready(Ok(())) => {
                        (*written, *backed_up) = (false, false);
                        News::Some.and(read(socket, messages, cx))
                    }
                    Poll::Pending => read(socket, messages, cx),
                }
            }
        };
        if let News::Closed(closed) = &news
            && let (_, Slot::Open { socket, .. }) = self.slots.swap_remove(place)
            && closed.clean
        {
            // The other side waits for the answer to its goodbye.
            self.closing.push(socket.close());
            self.drained = false;
        }
        news
    }

    fn place(&self, id: SocketId) -> Option<usize> {
        self.slots.iter().position(|(known, _)| *known == id)
    }
}

/// Takes in what is there, but not for ever: acknowledgements have to go out in between.
fn read<S: Socket>(socket: &mut S, messages: &mut Vec<Bytes>, cx: &mut Context<'_>) -> News {
    while messages.len() < ROUND {
        match socket.poll_message(cx) {
            Poll::Ready(Ok(message)) => messages.push(message),
            Poll::Ready(Err(closed)) => return News::Closed(closed),
            Poll::Pending => break,
        }
    }
    if messages.is_empty() {
        News::None
    } else {
        News::Some
    }
}
