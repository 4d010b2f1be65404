//! The server's side of long polling.

use bytes::Bytes;
use sente_proto::codec::Codec;
use sente_proto::frame::{Data, Frame, Request};
use sente_proto::server::{Place, Turn};
use sente_proto::{Carrier, Close, CloseReason, wire};

use super::World;
use super::queue::Asked;
use super::server::{At, Held, violated};
use crate::model::Verdict;

/// A body is cut when it has so many bytes.
const BODY: usize = 64 * 1024;

impl World {
    /// A request came.
    pub(super) fn server_answers(&mut self, of: Asked, body: &Bytes) -> Verdict {
        if !self.server.is_up() {
            self.request_lost(of);
            return Ok(());
        }
        self.note_body("server", of.client, "gets", of, body);
        let codec = if wire::is_text_hello(body) {
            Codec::Json
        } else {
            Codec::Bincode
        };
        let mut frames = wire::frames_of_body(codec, body, &self.plan.limits.wire());
        let malformed = || "a client's request is none".to_owned();
        match frames.next() {
            Some(Ok(Frame::Hello(hello))) => {
                match self.seat_client(&hello, Carrier::Poll)? {
                    Ok((half, welcome)) => {
                        self.clients[of.client].polls_since = self.now;
                        self.answer(of, 200, &[welcome]);
                        self.pump_seat(half)?;
                    }
                    Err(Frame::Refused(refused)) => {
                        let status = refused.status;
                        self.answer(of, status, &[Frame::Refused(refused)]);
                    }
                    Err(answer) => self.answer(of, 409, &[answer]),
                }
                Ok(())
            }
            Some(Ok(Frame::Request(request))) => {
                let Some(half) = self.find_session(request.session, &request.secret) else {
                    let close = Close::new(CloseReason::UnknownSession);
                    self.answer(of, 404, &[Frame::Close(Box::new(close))]);
                    return Ok(());
                };
                let frames: Vec<_> = frames.collect::<Result<_, _>>().map_err(|_| malformed())?;
                self.request_came(of, half, &request, frames)?;
                self.pump_seat(half)
            }
            _ => Err(malformed()),
        }
    }

    fn request_came(
        &mut self,
        of: Asked,
        half: usize,
        request: &Request,
        frames: Vec<Frame>,
    ) -> Verdict {
        let now = self.now;
        let Some(seated) = self.server.seat(half) else {
            return Err("the registry knows a session that has ended".to_owned());
        };
        let turn = match seated
            .seat
            .handle_request(now, &mut seated.session, request)
        {
            Ok(turn) => turn,
            Err(close) => {
                violated(&close)?;
                self.coverage.meet("requests too late for their carrier");
                self.answer(of, 409, &[Frame::Close(Box::new(close))]);
                return Ok(());
            }
        };
        for frame in frames {
            if let Some(close) = self.frame_came(half, request.epoch, frame)? {
                self.answer(of, 409, &[Frame::Close(Box::new(close))]);
                return Ok(());
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
                self.answer(of, 200, &[Frame::Data(data)]);
            }
            Turn::Late => {
                self.coverage.meet("late polls");
                self.answer(of, 200, &[]);
            }
            Turn::Hold => {
                if request.beside > 0 {
                    self.coverage.meet("polls beside others");
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
            }
        }
        Ok(())
    }

    /// Answers the polls that are held no longer, and the first one if something waits. Returns
    /// whether there may be more.
    pub(super) fn serve_polls(&mut self, half: usize) -> bool {
        let now = self.now;
        let codec = self.plan.codec;
        let Some(seated) = self.server.seat(half) else {
            return false;
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
                self.coverage.meet("held polls superseded");
            }
            let shown = Bytes::from(body.clone());
            self.note_body("server", half, "answers", held.of, &shown);
            self.respond(held.of, 200, body);
            return true;
        }
        false
    }

    pub(super) fn answer(&mut self, of: Asked, status: u16, frames: &[Frame]) {
        let mut body = Vec::new();
        for frame in frames {
            wire::append_to_body(self.plan.codec, frame, &mut body);
        }
        let shown = Bytes::from(body.clone());
        self.note_body("server", usize::MAX, "answers", of, &shown);
        self.respond(of, status, body);
    }
}
