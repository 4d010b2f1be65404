//! A world under virtual time: one server, its clients, and the network between them.
//!
//! The world takes one step after the other: it jumps to the next thing that is going to happen,
//! lets it happen, lets the machine that it concerns say all that it has to say, and looks at every
//! promise. Nothing in it depends on a clock, a thread or an address: a plan with the same seed does
//! the same thing on every machine.

mod carriers;
mod checks;
mod client;
mod clock;
mod exchanges;
mod faults;
mod hellos;
mod identities;
mod notice;
mod program;
mod queue;
mod requests;
mod server;
mod told;
mod wire;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use sente_proto::Time;

use crate::coverage::Coverage;
use crate::model::Model;
use crate::network::Network;
use crate::plan::Plan;
use crate::promise::{Promise, Verdict, Wrong};
use crate::report::{Failure, Summary, Trace};
use crate::rng::Rng;
use carriers::Socket;
use client::ClientHost;
use faults::Planned;
use queue::{Queue, What};
use server::Server;

/// When all is well again, everything has to be delivered within this, and the time that full
/// outboxes take at the rate that credit allows.
const SETTLES: Duration = Duration::from_secs(90);
/// More steps than this at one moment are a loop.
const STEPS_AT_ONCE: u32 = 20_000;

/// A simulated world. Made from a [`Plan`], and used up by [`run`](Self::run).
///
/// ```
/// use sente_test::{Network, Plan, World, ms, secs};
///
/// let network = Network::seeded(7)
///     .delay(ms(50)..ms(400))
///     .loss(0.05)
///     .half_open_every(secs(5));
/// let summary = World::new(Plan::on(network)).run()?;
/// assert!(summary.delivered > 0);
/// # Ok::<(), sente_test::Failure>(())
/// ```
pub struct World {
    plan: Plan,
    now: Time,
    rng: Rng,
    queue: Queue,
    server: Server,
    clients: Vec<ClientHost>,
    sockets: Vec<Socket>,
    faults: Vec<Planned>,
    model: Model,
    coverage: Coverage,
    trace: Trace,
    /// Until then programs talk and faults happen.
    talk_until: Time,
    /// The clients have said goodbye.
    is_over: bool,
    steps: u64,
}

impl World {
    /// The world of `plan`, at the time 0.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let mut rng = Rng::scripted(&plan.script, plan.network.seed);
        let server = Server::new(&plan, rng.fork());
        let mut world = Self {
            now: Time::default(),
            rng,
            queue: Queue::default(),
            server,
            clients: Vec::new(),
            sockets: Vec::new(),
            faults: Vec::new(),
            model: Model::default(),
            coverage: Coverage::default(),
            trace: Trace::default(),
            talk_until: Time::default() + plan.duration,
            is_over: false,
            steps: 0,
            plan,
        };
        world.model.is_calm = world.plan.is_calm();
        let networks: Vec<Network> = world.plan.networks().cloned().collect();
        for (user, network) in networks.into_iter().enumerate() {
            let user = if world.plan.one_user { 0 } else { user };
            world.add_client(format!("user {user}"), network);
        }
        world.plan_faults();
        world
    }

    /// Keeps the last `lines` things that happened for a [`Failure`] to show.
    #[must_use]
    pub fn traced(mut self, lines: usize) -> Self {
        self.trace.keep(lines);
        self
    }

    /// Lets the programs talk while faults happen; then, when all is well again, waits until all has
    /// been delivered; then lets the clients go, and waits until nothing of them is left.
    ///
    /// # Errors
    /// If a promise was not kept.
    pub fn run(mut self) -> Result<Summary, Failure> {
        let lived = catch_unwind(AssertUnwindSafe(|| self.live()));
        match lived.unwrap_or_else(|panic| Err(panicked(&*panic))) {
            Ok(()) => Ok(Summary {
                delivered: self.model.delivered,
                replied: self.model.replied,
                steps: self.steps,
                coverage: self.coverage,
            }),
            Err(wrong) => Err(Failure {
                seed: self.plan.network.seed,
                at: self.now,
                promise: wrong.promise,
                wrong: wrong.how,
                trace: self.trace.take(),
            }),
        }
    }

    fn live(&mut self) -> Verdict {
        self.run_until(self.talk_until, |_| {
            Err(Promise::Arrival.broken("it talks on"))
        })?
        .ok();
        self.calm_down()?;
        let patience = SETTLES + self.plan.longest_queue();
        self.run_until(self.now + patience, Self::is_settled)?
            .map_err(|missing| missing.at(format!("{patience:?} after the last fault")))?;
        self.let_go()?;
        let limits = &self.plan.limits;
        let patience = limits.window + limits.silence + limits.handshake + Duration::from_secs(15);
        self.run_until(self.now + patience, Self::is_empty)?
            .map_err(|left| left.at(format!("{patience:?} after the last goodbye")))
    }

    /// Takes steps until `done`, or until `end`; then says what is missing.
    fn run_until(&mut self, end: Time, done: impl Fn(&Self) -> Verdict) -> Verdict<Verdict> {
        let mut at_once = 0;
        loop {
            let missing = match done(self) {
                Ok(()) => return Ok(Ok(())),
                Err(missing) => missing,
            };
            let (queued, timer) = (self.queue.next_at(), self.next_timer());
            let next = [queued, timer.map(|(at, _)| at)];
            let Some(next) = next.into_iter().flatten().min().filter(|next| *next <= end) else {
                self.now = end;
                return Ok(Err(missing));
            };
            at_once = if next > self.now { 0 } else { at_once + 1 };
            if at_once > STEPS_AT_ONCE {
                return Err(Promise::Bounded.broken("the machines do not come to rest"));
            }
            self.now = self.now.max(next);
            self.steps += 1;
            match timer {
                Some((at, host)) if queued.is_none_or(|queued| at < queued) => match host {
                    Host::Client(client) => self.client_timer(client)?,
                    Host::Seat(half) => self.seat_timer(half)?,
                },
                _ => self.step()?,
            }
            self.check_deadlines()?;
            self.check_acknowledgements()?;
            self.check_notice()?;
            self.check_identities()?;
        }
    }

    fn step(&mut self) -> Verdict {
        match self.queue.pop() {
            Some(What::Client { client, what }) => self.for_client_now(client, what),
            Some(What::Server(what)) => self.for_server_now(what),
            Some(What::Fault(place)) => self.fault(place),
            Some(What::Cut(socket)) => {
                self.cut(socket);
                Ok(())
            }
            Some(What::Wakes(client)) => self.wakes(client),
            Some(What::Starts) => {
                self.starts();
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The first timer of all machines that are awake.
    fn next_timer(&self) -> Option<(Time, Host)> {
        let clients = self.alive().filter_map(|(place, host)| {
            let timer = host.timer.filter(|_| host.asleep.is_none())?;
            Some((host.clock.comes(timer), Host::Client(place)))
        });
        let seats = self.server.alive().filter_map(|(half, seated)| {
            let timer = seated.timer?;
            Some((self.server.clock.comes(timer), Host::Seat(half)))
        });
        clients.chain(seats).min_by_key(|(at, _)| *at)
    }
}

/// No machine panics, whatever happens.
fn panicked(panic: &(dyn Any + Send)) -> Wrong {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Promise::Protocol.broken(format!("a panic, {}", text.unwrap_or("without a word")))
}

#[derive(Clone, Copy)]
enum Host {
    Client(usize),
    Seat(usize),
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.plan.network.seed)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
