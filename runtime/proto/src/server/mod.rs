//! The server's half: which sessions there are, who serves each, and what a hello is answered.
//!
//! * [`Sessions`] is the registry. A hello opens a session or finds the one it resumes.
//! * [`Seat`] stands beside each `Session` and knows which carrier
//!   serves it, whether the client is still there, and which poll is the newest.
//! * [`Mappings`] shares what clients of the same contract have in common.
//!
//! A driver keeps the registry, each seat and each session behind a lock of its own and takes them
//! in this order: registry, seat, session.
//!
//! What a carrier does, in this order: [`accept`] the hello, ask the application who it is,
//! [`Sessions::open`], [`Seat::attach`] and [`Seat::authenticated`], answer with a [`welcome`]; then [`Seat::handle_frame`] for
//! each frame, behind [`Seat::handle_request`] where the carrier polls; [`Seat::detach`] at its end.
//! Between these, [`Seat::handle_timeout`] at [`Seat::poll_timeout`].

mod mappings;
mod seat;
mod sessions;
mod tombs;

use bytes::Bytes;

pub use mappings::Mappings;
pub use seat::{Due, Heard, Place, Seat, Standing, Turn};
pub use sessions::{Caps, Opened, Sessions};

use crate::codec::Codec;
use crate::frame::{Hello, VERSION, Welcome};
use crate::session::Session;
use crate::{FreshReason, Refused, RefusedReason, ResumeSecret, SessionId, Time};

/// More namespaces than this no client speaks.
const NAMESPACES: usize = 256;

/// The longest name of a device, in bytes. It is kept as long as the session.
const DEVICE: usize = 256;

/// Whether this side can talk with the client at all, and by which codec.
///
/// # Errors
/// If the client speaks another version, a codec that is not among `codecs`, or more than 256
/// namespaces, gives its device a name of more than 256 bytes, or counts its epochs from 0.
pub fn accept(hello: &Hello, codecs: &[Codec]) -> Result<Codec, Refused> {
    if hello.version != VERSION {
        return Err(Refused {
            status: 426,
            reason: RefusedReason::Version,
            message: format!(
                "the client speaks version {} of the wire, the server version {VERSION}: renew the \
                 older program",
                hello.version
            ),
            retry_after: None,
            codecs: Vec::new(),
        });
    }
    let malformed = |message| Refused {
        status: 400,
        reason: RefusedReason::Malformed,
        message,
        retry_after: None,
        codecs: Vec::new(),
    };
    if hello.namespaces.len() > NAMESPACES {
        let message = format!("a client may speak {NAMESPACES} namespaces, not more");
        return Err(malformed(message));
    }
    if hello
        .device
        .as_ref()
        .is_some_and(|name| name.len() > DEVICE)
    {
        let message = format!("the name of a device may have {DEVICE} bytes, not more");
        return Err(malformed(message));
    }
    // No seat takes it, so it would open a session that nobody can have.
    if hello.epoch == 0 {
        return Err(malformed("epochs count from 1".to_owned()));
    }
    codecs
        .iter()
        .copied()
        .find(|codec| codec.name() == hello.codec)
        .ok_or_else(|| Refused {
            status: 400,
            reason: RefusedReason::Codec,
            message: "the server does not have the client's codec: choose one of its list"
                .to_owned(),
            retry_after: None,
            codecs: codecs.iter().map(|codec| codec.name().to_owned()).collect(),
        })
}

/// What a welcome says beside what the session itself knows.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by drivers")]
pub struct Greeting {
    /// The session.
    pub session: SessionId,
    /// Its secret.
    pub secret: ResumeSecret,
    /// Why it is fresh; `None` if it was resumed.
    pub fresh: Option<FreshReason>,
    /// Differs between two runs of a server program.
    pub server: u64,
    /// Who the client is.
    pub user: Option<String>,
    /// Handshake data, by namespace.
    pub handshake: Vec<(String, Bytes)>,
}

impl std::fmt::Debug for Greeting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Greeting")
            .field("session", &self.session)
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}

/// The answer to `hello`, whose carrier has been [attached](Seat::attach).
#[must_use]
pub fn welcome(
    now: Time,
    seat: &Seat,
    session: &mut Session,
    hello: &Hello,
    greeting: Greeting,
) -> Welcome {
    let acknowledge = session.acknowledge(now);
    if !seat.is_current(hello.epoch) {
        // Nobody knows whether the welcome arrives. What serves the session meanwhile says it too.
        session.acknowledge_anew();
    }
    Welcome {
        session: greeting.session,
        secret: greeting.secret,
        epoch: hello.epoch,
        server: greeting.server,
        fresh: greeting.fresh,
        user: greeting.user,
        acknowledge,
        terms: session.limits().terms(),
        namespaces: session.contract().answers(&hello.namespaces),
        handshake: greeting.handshake,
    }
}
