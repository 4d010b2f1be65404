//! The handle of a client.

use std::sync::Arc;

use futures_util::StreamExt;
use sente::driver::Port;
use sente::{AsLink, Codec, Events, Link, Secret, SendError, SessionCounts};
use sente_proto::client::CarrierChoice;
use sente_proto::codec::DecodeError;
use sente_proto::session::Session;

use crate::builder::ClientBuilder;
use crate::error::{NotReady, SetupError};
use crate::platform::Here;
use crate::shared::{Command, NewToken, Shared};
use crate::state::{Board, State, StateChanges};
use crate::unconfirmed::{ResendError, Unconfirmed, UnconfirmedBatches, resend};

/// A connection to a server that outlives the carriers under it.
///
/// ```no_run
/// # use std::time::Duration;
/// # use sente_client::Client;
/// #[sente::events]
/// pub enum Chat {
///     #[to_server(reply = u64)]
///     Post { room: String, text: String },
///
///     #[to_server(delivery = latest)]
///     Typing { #[key] room: String },
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("https://example.org/sente")
///     .contract::<Chat>()
///     .connect();
///
/// Chat::to_server(&client).typing("lobby")?;
/// let id = Chat::to_server(&client).post("lobby", "hello").await?;
/// # Ok(())
/// # }
/// ```
///
/// Cheap to clone. When the last clone is dropped, the client sends what waits, says goodbye and
/// closes; for that it has 3 s, if its runtime lives so long. A [`Link`] keeps no client alive.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What all clones share; dropped with the last.
#[derive(Debug)]
struct Handle {
    link: Link,
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.order(Command::Leave);
    }
}

