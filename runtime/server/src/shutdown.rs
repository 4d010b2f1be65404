//! The end of a server: slowly enough that its clients do not all come back at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sente_proto::{Close, CloseReason};
use tokio::time::Instant;

use crate::Server;
use crate::hub::Hub;
use crate::sessions::Client;

impl Server {
    /// Waits for `signal` and then [shuts down](Self::shutdown): what axum's
    /// `with_graceful_shutdown` takes.
    ///
    /// ```no_run
    /// # async fn example(sente: sente_server::Server, app: axum::Router) -> std::io::Result<()> {
    /// use std::time::Duration;
    ///
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    /// let signal = std::future::pending::<()>(); // for instance `tokio::signal::ctrl_c()`
    /// axum::serve(listener, app)
    ///     .with_graceful_shutdown(sente.shutdown_on(signal, Duration::from_secs(10)))
    ///     .await
    /// # }
    /// ```
    pub fn shutdown_on<F>(
        &self,
        signal: F,
        deadline: Duration,
    ) -> impl Future<Output = ()> + Send + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let server = Self {
            hub: Arc::clone(&self.hub),
            service: None,
        };
        async move {
            signal.await;
            server.shutdown(deadline).await;
        }
    }

    /// Refuses new sessions and ends all others from random moments on, which are 1 ms apart on
    /// average and within the first half of `deadline`.
    ///
    /// From its moment on a session ends when its handlers have finished and what waited has
    /// arrived. For what waits it has 2 s, for its handlers the rest of `deadline`, less what others
    /// were ahead of it: half of `deadline` at least. So sessions that are never idle do not end
    /// together either. The clients are told to come back within 2 s, at random moments too.
    ///
    /// Resolves when all of sente's connections are closed, `deadline` at the latest and a moment
    /// for the last to go.
    pub fn shutdown(&self, deadline: Duration) -> impl Future<Output = ()> + Send + use<> {
        let hub = Arc::clone(&self.hub);
        async move { drain(&hub, deadline).await }
    }
}

/// How far apart the endings of two sessions are, on average, where the deadline leaves time: a
/// thousand handshakes a second are easy for the program that comes next.
const APART: Duration = Duration::from_millis(1);
/// Clients come back within this, at random moments.
const RETURN: Duration = Duration::from_secs(2);
/// From its moment on, what waits for a session has this long to arrive.
const ARRIVAL: Duration = Duration::from_secs(2);
/// How often to look whether what waited has arrived.
const LOOK: Duration = Duration::from_millis(20);
/// What goodbyes may take after the deadline.
const GOODBYES: Duration = Duration::from_secs(3);

async fn drain(hub: &Arc<Hub>, deadline: Duration) {
    let until = Instant::now() + deadline;
    let mut clients: Vec<Arc<Client>> = {
        let mut sessions = hub.sessions();
        sessions.close(RETURN);
        sessions
            .iter()
            .map(|(_, client)| Arc::clone(client))
            .collect()
    };
    // A simulation has to give the same moments to the same clients again.
    clients.sort_unstable_by_key(|client| client.id);
    // Connections that have not said hello are not to wait for long.
    hub.draining.send_replace(true);
    tracing::info!(sessions = clients.len(), ?deadline, "the server shuts down");
    // Some time is left for handlers and for what still waits.
    let spread = (deadline / 2).min(APART * u32::try_from(clients.len()).unwrap_or(u32::MAX));
    let mut endings = tokio::task::JoinSet::new();
    for client in clients {
        let moment = hub.around.random_within(spread);
        // However busy they are, they end as far apart as they have begun to end.
        let latest = until - (spread - moment);
        endings.spawn(end_gently(Arc::clone(hub), client, moment, latest));
    }
    while endings.join_next().await.is_some() {}
    let closed = async {
        hub.carriers.emptied().await;
        hub.handlers.emptied().await;
    };
    if tokio::time::timeout_at(until + GOODBYES, closed)
        .await
        .is_err()
    {
        tracing::warn!(
            "handlers or connections outlived the shutdown's deadline and are left behind"
        );
    }
}

async fn end_gently(hub: Arc<Hub>, client: Arc<Client>, moment: Duration, latest: Instant) {
    tokio::time::sleep(moment).await;
    let arrived_by = Instant::now() + ARRIVAL;
    let bell = client.port.bell();
    loop {
        bell.clear();
        let now = Instant::now();
        let is_idle = client.port.with(|_, session| {
            let is_delivered = session.queued() == 0 || !session.is_attached() || now >= arrived_by;
            session.is_ended() || (session.handlers_running() == 0 && is_delivered)
        });
        if is_idle || now >= latest {
            break;
        }
        // What arrives at the client rings no bell.
        let look_again = [now + LOOK, arrived_by, latest]
            .into_iter()
            .filter(|next| *next > now)
            .min();
        let _ = tokio::time::timeout_at(look_again.unwrap_or(latest), bell.rung()).await;
    }
    let close = Close {
        retry_after: Some(hub.around.random_within(RETURN)),
        ..Close::new(CloseReason::Shutdown)
    };
    hub.end(&client, &close);
}
