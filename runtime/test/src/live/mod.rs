//! Real servers and clients with a user's own handlers, in virtual time on a network that misbehaves
//! by a seed.

mod connection;
mod net;
mod process;
mod uplink;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use sente::{Routes, ToClient, ToServer};
use sente_client::Client;
use sente_server::Server;

use crate::Network;

pub use net::Net;
pub use uplink::Uplink;

/// A test whose simulated time is longer waits for something that never comes.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs a test in virtual time on `network`: whenever all of its tasks wait, the clock goes to the
/// next moment at which something happens. A simulated minute takes milliseconds.
///
/// ```
/// use sente_test::{Network, ms, secs};
/// # #[sente::events] enum Chat { #[to_server(reply = u64)] Post { text: String } }
/// # struct Room;
/// # impl ChatServer for Room { async fn post(&self, _: &sente::Peer, _: String) -> u64 { 7 } }
///
/// let network = Network::seeded(7).loss(0.2).delay(ms(50)..ms(400)).half_open_every(secs(5));
/// sente_test::run(network, async |net| {
///     let (client, _server) = net.pair(|_| Chat::server(Room), Chat::client(()));
///     for _ in 0..10 {
///         // A dead connection is noticed after 30 s, which is all that a call has by default.
///         let call = Chat::to_server(&client).post("hello").timeout(secs(300));
///         assert_eq!(call.await, Ok(7));
///     }
/// });
/// ```
///
/// The same network with the same seed does the same thing again. For that, what the test and its
/// handlers do must not depend on chance either: they take the time from [`tokio::time`], write
/// `biased;` into `tokio::select!`, start no threads, and do not walk through a `HashMap`.
///
/// # Panics
/// If the test does, or if it waits for more than a day of simulated time. The seed is then said.
pub fn run<T>(network: Network, test: impl AsyncFnOnce(Net) -> T) -> T {
    let seed = network.seed();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without I/O needs nothing of the system");
        runtime.block_on(async {
            tokio::time::timeout(LONGEST, async { test(network.open()).await })
                .await
                .expect("what the test waits for did not come within a simulated day")
        })
    }));
    outcome.unwrap_or_else(|panic| {
        eprintln!("This happened on `Network::seeded({seed})`, which shows it again.");
        resume_unwind(panic)
    })
}

/// A client and a server by their handlers, in memory, on a good network: in a test with
/// `#[tokio::test(start_paused = true)]`, or inside of [`run`].
///
/// ```
/// # #[sente::events] enum Chat { #[to_server(reply = u64)] Post { text: String } }
/// # struct Room;
/// # impl ChatServer for Room { async fn post(&self, _: &sente::Peer, _: String) -> u64 { 7 } }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let (client, _server) = sente_test::pair(|_| Chat::server(Room), Chat::client(()));
/// assert_eq!(Chat::to_server(&client).post("hello").await, Ok(7));
/// # }
/// ```
///
/// The client is anonymous, and both have their defaults; [`Net`] makes others. With the clock not
/// paused all of it works too, and takes its time.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn pair(
    server: impl FnOnce(Server) -> Routes<ToServer> + Send + 'static,
    client: Routes<ToClient>,
) -> (Client, Server) {
    Network::seeded(0).open().pair(server, client)
}

/// Lets so much simulated time pass, and all that happens in it happen.
pub async fn advance(time: Duration) {
    tokio::time::sleep(time).await;
}
