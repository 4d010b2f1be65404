//! Hellos: which session each gets, and who has to leave for it.

use std::sync::Arc;

use sente_proto::codec::Codec;
use sente_proto::frame::{Frame, Hello};
use sente_proto::server::{Greeting, Seat, accept, welcome};
use sente_proto::session::Session;
use sente_proto::{Carrier, Close, CloseReason, FreshReason, Refused, RefusedReason, SessionId};

use super::World;
use super::exchanges::Purpose;
use super::identities::NOBODY;
use super::program::Program;
use super::server::{At, Seated, violated};
use super::wire::End;
use crate::model::Owner;
use crate::promise::{Promise, Verdict};

impl World {
    /// Seats the client of a hello. Returns the half of its session and the welcome, or what else to
    /// answer.
    pub(super) fn seat_client(
        &mut self,
        hello: &Hello,
        carrier: Carrier,
    ) -> Verdict<Result<(usize, Frame), Frame>> {
        let now = self.server_clock();
        let refused = |refused: Refused| Ok(Err(Frame::Refused(Box::new(refused))));
        let codec = match accept(hello, Codec::ALL) {
            Ok(codec) => codec,
            Err(error) => return refused(error),
        };
        let token = hello.token.as_ref().map(|token| token.reveal().as_str());
        if token == Some(NOBODY) {
            return refused(Refused {
                status: 401,
                reason: RefusedReason::Unauthorized,
                message: "nobody is let in".to_owned(),
                retry_after: None,
                codecs: Vec::new(),
            });
        }
        let user: Option<Arc<str>> = hello
            .token
            .as_ref()
            .map(|token| token.reveal().as_str().into());
        let Some(mut sessions) = self.server.sessions.take() else {
            return Err(Promise::Protocol.broken("a hello came to a server that is down"));
        };
        let mut rng = self.server.rng.clone();
        let (model, ahead, at) = (&mut self.model, self.server.clock.ahead, self.now);
        let opened = sessions.open(
            now,
            hello,
            codec,
            user.as_ref(),
            || rng.wide(),
            |_, _| model.begin(Owner::Server, ahead, at),
        );
        self.server.rng = rng;
        self.server.sessions = Some(sessions);
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return refused(error),
        };
        let half = opened.value;
        if self.server.seat(half).is_none() {
            self.make_seat(half, opened.id, codec);
        }
        self.check_identity(half, hello, user.as_ref(), opened.fresh.is_some())?;
        if let Some(ended) = opened.ended {
            let close = Close::new(CloseReason::UserChanged);
            self.end_session(ended, &close, FreshReason::UserChanged)?;
        }
        let greeting = Greeting {
            session: opened.id,
            secret: opened.secret,
            fresh: opened.fresh,
            server: self.server.run,
            user: user.map(|user| user.to_string()),
            handshake: Vec::new(),
        };
        self.take_seat(hello, carrier, half, greeting)
    }

    /// One attempt of one user opens one session, and no session serves two users.
    fn check_identity(
        &mut self,
        half: usize,
        hello: &Hello,
        user: Option<&Arc<str>>,
        is_fresh: bool,
    ) -> Verdict {
        let wrong = |how: String| Err(Promise::Identity.broken(how));
        let Some(seated) = self.server.seat(half) else {
            return wrong(format!("half {half} has no seat"));
        };
        let asked = (hello.attempt, user.cloned());
        match &seated.asked {
            None => seated.asked = Some(asked.clone()),
            Some((_, own)) if own.as_ref() != user => {
                return wrong(format!(
                    "the session of half {half} belongs to {own:?} and is given to {user:?}"
                ));
            }
            Some(own) if *own == asked && is_fresh => {
                self.coverage
                    .meet("session: asked for again by the same attempt");
            }
            Some(_) => {}
        }
        let another = is_fresh
            && self
                .server
                .alive()
                .any(|(other, seated)| other != half && seated.asked.as_ref() == Some(&asked));
        if another {
            return wrong(format!(
                "half {half} is the second session of attempt {:x}",
                hello.attempt
            ));
        }
        Ok(())
    }

    fn make_seat(&mut self, half: usize, id: SessionId, codec: Codec) {
        let session = Session::new(
            Arc::new(self.plan.limits.clone()),
            Arc::clone(&self.server.contract),
            codec,
        );
        self.server.seats.resize_with(half + 1, || None);
        self.server.seats[half] = Some(Box::new(Seated {
            id,
            seat: Seat::new(id, self.server_clock()),
            began: self.now,
            heard: self.now,
            asked: None,
            expires: None,
            session,
            program: Program::new(half, self.server.version),
            carrier: At::Nothing,
            epoch: 0,
            is_told: false,
            timer: None,
        }));
    }

    fn take_seat(
        &mut self,
        hello: &Hello,
        carrier: Carrier,
        half: usize,
        greeting: Greeting,
    ) -> Verdict<Result<(usize, Frame), Frame>> {
        let (now, expires) = (self.server_clock(), self.identity_expires());
        let Self { server, .. } = self;
        let Some(seated) = server.seats[half].as_deref_mut() else {
            return Err(Promise::Cleared.broken("the registry knows a session that has ended"));
        };
        let attached =
            seated
                .seat
                .attach(now, &mut seated.session, hello, carrier, &server.mappings);
        if let Err(close) = attached {
            violated(&close)?;
            self.coverage.meet("carrier: hello overtaken");
            return Ok(Err(Frame::Close(Box::new(close))));
        }
        seated.seat.authenticated(now, &mut seated.session, expires);
        seated.expires = expires;
        let welcome = welcome(now, &seated.seat, &mut seated.session, hello, greeting);
        Ok(Ok((half, Frame::Welcome(Box::new(welcome)))))
    }

    /// If the carrier of that epoch has come to serve the session, what served it before is told.
    /// `client` has the carrier, unless it is that of a duplicate.
    pub(super) fn carrier_serves(
        &mut self,
        half: usize,
        epoch: u64,
        carrier: At,
        client: Option<usize>,
    ) -> Verdict {
        let at = self.now;
        let Some(seated) = self.server.seat(half) else {
            return Ok(());
        };
        if !seated.seat.is_current(epoch) || seated.epoch == epoch {
            return Ok(());
        }
        seated.epoch = epoch;
        seated.heard = at;
        let replaced = Frame::Close(Box::new(seated.seat.replaced()));
        if let Some(client) = client {
            let used_since = match carrier {
                At::Socket(socket) => {
                    self.sockets[socket].served_since = Some(at);
                    self.sockets[socket].used_since
                }
                At::Nothing | At::Poll(_) => {
                    self.clients[client].polls_served_since = Some(at);
                    self.clients[client].polls_used_since
                }
            };
            // Otherwise it is noted when the client begins to.
            if used_since.is_some() {
                self.model.hear_each_other(half, at, used_since);
            }
        }
        let is_socket = matches!(carrier, At::Socket(_));
        let before = std::mem::replace(&mut seated.carrier, carrier);
        self.coverage.meet(match (&before, is_socket) {
            (At::Nothing, true) => "server: none to WebSocket",
            (At::Nothing, false) => "server: none to Poll",
            (At::Socket(_), true) => "server: WebSocket to WebSocket",
            (At::Socket(_), false) => "server: WebSocket to Poll",
            (At::Poll(_), true) => "server: Poll to WebSocket",
            (At::Poll(_), false) => "server: Poll to Poll",
        });
        self.leave(half, before, &replaced)
    }

    /// Tells a carrier why it no longer serves the session.
    pub(super) fn leave(&mut self, half: usize, carrier: At, why: &Frame) -> Verdict {
        match carrier {
            At::Nothing => Ok(()),
            At::Socket(socket) => {
                self.send_frame(socket, End::Server(half), why)?;
                self.server_closes(socket);
                Ok(())
            }
            At::Poll(held) => {
                for held in held {
                    self.answer(held.of, Purpose::Poll, 409, std::slice::from_ref(why))?;
                }
                Ok(())
            }
        }
    }
}
