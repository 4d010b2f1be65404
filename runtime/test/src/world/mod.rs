//! A world under virtual time: one server, its clients, and the network between them.
//!
//! The world takes one step after the other: it jumps to the next thing that is going to happen,
//! lets it happen, lets the machine that it concerns say all that it has to say, and looks at every
//! promise. Nothing in it depends on a clock, a thread or an address: a plan with the same seed does
//! the same thing on every machine.

mod carriers;
mod checks;
mod client;
mod faults;
mod hellos;
mod program;
mod queue;
mod requests;
mod server;
mod show;

use std::time::Duration;

use sente_proto::{FreshReason, Time};

use crate::model::{Model, Verdict};
use crate::plan::Plan;
use crate::report::{Coverage, Failure, Summary, Trace};
use crate::rng::Rng;
use carriers::Socket;
use client::ClientHost;
use queue::{Queue, What};
use server::Server;

/// When all is well again, everything has to be delivered within this.
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
        let mut rng = Rng::new(plan.network.seed);
        let server = Server::new(&plan, rng.fork());
        let mut world = Self {
            now: Time::default(),
            rng,
            queue: Queue::default(),
            server,
            clients: Vec::new(),
            sockets: Vec::new(),
            model: Model::default(),
            coverage: Coverage::default(),
            trace: Trace::default(),
            talk_until: Time::default() + plan.duration,
            is_over: false,
            steps: 0,
            plan,
        };
        world.model.is_calm = world.plan.is_calm();
        for _ in 0..world.plan.clients {
            world.add_client();
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
        match self.live() {
            Ok(()) => Ok(Summary {
                delivered: self.model.delivered,
                replied: self.model.replied,
                steps: self.steps,
                coverage: self.coverage,
            }),
            Err(wrong) => Err(Failure {
                seed: self.plan.network.seed,
                at: self.now,
                wrong,
                trace: self.trace.take(),
            }),
        }
    }

    fn live(&mut self) -> Verdict {
        self.run_until(self.talk_until, |_| Err(String::new()))?
            .ok();
        self.calm_down()?;
        self.run_until(self.now + SETTLES, Self::is_settled)?
            .map_err(|missing| format!("{SETTLES:?} after the last fault: {missing}"))?;
        self.let_go()?;
        let limits = &self.plan.limits;
        let patience = limits.window + limits.silence + limits.handshake + Duration::from_secs(15);
        self.run_until(self.now + patience, Self::is_empty)?
            .map_err(|left| format!("{patience:?} after the last goodbye: {left}"))
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
                return Err("the machines do not come to rest".to_owned());
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
        }
    }

    fn step(&mut self) -> Verdict {
        match self.queue.pop() {
            Some(What::Client { client, what }) => match &mut self.clients[client].asleep {
                Some(missed) => {
                    missed.push(what);
                    Ok(())
                }
                None => self.client_hears(client, what),
            },
            Some(What::Server(what)) => self.server_hears(what),
            Some(What::Fault(place)) => self.fault(place),
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
        let clients = self.clients.iter().enumerate().filter_map(|(place, host)| {
            let timer = host.timer.filter(|_| host.asleep.is_none())?;
            Some((timer, Host::Client(place)))
        });
        let seats = self
            .server
            .alive()
            .filter_map(|(half, seated)| Some((seated.timer?, Host::Seat(half))));
        clients.chain(seats).min_by_key(|(at, _)| *at)
    }
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

/// What a fresh session counts as.
fn fresh_name(reason: FreshReason) -> &'static str {
    match reason {
        FreshReason::Restarted => "fresh sessions: restarted",
        FreshReason::Expired => "fresh sessions: expired",
        FreshReason::Overflow => "fresh sessions: overflow",
        FreshReason::UserChanged => "fresh sessions: user changed",
        FreshReason::Replaced => "fresh sessions: replaced",
        FreshReason::Requested => "fresh sessions: requested",
        FreshReason::Shutdown => "fresh sessions: shutdown",
        _ => "fresh sessions: others",
    }
}
