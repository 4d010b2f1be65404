//! What is around a server: time of day, randomness and tasks, from the operating system and tokio,
//! or from a simulation.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sente::MaybeSendFuture;
use sente::driver::{Host, System};
use sente_proto::Time;

use crate::clock::Clock;
use crate::tally::Tally;

/// What is around a server: the operating system and tokio, or a simulation.
#[derive(Clone, Default)]
pub(crate) struct Around(pub(crate) Option<Arc<dyn System>>);

impl Around {
    pub(crate) fn since_unix(&self) -> Duration {
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

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
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

pub(crate) fn has_runtime() -> bool {
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
