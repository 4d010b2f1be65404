//! The registry: which sessions there are, and what a hello opens or resumes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::tombs::Tombs;
use crate::codec::Codec;
use crate::frame::{Hello, Request};
use crate::{
    Close, CloseReason, FreshReason, Refused, RefusedReason, ResumeSecret, SessionId, Time,
};

/// How many sessions there may be.
///
/// ```
/// use sente_proto::server::Caps;
///
/// let caps = Caps { per_user: 10, ..Caps::default() };
/// assert_eq!(caps.sessions, 1_000_000);
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by struct update from the default"
)]
pub struct Caps {
    /// In all. Default 1,000,000.
    pub sessions: usize,
    /// Of one user. Default 100. Anonymous clients are not counted.
    pub per_user: usize,
    /// That no client has confirmed: what a flood of hellos can make. Default 10,000.
    pub unconfirmed: usize,
    /// How many ended sessions are remembered with their reasons, oldest forgotten first. Default
    /// 4,096.
    pub remembered: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            sessions: 1_000_000,
            per_user: 100,
            unconfirmed: 10_000,
            remembered: 4096,
        }
    }
}

/// All sessions of a server. `T` is what the driver keeps of each.
pub struct Sessions<T> {
    caps: Caps,
    entries: HashMap<SessionId, Entry<T>>,
    /// The session that each attempt of each identity has opened.
    attempts: HashMap<(u128, Option<Arc<str>>), SessionId>,
    users: HashMap<Arc<str>, usize>,
    unconfirmed: usize,
    tombs: Tombs,
    /// No fresh sessions any more; when to come back.
    closed: Option<Duration>,
}

struct Entry<T> {
    secret: ResumeSecret,
    attempt: u128,
    user: Option<Arc<str>>,
    codec: Codec,
    fresh: FreshReason,
    confirmed: bool,
    value: T,
}

/// The session that a hello has opened or resumed.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "read by drivers")]
pub struct Opened<T> {
    /// What the driver keeps of it.
    pub value: T,
    /// Its name.
    pub id: SessionId,
    /// Its secret.
    pub secret: ResumeSecret,
    /// Why it is fresh; `None` if it is resumed.
    pub fresh: Option<FreshReason>,
    /// Another session that ended by this: its client has come back as somebody else. It is no
    /// longer in the registry.
    pub ended: Option<T>,
}

impl<T> std::fmt::Debug for Opened<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("id", &self.id)
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}

impl<T: Clone> Sessions<T> {
    /// A registry of none. Ended sessions are remembered for `window`.
    #[must_use]
    pub fn new(caps: Caps, window: Duration) -> Self {
        Self {
            caps,
            entries: HashMap::new(),
            attempts: HashMap::new(),
            users: HashMap::new(),
            unconfirmed: 0,
            tombs: Tombs::new(window, caps.remembered),
            closed: None,
        }
    }

    /// Opens or resumes the session of a hello that has been [accepted](super::accept) and whose
    /// client is `user`.
    ///
    /// `random` gives 128 bits that nobody can foresee; `make` is called for a fresh session only.
    ///
    /// # Errors
    /// If there are as many sessions as may be, no fresh ones are wanted any more, or the codec is
    /// not that of the session.
    pub fn open(
        &mut self,
        now: Time,
        hello: &Hello,
        codec: Codec,
        user: Option<&Arc<str>>,
        mut random: impl FnMut() -> u128,
        make: impl FnOnce(SessionId, &ResumeSecret) -> T,
    ) -> Result<Opened<T>, Refused> {
        let reason = match self.resume(now, hello, codec, user)? {
            Resumption::Resumed(opened) => return Ok(opened),
            Resumption::Fresh(reason) => reason,
        };
        let attempt = (hello.attempt, user.cloned());
        let known = self.attempts.get(&attempt).copied();
        let known = known.filter(|_| !mutated!("forget-attempt"));
        if let Some(opened) = known.and_then(|id| self.opened_before(id)) {
            return Self::in_codec(codec, opened.0, opened.1);
        }
        self.admit(user, &mut random)?;
        let ended = match &hello.resume {
            Some(resume) if reason == FreshReason::UserChanged => {
                let close = Close::new(CloseReason::UserChanged);
                self.remove(now, resume.session, &close)
            }
            _ => None,
        };
        let id = loop {
            let id = SessionId::new(random());
            if !self.entries.contains_key(&id) && !self.tombs.knows(id) {
                break id;
            }
        };
        let secret = ResumeSecret::new(random());
        let value = make(id, &secret);
        self.entries.insert(
            id,
            Entry {
                secret: secret.clone(),
                attempt: hello.attempt,
                user: user.cloned(),
                codec,
                fresh: reason,
                confirmed: false,
                value: value.clone(),
            },
        );
        self.attempts.insert(attempt, id);
        if let Some(user) = user {
            *self.users.entry(Arc::clone(user)).or_default() += 1;
        }
        self.unconfirmed += 1;
        Ok(Opened {
            value,
            id,
            secret,
            fresh: Some(reason),
            ended,
        })
    }

