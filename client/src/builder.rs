//! How a client is told what to do before it connects.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sente::driver::{DispatcherBuilder, Port};
use sente::{Codec, EventStream, Events, Link, MaybeSend, MaybeSync, Routes, ToClient, Unhandled};
use sente_proto::Limits;
use sente_proto::client::{CarrierChoice, Client as Machine, Config};
use sente_proto::contract::DuplicateNamespace;
use sente_proto::session::Session;

use crate::client::Client;
use crate::credentials::{IntoToken, Tokens};
use crate::drive::{Parts, drive};
use crate::error::SetupError;
use crate::platform::{Here, Options};
use crate::random::{Fault, Random};
use crate::shared::Shared;
use crate::state::{Board, StateChanges};

/// Sets up a [`Client`]; [`Client::builder`] begins one.
///
/// ```no_run
/// # use sente_client::{CarrierChoice, Client};
/// # #[sente::events] pub enum Chat { #[to_client] Posted { text: String } }
/// # struct Ui;
/// # impl ChatClient for Ui { async fn posted(&self, _: &sente::Link, text: String) {} }
/// # async fn example() -> Result<(), sente_client::NotReady> {
/// let client = Client::builder("https://example.org/sente")
///     .serve(Chat::client(Ui))
///     .carrier(CarrierChoice::Auto)
///     .connect();
/// client.ready().await?;
/// # Ok(())
/// # }
/// ```
///
/// A namespace has to be given by [`serve`](Self::serve), [`stream`](Self::stream) or
/// [`contract`](Self::contract) before its events can be sent: otherwise a send fails with
/// [`SendError::Unsupported`](sente::SendError::Unsupported).
#[derive(Debug)]
#[must_use = "a builder does nothing until it is told to `connect`"]
pub struct ClientBuilder {
    url: String,
    routing: Mutex<Routing>,
    config: Config,
    codec: Codec,
    tokens: Tokens,
    bad_connection: f64,
    board: Arc<Board>,
    /// Other random numbers than the operating system's.
    pub(crate) random: Option<Random>,
    pub(crate) platform: Options,
}

/// What handles events, and the first mistake that was made.
#[derive(Debug, Default)]
struct Routing {
    dispatcher: DispatcherBuilder<ToClient>,
    error: Option<SetupError>,
}

