//! The client of sente.

use futures_util::future::try_join_all;
use sente::{Link, SendError};
use sente_client::CarrierChoice;

use super::contract::{Bench, BenchClient};
use crate::Result;
use crate::figure::TEXT;
use crate::load::{self, Counter, Role, Target};

/// After so many events the task lets others run, as one that gets its events from somewhere does.
const EVENTS_AT_ONCE: usize = 64;

pub(crate) struct Client {
    client: sente_client::Client,
    role: Role,
    counter: Counter,
}

struct Handler {
    counter: Counter,
}

impl BenchClient for Handler {
    async fn pushed(&self, _link: &Link, _text: String) {
        self.counter.add_one();
    }
}

impl load::Client for Client {
    type Listener = Self;

    async fn connect(target: Target, role: Role, counter: Counter) -> Result<Self> {
        let handler = Handler {
            counter: counter.clone(),
        };
        let client =
            sente_client::Client::builder(format!("http://127.0.0.1:{}/sente", target.port))
                .carrier(CarrierChoice::WebSocket)
                .serve(Bench::client(handler))
                .connect();
        client.ready().await?;
        if role == Role::Push {
            // A push goes to sessions that their clients have confirmed, and that takes a moment.
            Bench::to_server(&client).echo(TEXT).await?;
        }
        Ok(Self {
            client,
            role,
            counter,
        })
    }

    async fn call(self, in_flight: usize) -> Result {
        // Each of them makes one call after the other; all are polled by this one task. By sixteen,
        // since from 31 on `try_join_all` polls each by a waker of its own, which costs more here.
        let by_sixteen = (0..in_flight.div_ceil(16)).map(|group| {
            let calls = (group * 16..in_flight.min(group * 16 + 16)).map(|_| self.call_for_ever());
            try_join_all(calls)
        });
        try_join_all(by_sixteen).await?;
        Ok(())
    }

    async fn send_events(self) -> Result {
        let sender = Bench::to_server(&self.client);
        loop {
            for _ in 0..EVENTS_AT_ONCE {
                match sender.note(TEXT) {
                    Ok(()) => self.counter.add_one(),
                    Err(SendError::Full) => {
                        // A call waits for room.
                        sender.echo(TEXT).await?;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            tokio::task::yield_now().await;
        }
    }

    fn listen(self) -> Self::Listener {
        self
    }

    async fn send(listener: &mut Self::Listener, events: usize) -> Result {
        let sender = Bench::to_server(&listener.client);
        for _ in 0..events {
            match listener.role {
                Role::Mirror => sender.mirror(TEXT)?,
                Role::Push => sender.push(TEXT)?,
                Role::Call | Role::Take => return Err("it has no events to send".into()),
            }
        }
        Ok(())
    }
}

impl Client {
    async fn call_for_ever(&self) -> Result<()> {
        let sender = Bench::to_server(&self.client);
        loop {
            if sender.echo(TEXT).await? != TEXT {
                return Err("another text came back".into());
            }
            self.counter.add_one();
        }
    }
}