    fn resume(
        &mut self,
        now: Time,
        hello: &Hello,
        codec: Codec,
        user: Option<&Arc<str>>,
    ) -> Result<Resumption<T>, Refused> {
        let Some(resume) = &hello.resume else {
            return Ok(Resumption::Fresh(FreshReason::First));
        };
        let known = self
            .entries
            .get(&resume.session)
            .filter(|entry| entry.secret.matches(&resume.secret));
        Ok(match known {
            Some(entry) if entry.user.as_ref() == user || mutated!("resume-for-anybody") => {
                let opened = Opened {
                    value: entry.value.clone(),
                    id: resume.session,
                    secret: entry.secret.clone(),
                    fresh: None,
                    ended: None,
                };
                Resumption::Resumed(Self::in_codec(codec, entry.codec, opened)?)
            }
            Some(_) => Resumption::Fresh(FreshReason::UserChanged),
            // What this run of the server does not remember may have been in an earlier one. The
            // client knows better: it compares `Welcome::server`.
            None => Resumption::Fresh(
                self.tombs
                    .of(now, resume.session, &resume.secret)
                    .map_or(FreshReason::Restarted, |close| close.reason.fresh_reason()),
            ),
        })
    }

    /// The session that an earlier hello of the same attempt has opened.
    fn opened_before(&self, id: SessionId) -> Option<(Codec, Opened<T>)> {
        let entry = self.entries.get(&id)?;
        let opened = Opened {
            value: entry.value.clone(),
            id,
            secret: entry.secret.clone(),
            fresh: Some(entry.fresh),
            ended: None,
        };
        Some((entry.codec, opened))
    }

    fn in_codec(codec: Codec, own: Codec, opened: Opened<T>) -> Result<Opened<T>, Refused> {
        if codec == own {
            return Ok(opened);
        }
        Err(Refused {
            status: 400,
            reason: RefusedReason::Malformed,
            message: format!(
                "the session speaks {}, the hello {}: a session keeps its codec",
                own.name(),
                codec.name()
            ),
            retry_after: None,
            codecs: Vec::new(),
        })
    }

    fn admit(
        &self,
        user: Option<&Arc<str>>,
        random: &mut impl FnMut() -> u128,
    ) -> Result<(), Refused> {
        if let Some(refused) = self.closed(&mut *random) {
            return Err(refused);
        }
        let mut full = |message, after| Err(busy(RefusedReason::Full, message, after, random()));
        if self.entries.len() >= self.caps.sessions {
            return full(
                "the server has as many sessions as it may have: come back later",
                Duration::from_secs(30),
            );
        }
        if user.is_some_and(|user| self.users.get(user).copied() >= Some(self.caps.per_user)) {
            return full(
                "this user has as many sessions as one may have: close some",
                Duration::from_secs(30),
            );
        }
        if self.unconfirmed >= self.caps.unconfirmed {
            return full(
                "too many clients connect at the same time: come back in a moment",
                Duration::from_secs(2),
            );
        }
        Ok(())
    }