impl Client {
    /// Begins a client of the server at `url`: where the server's routes are, for instance
    /// `https://example.org/sente`. Schemes are `http`, `https`, `ws` and `wss`.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            handle: Arc::new(Handle {
                link: Link::new(Arc::clone(&shared.port)),
                shared,
            }),
        }
    }

    /// A client that could not be set up, and says so.
    pub(crate) fn unable(board: Arc<Board>, error: SetupError) -> Self {
        let session = Session::new(Arc::default(), Arc::default(), Codec::default());
        let port = Port::new(Here::nowhere(), session);
        port.end();
        let shared = Shared::new(port, board);
        shared.end(State {
            setup_error: Some(error),
            ..State::default()
        });
        Self::new(shared)
    }

    /// Waits until there is a connection: the handshake is done and events flow.
    ///
    /// ```no_run
    /// # async fn example(client: sente_client::Client) {
    /// use sente_client::NotReady;
    ///
    /// match client.ready().await {
    ///     Ok(()) => println!("connected as {:?}", client.state().user),
    ///     Err(NotReady::Refused { status: 401, .. }) => println!("log in first"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # }
    /// ```
    ///
    /// Nothing needs to wait for it: what is sent before waits in the session. While the server
    /// cannot be reached it goes on waiting, as the client goes on trying.
    ///
    /// # Errors
    /// If the client will not connect by itself: it was refused or disconnected, has ended, or
    /// could not be set up.
    pub async fn ready(&self) -> Result<(), NotReady> {
        // After `reconnect` the state still shows the old connection for a moment.
        self.handle.shared.settle().await;
        let mut changes = self.states();
        let mut state = self.state();
        loop {
            if let Some(readiness) = state.readiness() {
                return readiness;
            }
            match changes.next().await {
                Some(change) => state = change.new,
                None => return Err(NotReady::Ended),
            }
        }
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.handle.shared.board.state()
    }

    /// How much waits for the server to confirm it: events, calls, and answers to the server's
    /// calls. It changes with each of them, so it is not part of the [`State`].
    #[must_use]
    pub fn queued(&self) -> usize {
        self.handle.link.port().look(Session::queued)
    }

    /// All changes of the state from now on, each with the state before and after, none skipped.
    ///
    /// ```no_run
    /// # async fn example(client: sente_client::Client) {
    /// use futures_util::StreamExt;
    ///
    /// let mut changes = client.states();
    /// while let Some(change) = changes.next().await {
    ///     if change.old.open && !change.new.open {
    ///         println!("lost the connection: {:?}", change.new.last_close);
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use = "the stream is where the changes come out"]
    pub fn states(&self) -> StateChanges {
        self.handle.shared.board.watch()
    }

    /// What the server said of a namespace when it last answered; `None` before that, or if the
    /// server says nothing of it, or says it in another form: [`State::skew`] has the namespace then.
    ///
    /// ```no_run
    /// # #[derive(serde::Serialize, serde::Deserialize, sente::Schema)] pub struct Welcome { motto: String }
    /// # #[sente::events(handshake = Welcome)] pub enum Chat { #[to_server] Hello }
    /// # async fn example(client: sente_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// client.ready().await?;
    /// if let Some(welcome) = client.handshake::<Chat>()? {
    ///     println!("{}", welcome.motto);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the value cannot be decoded.
    pub fn handshake<E: Events>(&self) -> Result<Option<E::Handshake>, DecodeError> {
        let state = self.state();
        state
            .handshake
            .iter()
            .find(|(namespace, _)| namespace == E::NAMESPACE.name)
            .map(|(_, value)| self.handle.link.port().codec().decode(value))
            .transpose()
    }

    /// What comes back: the events that the server had not confirmed when a session ended, and those
    /// that it turned out not to take. They can be looked at and [sent again](Self::resend).
    ///
    /// ```no_run
    /// # async fn example(client: sente_client::Client) {
    /// use futures_util::StreamExt;
    ///
    /// let mut unconfirmed = client.unconfirmed();
    /// while let Some(mut batch) = unconfirmed.next().await {
    ///     println!("{} events come back: {:?}", batch.events.len(), batch.reason);
    ///     batch.events.retain(|event| !event.maybe_received() && event.refusal().is_none());
    ///     client.resend(batch).ok();
    /// }
    /// # }
    /// ```
    #[must_use = "the stream is where the events come out"]
    pub fn unconfirmed(&self) -> UnconfirmedBatches {
        UnconfirmedBatches {
            shared: Arc::clone(&self.handle.shared),
        }
    }

    /// What the session has counted, and those before it: events that were dropped, refused or not
    /// understood.
    ///
    /// ```no_run
    /// # fn example(client: &sente_client::Client) {
    /// println!("{} volatile events were dropped", client.counts().dropped_volatile);
    /// # }
    /// ```
    #[must_use]
    pub fn counts(&self) -> SessionCounts {
        self.handle.link.port().look(Session::counts)
    }

    /// Sends events again, in order, in the present session.
    ///
    /// # Errors
    /// If one is not accepted; it and those after it come back.
    pub fn resend(&self, unconfirmed: Unconfirmed) -> Result<(), ResendError> {
        resend(self.handle.link.port(), unconfirmed)
    }

    /// Sends an event that is a value of its enum: one that was stored, or received as a stream.
    ///
    /// ```no_run
    /// # use sente_client::{Client, SendError};
    /// #[sente::events]
    /// pub enum Chat {
    ///     #[to_server(delivery = latest)]
    ///     Typing { #[key] room: String },
    /// }
    ///
    /// # fn example(client: &Client) -> Result<(), SendError> {
    /// client.send(Chat::Typing { room: "lobby".into() })?; // as `Chat::to_server(client).typing("lobby")?`
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It is delivered as the contract says. A call is sent as by `.detach()`: no answer comes back.
    ///
    /// # Errors
    /// As for any send, and [`SendError::WrongDirection`] if clients do not send it.
    pub fn send<E: Events>(&self, event: E) -> Result<(), SendError> {
        self.handle.link.send(event)
    }

    /// Connects again after [`disconnect`](Self::disconnect) or a refusal. Without effect on a
    /// client that is connected, or tries to be.
    pub fn connect(&self) {
        self.handle.shared.order(Command::Connect);
    }

    /// Ends the session and stays away until it is told to [`reconnect`](Self::reconnect) or
    /// [`connect`](Self::connect). Calls in flight fail; events that were not confirmed come back
    /// by [`unconfirmed`](Self::unconfirmed). What is sent from now on waits for the next session.
    pub fn disconnect(&self) {
        self.handle.shared.order(Command::Disconnect);
    }

    /// Connects anew and shows its tokens again, for instance after a log-in. The session goes on
    /// if the user is the same.
    pub fn reconnect(&self) {
        self.handle.shared.order(Command::Reconnect);
    }

    /// Shows `token` to the server, now and from now on, and goes on as before: the connection stays,
    /// events and calls go on. The session ends if the user is another one.
    ///
    /// ```no_run
    /// # fn example(client: &sente_client::Client, renewed: String) {
    /// if client.state().identity_expires_at.is_some() {
    ///     client.reauthenticate(renewed);
    /// }
    /// # }
    /// ```
    ///
    /// A client whose token comes from a function needs none of this: it asks by itself when the
    /// server warns. While there is no connection the token is shown at the next try. If the server
    /// does not take it, it closes the connection and says why in [`State::refused`](crate::State).
    pub fn reauthenticate(&self, token: impl Into<String>) {
        let token = NewToken(Secret::new(token.into()));
        self.handle.shared.order(Command::Reauthenticate(token));
    }

    /// Drops the connection without a word, as a lost network does, to see what a program makes
    /// of it. The client comes back at once.
    pub fn break_connection(&self) {
        self.handle.shared.order(Command::Break);
    }

    /// Lets the connection swallow all that is sent and all that comes from now on, as a network
    /// does that has died silently. The client finds it out by the silence, after 30 s by default
    /// ([`Limits::silence`](crate::Limits::silence)), or 1 s after a [`wake`](Self::wake).
    pub fn stall_connection(&self) {
        self.handle.shared.order(Command::Stall);
    }

    /// Simulates a bad connection from now on, for tests, as
    /// [`ClientBuilder::bad_connection`] does from the start; 0.0 mends it.
    pub fn set_bad_connection(&self, rate: f64) {
        self.handle.shared.order(Command::Spoil(rate));
    }

    /// Uses other carriers from now on. The session goes on.
    pub fn set_carrier(&self, carrier: CarrierChoice) {
        self.handle.shared.order(Command::Choose(carrier));
    }

    /// Looks at once whether the connection lives, or tries at once to connect: for a program
    /// that knows that the network is back. The client finds it out by itself, only later. A server
    /// that has said when to come back is not asked earlier.
    pub fn wake(&self) {
        self.handle.shared.order(Command::Wake);
    }

    /// The server, as handlers see it. It does not keep the client alive.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.handle.link
    }
}

impl AsLink for Client {
    fn as_link(&self) -> &Link {
        &self.handle.link
    }
}
