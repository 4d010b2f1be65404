//! From a hello to a welcome, the same for both carriers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::StatusCode;
use http::request::Parts;
use sente::Codec;
use sente_proto::frame::{Frame, Hello};
use sente_proto::server::{self, Greeting, Opened};
use sente_proto::session::Session;
use sente_proto::{Carrier, Close, CloseReason, Refused, RefusedReason, Time};

use crate::hub::Service;
use crate::routes::{Form, malformed};
use crate::sessions::Client;
use crate::{Handshake, Identity, Refusal};

/// A carrier that has been let in.
pub(crate) struct Admitted {
    pub(crate) client: Arc<Client>,
    pub(crate) epoch: u64,
    pub(crate) codec: Codec,
    pub(crate) welcome: Frame,
}

/// A carrier that has not.
pub(crate) enum NotAdmitted {
    Refused(Refusal),
    /// It is too late, or the client breaks the protocol.
    Closed(Close),
}

impl From<Refused> for NotAdmitted {
    fn from(refused: Refused) -> Self {
        Self::Refused(Refusal::of(refused))
    }
}

impl From<Refusal> for NotAdmitted {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What the application has said of a client that comes with a hello.
struct Known {
    /// When it was asked.
    asked: Time,
    /// When that is no longer good.
    expires: Option<Time>,
}

/// Finds out who the client is, opens or resumes its session, and gives it the carrier.
///
/// When this returns, the carrier serves the session and nobody keeps its time yet; or another one
/// does, until the client says something on this one.
pub(crate) async fn admit(
    service: &Arc<Service>,
    request: Parts,
    mut hello: Hello,
    form: Form,
    carrier: Carrier,
) -> Result<Admitted, NotAdmitted> {
    let codec = server::accept(&hello, &service.codecs)?;
    if !form.is_of(codec) {
        let message = "the hello is text and its codec is not, or the other way round";
        return Err(malformed(StatusCode::BAD_REQUEST, message).into());
    }
    let handshake = Handshake::new(request, &mut hello, carrier);
    let asked = service.hub.clock.now();
    let identity = identify(service, &handshake).await?;
    if let Some(resume) = &hello.resume {
        let now = service.hub.clock.now();
        let mut sessions = service.hub.sessions();
        let ended = sessions.ended(now, resume.session, &resume.secret);
        // It does not come back by itself, whether it has heard of that or not.
        if let Some(close) = ended.filter(|close| close.reason == CloseReason::Kicked) {
            return Err(NotAdmitted::Closed(close.clone()));
        }
    }
    let known = Known {
        asked,
        expires: identity.expires(service.hub.clock.now(), service.hub.around.since_unix()),
    };
    let opened = open(service, &hello, codec, identity, &handshake)?;
    drop(handshake);
    let client = Arc::clone(&opened.value);
    attach(service, &client, &hello, carrier, &known)?;
    let handshake = service.handshake_data(&client.peer, codec);
    let greeting = Greeting {
        session: opened.id,
        secret: opened.secret,
        fresh: opened.fresh,
        server: service.hub.run,
        user: client.peer.user().map(str::to_owned),
        handshake,
    };
    tracing::debug!(session = %client.id, ?carrier, epoch = hello.epoch, fresh = ?greeting.fresh, "a carrier is let in");
    let welcome = client
        .with(|now, chair, session| server::welcome(now, &chair.seat, session, &hello, greeting));
    Ok(Admitted {
        client,
        epoch: hello.epoch,
        codec,
        welcome: Frame::Welcome(Box::new(welcome)),
    })
}

/// Asks the application who the client is.
pub(crate) async fn identify(
    service: &Service,
    handshake: &Handshake,
) -> Result<Identity, Refusal> {
    if service.csrf.as_ref().is_some_and(|csrf| !csrf(handshake)) {
        return Err(Refusal::of(Refused {
            status: 403,
            reason: RefusedReason::Csrf,
            message: "the token against cross-site request forgery is missing or wrong: reload \
                      the page"
                .to_owned(),
            retry_after: None,
            codecs: Vec::new(),
        }));
    }
    let limit = service.hub.limits.handshake;
    let authenticated = AssertUnwindSafe((service.authenticate)(handshake.clone())).catch_unwind();
    match tokio::time::timeout(limit, authenticated).await {
        Ok(Ok(Ok(identity))) if identity.has_expired(service.hub.around.since_unix()) => {
            let message = "what the client shows is no longer good: log in again";
            Err(Refusal::unauthorized(message))
        }
        Ok(Ok(identity)) => identity,
        Ok(Err(_)) => {
            tracing::error!("`authenticate` panicked; the client is refused");
            Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the server failed to find out who this is",
            ))
        }
        Err(_) => {
            tracing::error!(
                ?limit,
                "`authenticate` took longer than a handshake may; the client is refused for now"
            );
            let message = "the server took too long to find out who this is";
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message).retry_after(limit))
        }
    }
}

fn open(
    service: &Service,
    hello: &Hello,
    codec: Codec,
    identity: Identity,
    handshake: &Handshake,
) -> Result<Opened<Arc<Client>>, Refused> {
    let hub = &service.hub;
    let user = identity.user;
    let make = |id, _: &_| {
        let limits = Arc::clone(&hub.limits);
        let contract = Arc::clone(service.dispatcher.contract());
        let session = Session::new(limits, contract, codec);
        Client::new(Arc::clone(&hub.host), session, id, user.clone(), handshake)
    };
    let now = hub.clock.now();
    let opened = hub.sessions().open(
        now,
        hello,
        codec,
        user.as_ref(),
        || hub.around.random(),
        make,
    );
    if let Ok(Opened {
        ended: Some(ended), ..
    }) = &opened
    {
        hub.finish(ended, &Close::new(CloseReason::UserChanged));
    }
    opened
}

fn attach(
    service: &Arc<Service>,
    client: &Arc<Client>,
    hello: &Hello,
    carrier: Carrier,
    known: &Known,
) -> Result<(), NotAdmitted> {
    let attached = client.with(|now, chair, session| {
        if let Some(end) = &chair.end {
            return Err(end.clone());
        }
        let seat = &mut chair.seat;
        seat.attach(now, session, hello, carrier, &service.mappings)?;
        // At once: whoever keeps the session's time must not see the carrier with an identity of before.
        seat.authenticated(now, session, known.expires);
        chair.greeted = chair.greeted.max(known.asked);
        Ok(chair.seat.is_current(hello.epoch))
    });
    match attached {
        Ok(true) => service.hub.moved(client),
        // What serves it meanwhile does so by that identity, which may expire sooner.
        Ok(false) if known.expires.is_some() => client.port.ring(),
        Ok(false) => {}
        Err(close) => {
            if close.reason.is_violation() {
                service.hub.end(client, &close);
            }
            return Err(NotAdmitted::Closed(close));
        }
    }
    Ok(())
}
