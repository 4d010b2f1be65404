//! Hellos: which session each gets, and who has to leave for it.

use std::sync::Arc;

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::frame::{Frame, Hello};
use sente_proto::server::{Greeting, Seat, accept, welcome};
use sente_proto::session::Session;
use sente_proto::{Carrier, Close, CloseReason, FreshReason, Refused, SessionId, wire};

use super::World;
use super::program::Program;
use super::server::{At, Seated, violated};
use crate::model::{Owner, Verdict};

impl World {
    /// Seats the client of a hello. Returns the half of its session and the welcome, or what else to
    /// answer.
    pub(super) fn seat_client(
        &mut self,
        hello: &Hello,
        carrier: Carrier,
    ) -> Verdict<Result<(usize, Frame), Frame>> {
        let now = self.now;
        let refused = |refused: Refused| Ok(Err(Frame::Refused(Box::new(refused))));
        let codec = match accept(hello, Codec::ALL) {
            Ok(codec) => codec,
            Err(error) => return refused(error),
        };
        let user: Option<Arc<str>> = hello
            .token
            .as_ref()
            .map(|token| token.reveal().as_str().into());
        let Some(mut sessions) = self.server.sessions.take() else {
            return Err("a hello came to a server that is down".to_owned());
        };
        let mut rng = self.server.rng.clone();
        let model = &mut self.model;
        let opened = sessions.open(
            now,
            hello,
            codec,
            user.as_ref(),
            || rng.wide(),
            |_, _| model.begin(Owner::Server, now),
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

    fn make_seat(&mut self, half: usize, id: SessionId, codec: Codec) {
        let session = Session::new(
            Arc::new(self.plan.limits.clone()),
            Arc::clone(&self.server.contract),
            codec,
        );
        self.server.seats.resize_with(half + 1, || None);
        self.server.seats[half] = Some(Box::new(Seated {
            id,
            seat: Seat::new(id, self.now),
            session,
            program: Program::new(half, self.server.version),
            carrier: At::Nothing,
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
        let now = self.now;
        let Self { server, .. } = self;
        let Some(seated) = server.seats[half].as_deref_mut() else {
            return Err("the registry knows a session that has ended".to_owned());
        };
        let attached =
            seated
                .seat
                .attach(now, &mut seated.session, hello, carrier, &server.mappings);
        if let Err(close) = attached {
            violated(&close)?;
            self.coverage.meet("hellos overtaken");
            return Ok(Err(Frame::Close(Box::new(close))));
        }
        let replaced = Frame::Close(Box::new(seated.seat.replaced()));
        let before = std::mem::replace(&mut seated.carrier, At::Poll(Vec::new()));
        let frame = Frame::Welcome(Box::new(welcome(now, &mut seated.session, hello, greeting)));
        self.leave(half, before, &replaced);
        Ok(Ok((half, frame)))
    }

    /// Tells a carrier why it no longer serves the session.
    pub(super) fn leave(&mut self, half: usize, carrier: At, why: &Frame) {
        match carrier {
            At::Nothing => {}
            At::Socket(socket) => {
                let mut message = Vec::new();
                wire::encode(self.plan.codec, why, &mut message);
                self.note_frame("server", half, "sends", &message);
                self.send_down(socket, Bytes::from(message));
                self.server_closes(socket);
            }
            At::Poll(held) => {
                for held in held {
                    self.answer(held.of, 409, std::slice::from_ref(why));
                }
            }
        }
    }
}
