//! What the handles of a client share with its driver.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use sente::Secret;
use sente::driver::Port;
use sente_proto::client::CarrierChoice;

use crate::state::{Board, State};
use crate::unconfirmed::{Batches, Unconfirmed};

/// A token that a program shows. It has no value that could be seen.
#[derive(Clone)]
pub(crate) struct NewToken(pub(crate) Secret<String>);

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewToken")
    }
}

/// What a program wants of its client, beside events and calls.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Connect,
    Disconnect,
    Reconnect,
    Reauthenticate(NewToken),
    Break,
    Stall,
    /// The simulated bad connection: the share that is lost.
    Spoil(f64),
    Choose(CarrierChoice),
    Wake,
    /// The last handle is gone.
    Leave,
}

/// Between the handles and the driver.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) port: Arc<Port>,
    pub(crate) board: Arc<Board>,
    orders: Mutex<Orders>,
    batches: Mutex<Batches>,
}

#[derive(Debug, Default)]
struct Orders {
    waiting: VecDeque<Command>,
    /// How many were given, and how many the driver has carried out.
    given: u64,
    done: u64,
    settling: Vec<Waker>,
    ended: bool,
}

impl Shared {
    pub(crate) fn new(port: Arc<Port>, board: Arc<Board>) -> Arc<Self> {
        Arc::new(Self {
            port,
            board,
            orders: Mutex::default(),
            batches: Mutex::default(),
        })
    }

    /// Tells the driver what to do.
    pub(crate) fn order(&self, command: Command) {
        {
            let mut orders = self.orders();
            if orders.ended {
                return;
            }
            orders.given += 1;
            orders.waiting.push_back(command);
        }
        self.port.ring();
    }

    /// The next command, for the driver.
    pub(crate) fn next_order(&self) -> Option<Command> {
        self.orders().waiting.pop_front()
    }

    /// All commands that the driver has taken are carried out, and the state shows it.
    pub(crate) fn settled(&self) {
        let settling = {
            let mut orders = self.orders();
            orders.done = orders.given - orders.waiting.len() as u64;
            std::mem::take(&mut orders.settling)
        };
        settling.into_iter().for_each(Waker::wake);
    }

    /// Waits until all commands given so far are carried out.
    pub(crate) async fn settle(&self) {
        let given = self.orders().given;
        poll_fn(|cx| {
            let mut orders = self.orders();
            if orders.done >= given || orders.ended {
                return Poll::Ready(());
            }
            orders.settling.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Keeps the events that a session left unconfirmed.
    pub(crate) fn give_back(&self, unconfirmed: Unconfirmed) {
        let readers = self.batches().push(unconfirmed);
        readers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver has come to its end, in this state.
    pub(crate) fn end(&self, last: State) {
        self.board.show(State {
            ended: true,
            open: false,
            first_open: false,
            carrier: None,
            next_reconnect_at: None,
            ..last
        });
        let settling = {
            let mut orders = self.orders();
            orders.ended = true;
            orders.waiting.clear();
            std::mem::take(&mut orders.settling)
        };
        let readers = self.batches().end();
        settling.into_iter().chain(readers).for_each(Waker::wake);
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
