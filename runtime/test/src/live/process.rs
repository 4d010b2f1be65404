//! A program in the simulation: its tasks, its random numbers, and its death.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sente::SendFuture;
use sente::driver::System;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::Rng;

/// The time of day at which every simulation begins: the first second of 2000.
const EPOCH: Duration = Duration::from_secs(946_684_800);

/// What a server or a client takes for its operating system.
pub(super) struct Process {
    began: Instant,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    /// What it does. `None` once it has died: then it begins nothing more.
    tasks: Option<Vec<AbortHandle>>,
}

impl Process {
    /// A program of a simulation that began then.
    pub(super) fn new(began: Instant, rng: Rng) -> Arc<Self> {
        let tasks = Some(Vec::new());
        Arc::new(Self {
            began,
            state: Mutex::new(State { rng, tasks }),
        })
    }

    /// Ends at once all that it does, wherever it stands.
    pub(super) fn kill(&self) {
        let tasks = self.state().tasks.take();
        tasks.iter().flatten().for_each(AbortHandle::abort);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl System for Process {
    fn since_unix(&self) -> Duration {
        EPOCH + self.began.elapsed()
    }

    fn random(&self) -> u128 {
        self.state().rng.wide()
    }

    fn spawn(&self, task: SendFuture<()>) {
        if self.state().tasks.is_none() {
            return;
        }
        // Not under the lock: where the runtime ends, this drops the task, and that may come back here.
        let task = tokio::spawn(task).abort_handle();
        if let Some(tasks) = &mut self.state().tasks {
            tasks.retain(|task| !task.is_finished());
            tasks.push(task);
        }
    }
}