impl ClientBuilder {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            routing: Mutex::default(),
            config: Config::default(),
            codec: Codec::default(),
            tokens: Tokens::default(),
            bad_connection: 0.0,
            board: Arc::default(),
            random: None,
            platform: Options::default(),
        }
    }

    /// Handles the events of a namespace: `.serve(Chat::client(handler))`.
    ///
    /// Of several handlers of one namespace, each sees each event, and the first that handles a
    /// call answers it.
    pub fn serve(self, routes: Routes<ToClient>) -> Self {
        self.register(|dispatcher| dispatcher.serve(routes));
        self
    }

    /// The events of a namespace as a stream, for those who prefer `match` to a trait. It misses
    /// nothing, since it is there before the client connects.
    ///
    /// ```no_run
    /// # use sente_client::Client;
    /// # #[sente::events] pub enum Chat { #[to_client] Posted { text: String } }
    /// use futures_util::StreamExt;
    ///
    /// # async fn example() {
    /// let builder = Client::builder("https://example.org/sente");
    /// let mut events = builder.stream::<Chat>();
    /// let client = builder.connect();
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         Chat::Posted { text } => println!("{text}"),
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// It has those that want no reply. Calls need a handler that is given to
    /// [`serve`](Self::serve); both together are fine.
    #[must_use = "the stream is the only place where these events come out"]
    pub fn stream<E: Events>(&self) -> EventStream<E> {
        let (stream, routes) = sente::driver::stream(|_: &Link, event: E| event);
        self.register(|dispatcher| dispatcher.serve(routes));
        stream
    }

    /// Speaks a namespace of which this client only sends: `.contract::<Chat>()`.
    pub fn contract<E: Events>(self) -> Self {
        self.register(|dispatcher| dispatcher.speak(E::NAMESPACE));
        self
    }

    /// Is told of each event and call of the server that reaches no handler: that this client does not
    /// know, or in another form, or whose fields cannot be decoded.
    ///
    /// ```no_run
    /// # use sente_client::Client;
    /// let client = Client::builder("https://example.org/sente")
    ///     .unhandled(|_link, event| eprintln!("{event:?} came and nobody handles it"))
    ///     .connect();
    /// ```
    ///
    /// A server does not even send what this client has said that it does not know: [`State::skew`]
    /// names that. Whoever calls is told of the failure.
    ///
    /// [`State::skew`]: crate::State::skew
    pub fn unhandled(
        self,
        listen: impl Fn(&Link, Unhandled) + MaybeSend + MaybeSync + 'static,
    ) -> Self {
        self.routing().dispatcher.unhandled(listen);
        self
    }

    /// Chooses the carriers. Default: [`CarrierChoice::Auto`], a WebSocket where it works, long polling
    /// where it does not, and back.
    pub fn carrier(mut self, carrier: CarrierChoice) -> Self {
        self.config.carrier = carrier;
        self
    }

    /// Chooses how values become bytes. Default: [`Codec::Bincode`]. The server must have it.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Names this device among those of its user, for presence. Default: no name.
    ///
    /// Anyone can give any name: it is worth nothing for security.
    pub fn device(mut self, name: impl Into<String>) -> Self {
        self.config.device = Some(name.into());
        self
    }

    /// Shows a token to the server's `authenticate`: a string, or an async function that is asked
    /// at every dial, and when the server warns that what was shown expires. Default: none.
    pub fn token(mut self, token: impl IntoToken) -> Self {
        self.tokens.token = Some(token.into_token());
        self
    }

    /// Shows a token against cross-site request forgery: a string, or an async function that is
    /// asked when that for the [token](Self::token) is. Default: none.
    pub fn csrf(mut self, token: impl IntoToken) -> Self {
        self.tokens.csrf = Some(token.into_token());
        self
    }

    /// Sets sizes and times. Those that the server sets too are taken over from it when it
    /// answers.
    ///
    /// ```no_run
    /// use sente_client::{Client, Limits};
    ///
    /// let builder = Client::builder("https://example.org/sente")
    ///     .limits(Limits { outbox_events: 100, ..Limits::default() });
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Simulates a bad connection, for tests: of all messages, requests and responses this share,
    /// from 0.0 to 1.0, is lost together with its connection. Default: 0.0.
    /// [`Client::set_bad_connection`] changes it later.
    pub fn bad_connection(mut self, rate: f64) -> Self {
        self.bad_connection = rate;
        self
    }

    /// The changes of the state, from the first on. See [`Client::states`].
    #[must_use = "the stream is where the changes come out"]
    pub fn states(&self) -> StateChanges {
        self.board.watch()
    }

    /// Connects, and returns at once: what is sent waits in the session until the server answers.
    /// The client lives until its last clone is dropped.
    ///
    /// Needs a tokio runtime around it; in a browser there always is one. It never fails: a client
    /// that cannot be set up (a bad URL, no runtime) has ended, its
    /// [state](crate::State::setup_error) and [`ready`](Client::ready) say why, and its sends fail
    /// with [`SendError::Ended`](sente::SendError::Ended). Where the URL comes from
    /// somebody else, use [`try_connect`](Self::try_connect).
    #[must_use = "a client closes when it is dropped"]
    pub fn connect(self) -> Client {
        let board = Arc::clone(&self.board);
        self.try_connect().unwrap_or_else(|error| {
            tracing::error!(%error, "a client cannot be set up");
            Client::unable(board, error)
        })
    }

    /// Connects as [`connect`](Self::connect) does, and tells at once if the client cannot be set
    /// up.
    ///
    /// # Errors
    /// If the URL is none, there is no tokio runtime, two namespaces have the same name, a header
    /// cannot be sent, or TLS cannot be set up. Not if the server cannot be reached: a client tries
    /// that until it can.
    pub fn try_connect(self) -> Result<Client, SetupError> {
        let routing = self
            .routing
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = routing.error {
            return Err(error);
        }
        let (platform, host) = Here::new(&self.url, self.platform)?;
        let Random(mut random) = self.random.map_or_else(Random::new, Ok)?;
        let fault = Fault::new(self.bad_connection, random() as u64);
        let dispatcher = routing.dispatcher.build();
        let config = Config {
            asks_credentials: self.tokens.any(),
            ..self.config
        };
        let session = Session::new(
            Arc::new(config.limits.clone()),
            Arc::clone(dispatcher.contract()),
            self.codec,
        );
        let shared = Shared::new(Port::new(Arc::clone(&host), session), self.board);
        let client = Client::new(Arc::clone(&shared));
        let driver = drive(Parts {
            platform,
            machine: Machine::new(config, random),
            dispatcher,
            shared,
            tokens: self.tokens,
            fault,
        });
        Here::spawn(&host, driver);
        Ok(client)
    }

    /// Notes a mistake; the first one counts.
    pub(crate) fn fail(&self, error: SetupError) {
        self.routing().error.get_or_insert(error);
    }

    fn register(
        &self,
        f: impl FnOnce(&mut DispatcherBuilder<ToClient>) -> Result<(), DuplicateNamespace>,
    ) {
        let outcome = f(&mut self.routing().dispatcher);
        if let Err(error) = outcome {
            self.fail(error.into());
        }
    }

    fn routing(&self) -> MutexGuard<'_, Routing> {
        self.routing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
