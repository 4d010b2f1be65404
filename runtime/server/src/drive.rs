//! The clock, the tasks, and who takes care of a session while no WebSocket does.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use sente::MaybeSendFuture;
use sente::driver::{Host, System};
use sente_proto::server::Due;
use sente_proto::{Carrier, Close, CloseReason, Time};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::budget::Share;
use crate::hub::Service;
use crate::sessions::{Chair, Client};

/// The time of a server: the system's when it started, and a monotonic clock since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    unix: Duration,
}

impl Clock {
    pub(crate) fn start(around: &Around) -> Self {
        Self {
            started: Instant::now(),
            unix: around.since_unix(),
        }
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_unix(self.unix + self.started.elapsed())
    }

    /// The moment on tokio's clock.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        self.started + (time - Time::from_unix(self.unix))
    }
}

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

/// What is around a server: the operating system and tokio, or a simulation.
#[derive(Clone, Default)]
pub(crate) struct Around(pub(crate) Option<Arc<dyn System>>);

impl Around {
    fn since_unix(&self) -> Duration {
        match &self.0 {
            Some(system) => system.since_unix(),
            None => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }

    /// 128 bits that nobody can foresee.
    pub(crate) fn random(&self) -> u128 {
        if let Some(system) = &self.0 {
            return system.random();
        }
        let mut bits = [0; 16];
        if let Err(error) = getrandom::fill(&mut bits) {
            // Without randomness there are no secrets: better no session than one that can be
            // guessed.
            panic!("the operating system gives no random bits: {error}");
        }
        u128::from_ne_bytes(bits)
    }

    /// A moment within `span`, evenly.
    pub(crate) fn random_within(&self, span: Duration) -> Duration {
        let nanos = span.as_nanos() + 1;
        Duration::from_nanos((self.random() % nanos) as u64)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match &self.0 {
            Some(system) => system.spawn(Box::pin(task)),
            None => drop(tokio::spawn(task)),
        }
    }

    /// Runs a hook of the application beside whoever had cause to call it, who may hold locks of
    /// the application's own. Outside of any runtime there is no beside; it runs at once.
    pub(crate) fn aside(&self, handlers: &Arc<Tally>, hook: impl FnOnce() + Send + 'static) {
        if has_runtime() {
            let counted = handlers.enter();
            self.spawn(async move {
                hook();
                drop(counted);
            });
        } else {
            hook();
        }
    }
}

fn has_runtime() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

/// What a session needs of the program around it: a clock and tasks.
pub(crate) struct Program {
    pub(crate) clock: Clock,
    pub(crate) around: Around,
    /// Handlers that wait.
    pub(crate) handlers: Arc<Tally>,
}

impl Host for Program {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn spawn(&self, task: MaybeSendFuture<()>) {
        let counted = self.handlers.enter();
        self.around.spawn(async move {
            task.await;
            drop(counted);
        });
    }
}

/// Sees to it that somebody keeps the session's time: if no WebSocket's task does, one of its own.
pub(crate) fn ensure_keeper(service: &Arc<Service>, client: &Arc<Client>) {
    {
        let mut chair = client.chair();
        if chair.end.is_some() || chair.has_keeper || is_kept_by_socket(&chair) {
            return;
        }
        chair.has_keeper = true;
    }
    let around = &service.hub.around;
    // Dropped with its runtime, a session needs no keeper any more.
    if has_runtime() {
        around.spawn(keep(Arc::clone(service), Arc::clone(client)));
    }
}

fn is_kept_by_socket(chair: &Chair) -> bool {
    chair.seat.carrier() == Some(Carrier::WebSocket)
}

/// Keeps the time of a session that polls or that has no carrier, until a WebSocket takes over or
/// it ends.
async fn keep(service: Arc<Service>, client: Arc<Client>) {
    let bell = client.port.bell();
    let mut share = Share::new(Arc::clone(&service.hub));
    loop {
        bell.clear();
        let mut waiting = 0;
        let next = client.with(|now, chair, session| {
            waiting = session.queued_bytes();
            if chair.end.is_some() || is_kept_by_socket(chair) {
                chair.has_keeper = false;
                return Next::Leave;
            }
            if session.counts().refused_full > 0 {
                return Next::End(CloseReason::Overflow);
            }
            while let Some(due) = chair.seat.handle_timeout(now, session) {
                match due {
                    Due::Expired => return Next::End(CloseReason::Silent),
                    Due::Silent => return Next::Silent,
                    Due::Ping => {}
                }
            }
            Next::Wait(chair.seat.poll_timeout(session))
        });
        share.set(waiting);
        match next {
            Next::Leave => return,
            Next::End(reason) => return service.hub.end(&client, &Close::new(reason)),
            Next::Silent => service.hub.moved(&client),
            Next::Wait(until) => {
                let until = service.hub.clock.instant(until);
                let _ = tokio::time::timeout_at(until, bell.rung()).await;
            }
        }
    }
}

enum Next {
    Leave,
    End(CloseReason),
    Silent,
    Wait(Time),
}
