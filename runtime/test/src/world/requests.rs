//! The server's side of long polling.

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::frame::{Data, Frame, Hello, Request};
use sente_proto::server::{Place, Turn};
use sente_proto::{Carrier, Close, CloseReason, ResumeSecret, wire};

use super::World;
use super::exchanges::Purpose;
use super::queue::Asked;
use super::server::{At, Held, violated};
use super::wire::End;
use crate::promise::{Promise, Verdict};

/// A body is cut when it has so many bytes.
const BODY: usize = 64 * 1024;

impl World {
    /// A request came.
    pub(super) fn server_answers(&mut self, of: Asked, body: &Bytes) -> Verdict {
        if !self.server.is_up() {
            self.request_lost(of);
            return Ok(());
        }
        self.reads(End::Stranger, body, true);
        let codec = if wire::is_text_hello(body) {
            Codec::Json
        } else {
            Codec::Bincode
        };
        let mut frames = wire::frames_of_body(codec, body, &self.plan.limits.wire());
        let malformed = || Promise::Protocol.broken("a client's request is none");
        match frames.next() {
            Some(Ok(Frame::Hello(hello))) => match self.seat_client(&hello, Carrier::Poll)? {
                Ok((half, welcome)) => {
                    self.answer(of, Purpose::Hello, 200, &[welcome])?;
                    self.hello_is_answered(of, half, &hello)?;
                    self.pump_seat(half)
                }
                Err(Frame::Refused(refused)) => {
                    let status = refused.status;
                    self.answer(of, Purpose::Hello, status, &[Frame::Refused(refused)])
                }
                Err(answer) => self.answer(of, Purpose::Hello, 409, &[answer]),
            },
            Some(Ok(Frame::Request(request))) => {
                let purpose = if request.hold {
                    Purpose::Poll
                } else {
                    Purpose::Send
                };
                let Some(half) = self.find_session(request.session, &request.secret) else {
                    let (now, run) = (self.server.clock.reads(self.now), self.server.run);
                    let close = match &mut self.server.sessions {
                        Some(sessions) => sessions.gone(now, &request, run),
                        None => Close::new(CloseReason::WrongServer),
                    };
                    return self.answer(of, purpose, 404, &[Frame::Close(Box::new(close))]);
                };
                let frames: Vec<_> = frames.collect::<Result<_, _>>().map_err(|_| malformed())?;
                self.request_came(of, purpose, half, &request, frames)?;
                self.pump_seat(half)
            }
            _ => Err(malformed()),
        }
    }

    /// A hello by a request has been granted.
    fn hello_is_answered(&mut self, of: Asked, half: usize, hello: &Hello) -> Verdict {
        let client = of.exchange.is_some().then_some(of.client);
        if let Some(client) = client {
            let host = &mut self.clients[client];
            (host.polls_served_since, host.polls_used_since) = (None, None);
        }
        self.carrier_serves(half, hello.epoch, At::Poll(Vec::new()), client)?;
        let Some(seated) = self.server.seat(half).filter(|_| client.is_none()) else {
            return Ok(());
        };
        // A duplicate goes on at once.
        let request = Request {
            session: seated.id,
            secret: ResumeSecret::new(0),
            server: self.server.run,
            epoch: hello.epoch,
            number: 1,
            hold: false,
            beside: 0,
            brief: false,
        };
        self.request_came(of, Purpose::Send, half, &request, Vec::new())
    }

    fn request_came(
        &mut self,
        of: Asked,
        purpose: Purpose,
        half: usize,
        request: &Request,
        frames: Vec<Frame>,
    ) -> Verdict {
        let (at, now) = (self.now, self.server_clock());
        let Some(seated) = self.server.seat(half) else {
            return Err(Promise::Cleared.broken("the registry knows a session that has ended"));
        };
        let turn = match seated
            .seat
            .handle_request(now, &mut seated.session, request)
        {
            Ok(turn) => turn,
            Err(close) => {
                violated(&close)?;
                self.coverage.meet("carrier: request too late");
                return self.answer(of, purpose, 409, &[Frame::Close(Box::new(close))]);
            }
        };
        seated.heard = at;
        let client = of.exchange.is_some().then_some(of.client);
        self.carrier_serves(half, request.epoch, At::Poll(Vec::new()), client)?;
        for frame in frames {
            if let Some(close) = self.frame_came(half, request.epoch, frame)? {
                return self.answer(of, purpose, 409, &[Frame::Close(Box::new(close))]);
            }
        }
        let Some(seated) = self.server.seat(half) else {
            return Ok(());
        };
        match turn {
            Turn::Send => {
                let acknowledge = Some(seated.session.acknowledge(now));
                let data = Data {
                    acknowledge,
                    ..Data::default()
                };
                self.answer(of, purpose, 200, &[Frame::Data(data)])
            }
            Turn::Late => {
                self.coverage.meet("carrier: late poll");
                self.answer(of, purpose, 200, &[])
            }
            Turn::Hold => {
                if request.brief {
                    self.coverage.meet("carrier: brief poll");
                }
                if request.beside > 0 {
                    self.coverage.meet("carrier: poll beside others");
                }
                let held = Held {
                    of,
                    epoch: request.epoch,
                    number: request.number,
                    since: now,
                };
                match &mut seated.carrier {
                    At::Poll(before) => before.push(held),
                    At::Nothing | At::Socket(_) => seated.carrier = At::Poll(vec![held]),
                }
                Ok(())
            }
        }
    }

    /// Answers the polls that are held no longer, and the first one if something waits. Returns
    /// whether there may be more.
    pub(super) fn serve_polls(&mut self, half: usize) -> Verdict<bool> {
        let now = self.server_clock();
        let codec = self.plan.codec;
        let Some(seated) = self.server.seat(half) else {
            return Ok(false);
        };
        for held in seated.held().to_vec() {
            let place = seated.seat.place(held.epoch, held.number);
            let waits = place == Place::First && seated.session.has_data(now);
            let is_over =
                held.since + seated.seat.hold(held.number, seated.session.limits()) <= now;
            if !waits && !is_over && place != Place::Over {
                continue;
            }
            let mut body = Vec::new();
            while waits
                && body.len() < BODY
                && let Some(data) = seated.session.poll_data(now)
            {
                wire::append_encoded_to_body(codec, &data, &mut body);
            }
            seated.forget(held.of);
            if place == Place::Over {
                self.coverage.meet("carrier: held poll superseded");
            }
            let body = Bytes::from(body);
            self.sends_body(End::Server(half), held.of, &body)?;
            self.respond(held.of, Purpose::Poll, 200, body);
            return Ok(true);
        }
        Ok(false)
    }

    pub(super) fn answer(
        &mut self,
        of: Asked,
        purpose: Purpose,
        status: u16,
        frames: &[Frame],
    ) -> Verdict {
        let mut body = Vec::new();
        for frame in frames {
            wire::append_to_body(self.plan.codec, frame, &mut body);
        }
        let body = Bytes::from(body);
        self.sends_body(End::Stranger, of, &body)?;
        self.respond(of, purpose, status, body);
        Ok(())
    }
}
