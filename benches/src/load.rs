//! The generator: the same work for both sides, by one piece of code.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Result;
use crate::figure::{
    BURST, CLIENT, CLIENTS, CONNECTS, EVENTS_EACH, FIRST_SESSIONS, Figure, IDLE_SESSIONS,
    IN_FLIGHT, LISTENERS, MEMORY, MEMORY_AFTER, Measures, RATE, SERVER,
};
use crate::machine::{processor_time, resident};

/// How long both programs run before anything counts.
const WARM_UP: Duration = Duration::from_millis(200);

/// How long sessions are left alone before their memory is read.
const SETTLE: Duration = Duration::from_millis(1_500);

/// How many connections are opened at once.
const DIALS: usize = 50;

/// What a client has to do, for each of the two sides.
pub(crate) trait Client: Sized + Send + 'static {
    /// A client that counts what comes in, and sends when it is told to.
    type Listener: Send + 'static;

    /// Opens a connection on which all that is counted goes to `counter`.
    fn connect(
        target: Target,
        role: Role,
        counter: Counter,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// Keeps so many calls in flight for ever, in one task, and counts the replies.
    fn call(self, in_flight: usize) -> impl Future<Output = Result> + Send;

    /// Sends events for ever and counts them.
    fn send_events(self) -> impl Future<Output = Result> + Send;

    /// Counts what comes in from now on.
    fn listen(self) -> Self::Listener;

    /// Sends events of the connection's role at once.
    fn send(listener: &mut Self::Listener, events: usize) -> impl Future<Output = Result> + Send;
}

/// What the server does with what comes on a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// It answers calls.
    Call,
    /// It takes in events.
    Take,
    /// It sends each event back as an event.
    Mirror,
    /// It sends each event to all connections of this role.
    Push,
}

/// The server, and for how long it is observed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) port: u16,
    pub(crate) process: u32,
    pub(crate) window: Duration,
}

/// Counts what the clients of a generator see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    count: AtomicU64,
    awaited: AtomicU64,
    reached: Notify,
}

impl Counter {
    pub(crate) fn add_one(&self) {
        let count = self.0.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count == self.0.awaited.load(Ordering::Relaxed) {
            self.0.reached.notify_one();
        }
    }

    fn get(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Waits until so many more have been counted than at the last call.
    async fn next(&self, more: usize) {
        let awaited = self.0.awaited.load(Ordering::Relaxed) + more as u64;
        self.0.awaited.store(awaited, Ordering::Relaxed);
        while self.get() < awaited {
            self.0.reached.notified().await;
        }
    }
}

/// Measures one figure of one side.
pub(crate) async fn measure<C: Client>(figure: Figure, target: Target) -> Result<Measures> {
    let counter = Counter::default();
    let connect = |role, clients| connect::<C>(target, role, clients, counter.clone());
    let mut tasks = JoinSet::new();
    match figure {
        Figure::One | Figure::OneCore => {
            for client in connect(Role::Call, 1).await? {
                tasks.spawn(client.call(1));
            }
        }
        Figure::Many => {
            for client in connect(Role::Call, CLIENTS).await? {
                tasks.spawn(client.call(IN_FLIGHT));
            }
        }
        Figure::Events => {
            for client in connect(Role::Take, 1).await? {
                tasks.spawn(client.send_events());
            }
        }
        Figure::Push | Figure::Burst => {
            let burst = if figure == Figure::Burst { BURST } else { 1 };
            let listeners = connect(Role::Push, LISTENERS).await?.into_iter();
            let mut listeners: Vec<_> = listeners.map(C::listen).collect();
            let counter = counter.clone();
            tasks.spawn(async move {
                loop {
                    C::send(&mut listeners[0], burst).await?;
                    counter.next(burst * LISTENERS).await;
                }
            });
        }
        Figure::Idle => return idle::<C>(target, counter).await,
    }
    tokio::select! {
        observed = observe(&counter, target) => observed,
        // None of them ends by itself but by an error.
        ended = tasks.join_next() => match ended {
            Some(Ok(Err(error))) => Err(error),
            _ => Err("a client ended".into()),
        },
    }
}

async fn connect<C: Client>(
    target: Target,
    role: Role,
    clients: usize,
    counter: Counter,
) -> Result<Vec<C>> {
    stream::iter(0..clients)
        .map(|_| C::connect(target, role, counter.clone()))
        .buffer_unordered(DIALS)
        .try_collect()
        .await
}

async fn observe(counter: &Counter, target: Target) -> Result<Measures> {
    sleep(WARM_UP).await;
    let processors = || {
        let own = std::process::id();
        Result::Ok((processor_time(target.process)?, processor_time(own)?))
    };
    let (start, count, before) = (Instant::now(), counter.get(), processors()?);
    sleep(target.window).await;
    let (elapsed, count) = (start.elapsed(), counter.get() - count);
    let after = processors()?;
    if count == 0 {
        return Err("nothing happened".into());
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    Ok(vec![
        (RATE, count as f64 / elapsed.as_secs_f64()),
        (SERVER, each(after.0 - before.0)),
        (CLIENT, each(after.1 - before.1)),
    ])
}

async fn idle<C: Client>(target: Target, counter: Counter) -> Result<Measures> {
    let listen = async |sessions| {
        let clients = connect::<C>(target, Role::Mirror, sessions, counter.clone()).await?;
        Result::Ok(clients.into_iter().map(C::listen).collect::<Vec<_>>())
    };
    let settled = async || {
        sleep(SETTLE).await;
        resident(target.process)
    };
    let mut sessions = listen(FIRST_SESSIONS).await?;
    let before = settled().await?;
    let start = Instant::now();
    sessions.append(&mut listen(IDLE_SESSIONS).await?);
    let elapsed = start.elapsed();
    let idle = settled().await?;
    for _ in 0..EVENTS_EACH / BURST {
        for session in &mut sessions {
            C::send(session, BURST).await?;
        }
        counter.next(sessions.len() * BURST).await;
    }
    let after = settled().await?;
    let each = |kib: u64, sessions: usize| kib.saturating_sub(before) as f64 / sessions as f64;
    Ok(vec![
        (MEMORY, each(idle, IDLE_SESSIONS)),
        // The first sessions had their events only now: what they took for them counts too.
        (MEMORY_AFTER, each(after, IDLE_SESSIONS)),
        (CONNECTS, IDLE_SESSIONS as f64 / elapsed.as_secs_f64()),
    ])
}
