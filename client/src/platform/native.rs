//! Programs with threads: tokio, tungstenite, hyper, rustls.

mod address;
mod connect;
mod http;
mod options;
mod socket;
mod tls;

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::header::HeaderMap;
use sente::MaybeSendFuture;
use sente::driver::Host;
use sente_proto::Time;
use sente_proto::client::{Response, SocketClosed};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep};

use super::{Form, Platform, Timer};
use crate::error::SetupError;
use address::Address;
use connect::Connect;

pub use options::ByteStream;
pub(crate) use options::Options;
use options::Simulated;

/// Numbers that nobody can foresee, from the operating system. Fails where it gives none at all.
pub(crate) fn random() -> Result<impl FnMut() -> u128 + Send + use<>, String> {
    let draw = || {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map(|()| u128::from_ne_bytes(bytes))
    };
    draw().map_err(|error| error.to_string())?;
    // Keyed at random now: for a system that stops giving random numbers.
    let reserve = RandomState::new();
    let mut drawn: u64 = 0;
    Ok(move || {
        drawn += 2;
        draw().unwrap_or_else(|error| {
            tracing::warn!(%error, "the system gives no random numbers any more; those of a keyed hash are used");
            let half = |count: u64| u128::from(reserve.hash_one(count));
            half(drawn) << 64 | half(drawn + 1)
        })
    })
}

/// This platform, for one client.
pub(crate) struct Native {
    address: Arc<Address>,
    headers: Arc<HeaderMap>,
    connect: Arc<Connect>,
    http: http::Http,
    /// By two clocks; `None` in a simulation, which never sleeps.
    started: Option<(Instant, SystemTime)>,
    /// How much further the system's clock has come than the one that stops in a sleep.
    slept: Duration,
}

/// A machine that slept for so long should look whether its connections still live.
const NAP: Duration = Duration::from_secs(5);

impl Native {
    /// Sets up all that a client at `url` needs. Nothing is connected yet.
    pub(crate) fn new(url: &str, options: Options) -> Result<(Self, Arc<dyn Host>), SetupError> {
        let address = Arc::new(Address::parse(url)?);
        let runtime = Handle::try_current().map_err(|_| SetupError::NoRuntime)?;
        let tls = if address.secure {
            Some(tls::Tls::new(&address.host, options.tls)?)
        } else {
            None
        };
        let connect = Arc::new(Connect {
            address: Arc::clone(&address),
            tls,
            transport: options.transport,
        });
        let headers = Arc::new(options.headers);
        let native = Self {
            http: http::Http::new(&address, Arc::clone(&headers), Arc::clone(&connect))?,
            address,
            headers,
            connect,
            started: options
                .system
                .is_none()
                .then(|| (Instant::now(), SystemTime::now())),
            slept: Duration::ZERO,
        };
        let host = Threads {
            clock: Clock::new(options.system.as_ref()),
            runtime,
            system: options.system,
        };
        Ok((native, Arc::new(host)))
    }

    /// What stands in for the host of a client that could not be set up.
    pub(crate) fn nowhere() -> Arc<dyn Host> {
        Arc::new(Nowhere(Clock::new(None)))
    }

    /// Runs the driver.
    pub(crate) fn spawn(host: &Arc<dyn Host>, driver: impl Future<Output = ()> + Send + 'static) {
        host.spawn(Box::pin(driver));
    }
}

impl Platform for Native {
    type Socket = socket::NativeSocket;
    type Timer = Alarm;

    fn dial(&self, form: Form) -> MaybeSendFuture<Result<Self::Socket, SocketClosed>> {
        let (address, headers) = (Arc::clone(&self.address), Arc::clone(&self.headers));
        let connect = Arc::clone(&self.connect);
        Box::pin(async move { socket::dial(&address, &headers, &connect, form).await })
    }

    fn post(
        &self,
        form: Form,
        body: Vec<u8>,
        timeout: Duration,
        fresh: bool,
    ) -> MaybeSendFuture<Result<Response, String>> {
        self.http.post(form, body, timeout, fresh)
    }

    fn timer(&self) -> Alarm {
        Alarm(None)
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        tokio::task::yield_now()
    }

    /// What a native program does is its own affair, and its connections are not counted.
    fn poll_background(&mut self, _: &mut Context<'_>) -> Poll<bool> {
        Poll::Pending
    }

    fn poll_woken(&mut self, _: &mut Context<'_>) -> Poll<()> {
        // Nobody tells: whoever wakes the driver first after a sleep finds it out here.
        let Some((instant, system)) = self.started else {
            return Poll::Pending;
        };
        let running = instant.elapsed();
        let slept = system.elapsed().unwrap_or(running).saturating_sub(running);
        let nap = slept.saturating_sub(self.slept);
        self.slept = slept;
        if nap > NAP {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// tokio's `sleep`, made when it is first set.
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Timer for Alarm {
    fn set(&mut self, after: Duration) {
        match &mut self.0 {
            Some(sleep) => sleep.as_mut().reset(Instant::now() + after),
            none => *none = Some(Box::pin(tokio::time::sleep(after))),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = &mut self.0 else {
            return Poll::Pending;
        };
        ready!(sleep.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(())
    }
}

/// A clock that never goes back: the system's time at the start, and what has passed since.
#[derive(Clone, Copy, Debug)]
struct Clock {
    started: Instant,
    since_epoch: Duration,
}

impl Clock {
    fn new(simulated: Option<&Simulated>) -> Self {
        Self {
            started: Instant::now(),
            since_epoch: match simulated {
                Some(Simulated(system)) => system.since_unix(),
                None => SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default(),
            },
        }
    }

    fn now(self) -> Time {
        Time::from_unix(self.since_epoch + self.started.elapsed())
    }
}

/// The host of a client on a runtime.
struct Threads {
    clock: Clock,
    runtime: Handle,
    system: Option<Simulated>,
}

impl Host for Threads {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn spawn(&self, task: MaybeSendFuture<()>) {
        match &self.system {
            Some(Simulated(system)) => system.spawn(task),
            None => drop(self.runtime.spawn(task)),
        }
    }
}

/// The host of a client that could not be set up: nothing runs there.
struct Nowhere(Clock);

impl Host for Nowhere {
    fn now(&self) -> Time {
        self.0.now()
    }

    fn spawn(&self, _: MaybeSendFuture<()>) {}
}
