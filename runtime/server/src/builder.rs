//! What a program says of its server before it runs.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use sente::driver::{Dispatcher, DispatcherBuilder, System};
use sente::{Codec, EventStream, Events, Peer, Routes, ToServer, Unhandled};
use sente_proto::Limits;
use sente_proto::contract::Namespace;
use sente_proto::server::{Caps, Mappings, Sessions};

use crate::around::Around;
use crate::budget::Budget;
use crate::end::SessionEnd;
use crate::guard::Guard;
use crate::hub::{Admit, Authenticate, Csrf, HandshakeData, Hub, OnEnd, Service};
use crate::{Handshake, Identity, Refusal, Server};

/// Configures a [`Server`].
///
/// ```
/// use std::time::Duration;
/// use sente_server::{Identity, Server};
///
/// let sente = Server::builder()
///     .authenticate(|handshake| async move {
///         Ok(match handshake.token() {
///             Some(name) => Identity::user(name),
///             None => Identity::anonymous(),
///         })
///     })
///     .origins(["https://app.example.org"])
///     .window(Duration::from_secs(600))
///     .on_end(|peer, end| println!("{peer:?} has gone: {:?}", end.reason))
///     .build();
/// # let _ = sente;
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    authenticate: Authenticate,
    admit: Option<Admit>,
    csrf: Option<Csrf>,
    handshakes: Vec<(&'static str, HandshakeData)>,
    namespaces: Vec<Spoken>,
    limits: Limits,
    caps: Caps,
    max_outboxes: usize,
    guard: Guard,
    unhandled: Option<Box<Listen>>,
    on_end: Option<Arc<OnEnd>>,
    codecs: Vec<Codec>,
    bad_connection: f64,
    around: Around,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            authenticate: Box::new(|_| Box::pin(async { Ok(Identity::anonymous()) })),
            admit: None,
            csrf: None,
            handshakes: Vec::new(),
            namespaces: Vec::new(),
            limits: Limits::default(),
            caps: Caps::default(),
            max_outboxes: 256 * 1024 * 1024,
            guard: Guard::default(),
            unhandled: None,
            on_end: None,
            codecs: Codec::ALL.to_vec(),
            bad_connection: 0.0,
            around: Around::default(),
        }
    }

    // ---- who may connect ----

    /// Says who a client is, or refuses it. Without this all clients are anonymous.
    ///
    /// It is asked when a client's hello has come, and again when it resumes its session; not for
    /// each request of a client that polls. It is asked in the middle of a session as well, at most
    /// once in a second, when the client shows another token: by `reauthenticate`, or since its
    /// identity [expires](Identity::expires_after). It may take as long as a handshake may, 10 s by default.
    pub fn authenticate<F, Fut>(mut self, authenticate: F) -> Self
    where
        F: Fn(Handshake) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Identity, Refusal>> + Send + 'static,
    {
        self.authenticate = Box::new(move |handshake| Box::pin(authenticate(handshake)));
        self
    }

    /// Looks at each request before anything else is done for it: before the upgrade to a WebSocket,
    /// before the body of a poll is read. The place for caps by address.
    ///
    /// A WebSocket makes one request, a client that polls two or more each 25 s.
    pub fn admit(
        mut self,
        admit: impl Fn(&Parts) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Self {
        self.admit = Some(Box::new(admit));
        self
    }

    /// Checks the token against cross-site request forgery, for applications that have one. A
    /// client for which this is `false` is refused.
    ///
    /// Without it the check of the origin and the content type of polls, which no form can send,
    /// protect alone.
    pub fn csrf(mut self, check: impl Fn(&Handshake) -> bool + Send + Sync + 'static) -> Self {
        self.csrf = Some(Box::new(check));
        self
    }

    /// Lets pages of these origins connect, and only them. By default those of the server's own
    /// origin may.
    ///
    /// An origin is written as browsers do: `https://example.org`, with a port if it is not the
    /// usual one. Answers to polls carry the headers that a browser wants to see.
    ///
    /// # Panics
    /// If one of them is no origin.
    pub fn origins<O: AsRef<str>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        let origins = origins.into_iter().map(|origin| {
            let origin = origin.as_ref().to_ascii_lowercase();
            let parsed = HeaderValue::from_str(&origin).ok();
            let is_origin = origin
                .split_once("://")
                .is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty())
                && origin.matches('/').count() == 2
                && !origin.contains('*');
            match parsed.filter(|_| is_origin) {
                Some(origin) => origin,
                None => panic!(
                    "`{origin}` is no origin: write `https://example.org`, without a path or a `*`"
                ),
            }
        });
        self.guard.origins = Some(origins.collect());
        self
    }

    /// Believes `X-Forwarded-Host` when it compares the origin with the server's own. Only for
    /// servers that all clients reach through a proxy, which sets that header and is trusted.
    pub fn trust_forwarded_host(mut self) -> Self {
        self.guard.trusts_forwarded_host = true;
        self
    }

    // ---- what is served ----

    /// Serves a namespace: `.serve(|server| Chat::server(Handler { server }))`. Any number of them;
    /// of several handlers of one namespace each sees each event, and the first that handles a call
    /// answers it.
    pub fn serve(
        mut self,
        handlers: impl FnOnce(Server) -> Routes<ToServer> + Send + 'static,
    ) -> Self {
        self.namespaces.push(Spoken::Served(Box::new(handlers)));
        self
    }

    /// Gives the events of a namespace that want no reply as a stream. Calls need a handler.
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use sente_server::Server;
    ///
    /// #[sente::events]
    /// enum Chat {
    ///     #[to_server]
    ///     Typing { room: String },
    /// }
    ///
    /// let mut builder = Server::builder();
    /// let mut events = builder.stream::<Chat>();
    /// let sente = builder.build();
    /// # let _ = sente;
    /// # async move {
    /// while let Some((from, Chat::Typing { room })) = events.next().await {
    ///     println!("{} types in {room}", from.user_or("somebody"));
    /// }
    /// # };
    /// ```
    pub fn stream<E: Events>(&mut self) -> EventStream<(Peer, E)> {
        let (events, routes) = sente::driver::stream(|from: &Peer, event| (from.clone(), event));
        self.namespaces.push(Spoken::Served(Box::new(|_| routes)));
        events
    }

    /// Speaks a namespace whose events the server only pushes. One that is [served](Self::serve)
    /// is spoken anyway.
    pub fn contract<E: Events>(mut self) -> Self {
        self.namespaces.push(Spoken::Pushed(E::NAMESPACE));
        self
    }

    /// Makes what clients are told when they connect, for a namespace with `handshake = …`.
    ///
    /// Nobody knows yet whether the client is there: what is sent to it now is not accepted.
    pub fn handshake<E: Events>(
        mut self,
        data: impl Fn(&Peer) -> E::Handshake + Send + Sync + 'static,
    ) -> Self {
        let encoded: HandshakeData = Box::new(move |peer, codec| codec.encode(&data(peer)));
        self.handshakes.push((E::NAMESPACE.name, encoded));
        self.contract::<E>()
    }

    /// Offers clients these codecs and no others. Default: [`Codec::ALL`], those that the program was
    /// built with.
    ///
    /// ```
    /// use sente_server::{Codec, Server};
    ///
    /// let sente = Server::builder().codecs([Codec::Bincode]).build();
    /// # let _ = sente;
    /// ```
    ///
    /// A client that asks for another is refused, and told which there are.
    ///
    /// # Panics
    /// If one of a program's own has the name of one that is built in.
    pub fn codecs(mut self, codecs: impl IntoIterator<Item = Codec>) -> Self {
        self.codecs.clear();
        codecs.into_iter().fold(self, Self::codec)
    }

    /// Offers clients one codec more: one of the program's own.
    ///
    /// # Panics
    /// If it has the name of one that is built in.
    pub fn codec(mut self, codec: Codec) -> Self {
        assert!(
            Codec::named(codec.name()).is_none_or(|known| known == codec),
            "the codec `{}` has the name of one that is built in",
            codec.name()
        );
        if !self.codecs.contains(&codec) {
            self.codecs.push(codec);
        }
        self
    }

    /// Is told of each event and call of a client that reaches no handler: that this server does not
    /// know, or in another form, or has no handler for, or whose fields cannot be decoded.
    ///
    /// ```
    /// # use sente_server::Server;
    /// let sente = Server::builder()
    ///     .unhandled(|peer, event| eprintln!("{event:?} of {peer:?} reaches nobody"))
    ///     .build();
    /// # let _ = sente;
    /// ```
    ///
    /// Clients made with sente do not even send what this server has said that it does not know:
    /// [`Peer::skew`] names that. Whoever calls is told of the failure. It must not block.
    pub fn unhandled(mut self, listen: impl Fn(&Peer, Unhandled) + Send + Sync + 'static) -> Self {
        self.unhandled = Some(Box::new(listen));
        self
    }

    /// Is told of each session that has ended, why, and what it did not deliver.
    pub fn on_end(mut self, on_end: impl Fn(Peer, SessionEnd) + Send + Sync + 'static) -> Self {
        self.on_end = Some(Arc::new(on_end));
        self
    }

    // ---- limits ----

    /// Sets all limits of sessions at once.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many sessions there may be: in all, of one user, and not yet confirmed.
    pub fn caps(mut self, caps: Caps) -> Self {
        self.caps = caps;
        self
    }

    /// How long a session waits for its client to come back. Default 2 min.
    pub fn window(mut self, window: Duration) -> Self {
        self.limits.window = window;
        self
    }

    /// The largest event, in bytes. Default 256 KiB.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.limits.max_message = bytes;
        self
    }

    /// How much may wait for one client, in bytes and in events. Default 1 MiB and 4,096.
    pub fn outbox(mut self, bytes: usize, events: usize) -> Self {
        self.limits.outbox_bytes = bytes;
        self.limits.outbox_events = events;
        self
    }

    /// How much memory all outboxes together may take, in bytes: payloads, and about 128 bytes more
    /// for each event. Beyond it sessions end, first those whose clients are away and for which most
    /// waits. Default 256 MiB.
    pub fn max_outboxes(mut self, bytes: usize) -> Self {
        self.max_outboxes = bytes;
        self
    }

    /// How many handlers may run at once for one client. Default 256.
    pub fn max_handlers(mut self, handlers: u32) -> Self {
        self.limits.handlers = handlers;
        self
    }

    /// How many events and calls one client may send a second; more wait. Default 100,000.
    pub fn max_rate(mut self, per_second: u32) -> Self {
        self.limits.rate = per_second;
        self
    }

    /// After how long a silence a connection is dead. It is pinged after half of it. Default 30 s.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.limits.silence = silence;
        self.limits.ping_after = silence / 2;
        self
    }

    /// The longest that a poll is held. Default 25 s, and at most five sixths of the silence.
    pub fn poll_hold(mut self, hold: Duration) -> Self {
        self.limits.poll_hold = hold;
        self
    }

    /// How long a handshake may take. Default 10 s.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.limits.handshake = timeout;
        self
    }

    /// Breaks connections at random, for tests: each message and request with this probability,
    /// from 0 to 1. Default 0.
    pub fn bad_connection(mut self, rate: f64) -> Self {
        self.bad_connection = rate.clamp(0.0, 1.0);
        self
    }

    /// Takes time of day, random numbers and tasks from `system`: for simulations alone, since who can
    /// foresee the numbers can take over any session. `sente-test` sets it.
    #[doc(hidden)]
    pub fn system(mut self, system: Arc<dyn System>) -> Self {
        self.around = Around(Some(system));
        self
    }

    // ---- the end ----

    /// Makes the server.
    ///
    /// # Panics
    /// If two different namespaces have the same name.
    #[must_use]
    pub fn build(self) -> Server {
        let mut limits = self.limits;
        // A client whose poll is held has nothing to say meanwhile; it must not count as silent.
        limits.poll_hold = limits.poll_hold.min(limits.silence * 5 / 6);
        let limits = Arc::new(limits);
        let sessions = Sessions::new(self.caps, limits.window);
        let budget = Budget::new(self.max_outboxes);
        let hub = Arc::new(Hub::new(self.around, limits, sessions, budget));
        let dispatcher = dispatcher(&hub, self.namespaces, self.unhandled);
        let service = Arc::new(Service {
            hub: Arc::clone(&hub),
            mappings: Mappings::new(Arc::clone(dispatcher.contract())),
            dispatcher,
            guard: self.guard,
            authenticate: self.authenticate,
            admit: self.admit,
            csrf: self.csrf,
            handshakes: self.handshakes,
            on_end: self.on_end,
            codecs: self.codecs,
            bad_connection: self.bad_connection,
        });
        // It is set here alone, once.
        let _ = hub.service.set(Arc::downgrade(&service));
        Server {
            hub,
            service: Some(service),
        }
    }
}

/// A namespace, in the order of the builder.
enum Spoken {
    Served(Box<dyn FnOnce(Server) -> Routes<ToServer> + Send>),
    /// Only pushed, or only told of at the handshake.
    Pushed(&'static Namespace),
}

/// The default handler.
type Listen = dyn Fn(&Peer, Unhandled) + Send + Sync;

fn dispatcher(
    hub: &Arc<Hub>,
    namespaces: Vec<Spoken>,
    unhandled: Option<Box<Listen>>,
) -> Arc<Dispatcher<ToServer>> {
    let mut builder = DispatcherBuilder::default();
    if let Some(listen) = unhandled {
        builder.unhandled(listen);
    }
    for namespace in namespaces {
        let added = match namespace {
            Spoken::Served(handlers) => builder.serve(handlers(Server {
                hub: Arc::clone(hub),
                service: None,
            })),
            Spoken::Pushed(namespace) => builder.speak(namespace),
        };
        if let Err(error) = added {
            panic!("{error}");
        }
    }
    builder.build()
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("limits", &self.limits)
            .field("caps", &self.caps)
            .field("namespaces", &self.namespaces.len())
            .finish_non_exhaustive()
    }
}
