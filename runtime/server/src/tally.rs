//! What runs, counted, so that a shutdown can wait for its end.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts what runs, and tells when nothing does.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    count: AtomicUsize,
    empty: Notify,
}

/// One that runs.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Tally>);

impl Tally {
    pub(crate) fn enter(self: &Arc<Self>) -> Counted {
        self.count.fetch_add(1, Ordering::SeqCst);
        Counted(Arc::clone(self))
    }

    pub(crate) async fn emptied(&self) {
        loop {
            let mut empty = pin!(self.empty.notified());
            // Before the look at the count, so that no end is missed between both.
            empty.as_mut().enable();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            empty.await;
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.empty.notify_waiters();
        }
    }
}