    /// The session with this name and secret.
    #[must_use]
    pub fn find(&self, id: SessionId, secret: &ResumeSecret) -> Option<T> {
        self.entries
            .get(&id)
            .filter(|entry| entry.secret.matches(secret))
            .map(|entry| entry.value.clone())
    }

    /// How the session with this name and secret has ended, as long as it is remembered.
    pub fn ended(&mut self, now: Time, id: SessionId, secret: &ResumeSecret) -> Option<&Close> {
        self.tombs.of(now, id, secret)
    }

    /// What a request is answered whose session is not there, on a server that calls itself `server`
    /// in its welcomes: with [`CloseReason::UnknownSession`] and [`CloseReason::WrongServer`] that
    /// its client is to say hello anew, otherwise why the session has ended.
    pub fn gone(&mut self, now: Time, request: &Request, server: u64) -> Close {
        if request.server != server {
            return Close::new(CloseReason::WrongServer);
        }
        match self.ended(now, request.session, &request.secret) {
            // These two are ends of carriers to a client, and that of this one has long ended.
            None
            | Some(Close {
                reason: CloseReason::Goodbye | CloseReason::Silent,
                ..
            }) => Close::new(CloseReason::UnknownSession),
            Some(close) => close.clone(),
        }
    }

    /// The session with this name, for the server's own use.
    #[must_use]
    pub fn get(&self, id: SessionId) -> Option<&T> {
        self.entries.get(&id).map(|entry| &entry.value)
    }

    /// The client has shown that it got its welcome. Returns whether this is new.
    pub fn confirm(&mut self, id: SessionId) -> bool {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| !entry.confirmed) else {
            return false;
        };
        entry.confirmed = true;
        self.unconfirmed -= 1;
        true
    }

    /// Takes out a session that has ended. Its client, if it has not heard of it, is told `close`.
    pub fn remove(&mut self, now: Time, id: SessionId, close: &Close) -> Option<T> {
        let entry = self.entries.remove(&id)?;
        self.unconfirmed -= usize::from(!entry.confirmed);
        if let Some(user) = &entry.user
            && let Some(count) = self.users.get_mut(user)
        {
            *count -= 1;
            if *count == 0 {
                self.users.remove(user);
            }
        }
        if !mutated!("keep-attempt") {
            self.attempts.remove(&(entry.attempt, entry.user));
        }
        self.tombs.add(now, id, entry.secret, close.clone());
        Some(entry.value)
    }

    /// Refuses fresh sessions from now on; clients may come back after about `retry_after`.
    pub fn close(&mut self, retry_after: Duration) {
        self.closed = Some(retry_after);
    }

    /// What a client is told that wants a fresh session after [`close`](Self::close).
    pub fn closed(&self, mut random: impl FnMut() -> u128) -> Option<Refused> {
        let message = "the server shuts down: come back later";
        let after = self.closed?;
        Some(busy(RefusedReason::Shutdown, message, after, random()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none, and nothing is left of any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.attempts.is_empty()
            && self.users.is_empty()
            && self.unconfirmed == 0
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (SessionId, &T)> {
        self.entries.iter().map(|(id, entry)| (*id, &entry.value))
    }
}

/// The refusal of a client that is welcome later. Those that are refused together do not come back
/// together: each after half of `retry_after` at the earliest, half of it more at the latest.
fn busy(reason: RefusedReason, message: &str, retry_after: Duration, random: u128) -> Refused {
    let within = random % (retry_after.as_nanos() + 1);
    Refused {
        status: 503,
        reason,
        message: message.to_owned(),
        retry_after: Some(retry_after / 2 + Duration::from_nanos(within as u64)),
        codecs: Vec::new(),
    }
}

enum Resumption<T> {
    Resumed(Opened<T>),
    Fresh(FreshReason),
}

impl<T> std::fmt::Debug for Sessions<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("sessions", &self.entries.len())
            .field("attempts", &self.attempts.len())
            .field("users", &self.users.len())
            .field("unconfirmed", &self.unconfirmed)
            .finish_non_exhaustive()
    }
}
