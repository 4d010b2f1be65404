//! Long polling: requests that the server holds, and one that sends at a time.
//!
//! One poll is enough while events are further apart than a round trip. Faster ones would wait for
//! the next poll to come, so a client that sees that has up to [`POLLS`] under way, evenly apart.
//! Their answers are taken in in their order, whatever the order in which they come.
//!
//! A poll occupies a connection while it is held, and programs that share them have few: browsers
//! have six to a host. One [in the background](Client::set_background) has none held. It asks now
//! and then what waits, unless it waits for a reply itself.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Client, ConnectionEnd, ExchangeId, Response, Transmit, append_to_body};
use crate::frame::{Data, Frame, POLLS, Request, SPARE};
use crate::session::Session;
use crate::wire;
use crate::{Carrier, Refused, RefusedReason, SessionId, Time};

/// The poll carrier from its hello to its end.
pub(super) struct Polling {
    pub(super) epoch: u64,
    pub(super) since: Time,
    /// The session that its hello wants to go on with.
    pub(super) wanted: Option<SessionId>,
    /// The hello's request, until it is answered.
    hello: Option<ExchangeId>,
    live: bool,
    /// The requests that the server holds, oldest first.
    awaited: VecDeque<Awaited>,
    /// How many there are to be.
    abreast: u8,
    /// How long a request takes at least that is answered at once.
    round_trip: Duration,
    /// In the background: when to ask again.
    rests_until: Time,
    /// The request that brings what waits, and when it was sent.
    send: Option<(ExchangeId, Time)>,
    /// The namespaces whose tables are in it, and whether credentials are.
    tables_in_send: Vec<String>,
    shows_in_send: bool,
    polls: u64,
    sends: u64,
    /// The next request is to go over a connection of its own.
    fresh: bool,
    /// The next poll asks for what the server said by those before it.
    asks: bool,
    /// Requests that failed in a row, and when to go on after one.
    failures: u32,
    failed_at: Time,
    retry_at: Option<Time>,
    /// The hello has failed, or met a WebSocket of this client that was there before it, and goes
    /// again then.
    greet_at: Option<Time>,
}

/// A poll, until its answer has been taken in.
struct Awaited {
    exchange: ExchangeId,
    sent: Time,
    /// What came before the answer to an older one.
    answer: Option<Vec<Frame>>,
}

/// Which of its requests a client sees answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    Hello,
    Poll,
    Send,
}

/// In the background so long goes by between two polls, if the first one brought nothing: or less
/// where a third of the silence is, after which a carrier is dead.
const REST: Duration = Duration::from_secs(5);
/// Where a round trip is shorter than this, events do not wait long for the next poll.
const NEAR: Duration = Duration::from_millis(10);
/// After so many failed requests in a row the carrier is lost.
const FAILURES: u32 = 3;
/// How long a failed request waits before it goes again, times the failures so far.
const RETRY: Duration = Duration::from_millis(200);
/// How much longer than the server may take its answer may be on its way.
const PATIENCE: Duration = Duration::from_secs(5);
/// A body is cut when it has so many bytes.
const BODY: usize = 64 * 1024;

impl Polling {
    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// Whether a request that sends could go now.
    pub(super) fn may_send(&self) -> bool {
        self.live && self.send.is_none() && self.retry_at.is_none()
    }

    pub(super) fn go_live(&mut self, now: Time) {
        self.live = true;
        self.failures = 0;
        self.hello = None;
        self.greet_at = None;
        // With what it took to connect: the first poll that is answered at once knows better.
        self.round_trip = now - self.since;
    }

    /// When the next poll is to go.
    fn next_poll(&self, brief: bool) -> Option<Time> {
        match self.awaited.back() {
            None if brief => Some(self.rests_until),
            None => Some(Time::default()),
            Some(last) if !brief && self.awaited.len() < self.abreast.into() => {
                Some(last.sent + self.round_trip / self.abreast.into())
            }
            Some(_) => None,
        }
    }

    /// Which request that was, and when it was sent. Polls stay until their turn has come.
    fn asked(&mut self, exchange: ExchangeId) -> Option<(Asked, Time)> {
        if self.hello == Some(exchange) {
            self.hello = None;
            return Some((Asked::Hello, self.since));
        }
        if let Some((_, sent)) = self.send.take_if(|(send, _)| *send == exchange) {
            return Some((Asked::Send, sent));
        }
        let mut polls = self.awaited.iter();
        let poll = polls.find(|poll| poll.exchange == exchange)?;
        Some((Asked::Poll, poll.sent))
    }

    /// Keeps the answer to a poll until its turn has come, and sees in it whether there should be
    /// more of them.
    fn poll_answered(
        &mut self,
        now: Time,
        exchange: ExchangeId,
        answer: Vec<Frame>,
        silence: Duration,
    ) {
        let mut polls = self.awaited.iter_mut();
        let Some(poll) = polls.find(|poll| poll.exchange == exchange) else {
            return;
        };
        let took = now - poll.sent;
        let brings = |frame: &Frame| matches!(frame, Frame::Data(data) if !data.items.is_empty());
        let is_busy = answer.iter().any(brings);
        poll.answer = Some(answer);
        let rest = if is_busy {
            Duration::ZERO
        } else {
            REST.min(silence / 3)
        };
        self.rests_until = now + rest;
        self.round_trip = self.round_trip.min(took);
        // One that came too late, after a newer one, is answered with nothing as well, but at once.
        let was_held = took
            >= self
                .round_trip
                .saturating_mul(3)
                .min(self.round_trip + SPARE);
        if was_held {
            self.abreast = if is_busy { self.abreast.max(2) - 1 } else { 1 };
        } else if is_busy
            && took.saturating_mul(2) < self.round_trip.saturating_mul(3)
            && self.round_trip >= NEAR
        {
            self.abreast = (self.abreast + 1).min(POLLS);
        }
    }

    /// The next answer whose turn has come.
    fn next_answer(&mut self) -> Option<Vec<Frame>> {
        let answer = self.awaited.front_mut()?.answer.take()?;
        self.awaited.pop_front();
        Some(answer)
    }

    /// What either side has said in an exchange may be lost: this side says it again, and asks the
    /// server for what it said. Else one may wait for credit that the other has given.
    fn say_again(&mut self, now: Time, session: &mut Session) {
        session.rewind();
        session.acknowledge_anew();
        if self.awaited.is_empty() {
            // By the next poll: until it has come, the server may answer one that has been given up.
            self.asks = true;
            self.rests_until = now;
        } else {
            session.ping();
        }
    }

    /// Gives up all polls but one that has failed. The next one begins anew.
    fn give_up_polls(&mut self, failed: Option<ExchangeId>, transmits: &mut VecDeque<Transmit>) {
        self.abreast = 1;
        while let Some(poll) = self.awaited.pop_front() {
            if poll.answer.is_none() && Some(poll.exchange) != failed {
                transmits.push_back(Transmit::Abort(poll.exchange));
            }
        }
    }
}

impl Client {
    pub(super) fn start_polling(&mut self, now: Time, session: &mut Session) {
        let epoch = self.polling_epoch();
        self.greet_by_polling(now, session, epoch, 0);
    }

    fn greet_by_polling(&mut self, now: Time, session: &mut Session, epoch: u64, failures: u32) {
        let exchange = ExchangeId(self.id());
        let hello = self.hello(now, session, epoch);
        let mut body = Vec::new();
        append_to_body(session, &hello, &mut body);
        self.polling = Some(Polling {
            epoch,
            since: now,
            wanted: self.known_session(),
            hello: Some(exchange),
            live: false,
            awaited: VecDeque::new(),
            abreast: 1,
            round_trip: Duration::ZERO,
            rests_until: now,
            send: None,
            tables_in_send: Vec::new(),
            shows_in_send: false,
            polls: 0,
            sends: 0,
            fresh: false,
            asks: false,
            failures,
            failed_at: Time::default(),
            retry_at: None,
            greet_at: None,
        });
        let timeout = self.config.limits.handshake;
        self.transmits.push_back(Transmit::Post {
            exchange,
            body,
            timeout,
            fresh: true,
        });
    }

    /// The WebSocket's hello was there first. Its answer should come now; if it is swallowed, polling
    /// takes over.
    pub(super) fn polling_overtaken(&mut self, now: Time) {
        let half = self.config.timing.fallback / 2;
        if let Some(polling) = &mut self.polling {
            polling.hello = None;
            polling.greet_at = Some(if self.socket.is_some() {
                now + half
            } else {
                now
            });
        }
    }

    /// The hello has failed while a WebSocket is dialled.
    pub(super) fn greet_again(&mut self, now: Time) {
        if let Some(polling) = &mut self.polling {
            polling.failures += 1;
            polling.greet_at = Some(now + RETRY.saturating_mul(polling.failures));
        }
    }

    pub(super) fn polling_timer(&self) -> Option<Time> {
        let polling = self.polling.as_ref()?;
        polling
            .greet_at
            .or(polling.retry_at)
            .or_else(|| polling.next_poll(self.background).filter(|_| polling.live))
    }

    pub(super) fn polling_timeout(&mut self, now: Time, session: &mut Session) {
        let Some(polling) = &mut self.polling else {
            return;
        };
        if polling.retry_at.is_some_and(|at| at <= now) {
            polling.retry_at = None;
        }
        if polling.greet_at.is_some_and(|at| at <= now) {
            let failures = polling.failures;
            self.epoch += 1;
            let epoch = self.epoch;
            self.greet_by_polling(now, session, epoch, failures);
        }
    }

    /// Whether nobody looks at the program. It then has no poll held while it waits for nothing:
    /// what comes for it may come some seconds later.
    pub fn set_background(&mut self, now: Time, session: &mut Session, background: bool) {
        self.background = background;
        if background {
            self.poll_anew(now, session);
        }
    }

    /// The polls that are held are given up, and others take their place, over connections of their
    /// own. Returns whether the session is served by polling.
    pub(super) fn poll_anew(&mut self, now: Time, session: &mut Session) -> bool {
        let Some(polling) = self.polling.as_mut().filter(|polling| polling.live) else {
            return false;
        };
        polling.give_up_polls(None, &mut self.transmits);
        polling.fresh = true;
        polling.retry_at = None;
        polling.say_again(now, session);
        true
    }

    pub(super) fn drop_polling(&mut self) {
        if let Some(mut polling) = self.polling.take() {
            // Nobody knows whether it has arrived.
            self.shows |= polling.send.is_some() && polling.shows_in_send;
            let send = polling.send.map(|(send, _)| send);
            for exchange in [polling.hello, send].into_iter().flatten() {
                self.transmits.push_back(Transmit::Abort(exchange));
            }
            polling.give_up_polls(None, &mut self.transmits);
        }
    }

    /// The next request of a live poll carrier, if one is due.
    pub(super) fn poll_exchange(&mut self, now: Time, session: &mut Session) -> Option<Transmit> {
        let polling = self.polling.as_ref().filter(|polling| polling.live)?;
        if polling.retry_at.is_some_and(|at| at > now) {
            return None;
        }
        // Tables go ahead of everything, with the first request that brings events.
        let may_send = polling.send.is_none();
        // What waits for the welcome goes by the connection that it came by: the poll, which can wait,
        // may have to make another one.
        let waits = session.queued() > 0 && session.has_data(now);
        let sends_first =
            may_send && (!self.wanted_tables.is_empty() || (polling.polls == 0 && waits));
        let brief = self.background && session.calls_in_flight() == 0;
        let hold = polling.next_poll(brief).is_some_and(|at| at <= now) && !sends_first;
        let has_ahead = self.shows || !self.wanted_tables.is_empty();
        if !hold && !(may_send && (session.has_data(now) || has_ahead)) {
            return None;
        }
        let exchange = ExchangeId(self.id());
        let (wanted, shows) = (self.wanted_tables.clone(), self.shows);
        let mut ahead = Vec::new();
        while !hold && let Some(frame) = self.ahead(session) {
            ahead.push(frame);
        }
        let (Some(known), Some(polling)) = (&self.known, &mut self.polling) else {
            return None;
        };
        let number = if hold {
            &mut polling.polls
        } else {
            &mut polling.sends
        };
        *number += 1;
        let fresh = std::mem::take(&mut polling.fresh);
        if hold && std::mem::take(&mut polling.asks) {
            ahead.push(Frame::Ping(*number));
        }
        let request = Frame::Request(Request {
            session: known.id,
            secret: known.secret.clone(),
            server: known.server,
            epoch: polling.epoch,
            number: *number,
            hold,
            beside: if hold { polling.awaited.len() as u8 } else { 0 },
            brief: hold && brief,
        });
        let mut body = Vec::new();
        append_to_body(session, &request, &mut body);
        for frame in &ahead {
            append_to_body(session, frame, &mut body);
        }
        if hold {
            polling.awaited.push_back(Awaited {
                exchange,
                sent: now,
                answer: None,
            });
            let acknowledge = Some(session.acknowledge(now));
            append_to_body(
                session,
                &Frame::Data(Data {
                    acknowledge,
                    ..Data::default()
                }),
                &mut body,
            );
        } else {
            polling.send = Some((exchange, now));
            polling.tables_in_send = wanted;
            polling.shows_in_send = shows;
            while body.len() < BODY {
                let Some(data) = session.poll_data(now) else {
                    break;
                };
                wire::append_encoded_to_body(session.codec(), &data, &mut body);
            }
        }
        let timeout = if hold {
            self.config.limits.poll_hold + PATIENCE
        } else {
            self.config.limits.handshake
        };
        Some(Transmit::Post {
            exchange,
            body,
            timeout,
            fresh,
        })
    }

    pub(super) fn post_goodbye(&mut self, session: &Session, goodbye: &Frame) {
        let exchange = ExchangeId(self.id());
        let (Some(known), Some(polling)) = (&self.known, &mut self.polling) else {
            return;
        };
        polling.sends += 1;
        let request = Frame::Request(Request {
            session: known.id,
            secret: known.secret.clone(),
            server: known.server,
            epoch: polling.epoch,
            number: polling.sends,
            hold: false,
            beside: 0,
            brief: false,
        });
        let mut body = Vec::new();
        append_to_body(session, &request, &mut body);
        append_to_body(session, goodbye, &mut body);
        // Nobody waits for its response: it goes out and is forgotten.
        self.transmits.push_back(Transmit::Post {
            exchange,
            body,
            timeout: self.config.timing.probe,
            fresh: false,
        });
    }

    pub(super) fn response(
        &mut self,
        now: Time,
        session: &mut Session,
        exchange: ExchangeId,
        response: Result<Response, String>,
    ) {
        let Some(polling) = &mut self.polling else {
            return;
        };
        let Some((asked, sent)) = polling.asked(exchange) else {
            return;
        };
        let answer = response
            .map_err(Failed::Error)
            .and_then(|response| frames(session, &response));
        let answer = match answer {
            Ok(answer) => answer,
            Err(failed) => {
                return self.request_failed(now, session, (asked, sent), Some(exchange), failed);
            }
        };
        if asked != Asked::Hello {
            polling.failures = 0;
        }
        if self.active == Some(Carrier::Poll) {
            self.received(now);
            // Whoever answers what was asked after a sleep is there.
            self.probe.take_if(|probe| probe.since <= sent);
        }
        match asked {
            Asked::Send => self.answered(now, session, answer),
            Asked::Hello => {
                self.answered(now, session, answer);
                let is_answered = self.polling.as_ref().is_none_or(|polling| {
                    polling.live || polling.greet_at.is_some() || polling.hello.is_some()
                });
                if !is_answered {
                    let error =
                        "the server's answer to the hello holds neither welcome nor refusal";
                    let failed = Failed::Error(error.to_owned());
                    self.request_failed(now, session, (asked, sent), None, failed);
                }
            }
            Asked::Poll => {
                let silence = self.config.limits.silence;
                if let Some(polling) = &mut self.polling {
                    polling.poll_answered(now, exchange, answer, silence);
                }
                while let Some(answer) = self.polling.as_mut().and_then(Polling::next_answer) {
                    self.answered(now, session, answer);
                }
            }
        }
    }

    fn answered(&mut self, now: Time, session: &mut Session, answer: Vec<Frame>) {
        let Some(epoch) = self.polling.as_ref().map(|polling| polling.epoch) else {
            return;
        };
        for frame in answer {
            // A frame before this one may have ended the carrier.
            if self
                .polling
                .as_ref()
                .is_none_or(|polling| polling.epoch != epoch)
            {
                return;
            }
            if matches!(&frame, Frame::Data(data) if session.misses_before(data)) {
                let error = "the answer to a poll went astray: a proxy may have sent it twice";
                let failed = Failed::Error(error.to_owned());
                return self.request_failed(now, session, (Asked::Poll, now), None, failed);
            }
            self.handle_frame(now, session, Carrier::Poll, epoch, frame);
        }
    }

    fn request_failed(
        &mut self,
        now: Time,
        session: &mut Session,
        (asked, sent): (Asked, Time),
        exchange: Option<ExchangeId>,
        failed: Failed,
    ) {
        match failed {
            Failed::Refused(refused) if asked == Asked::Hello => {
                return self.refused(now, session, Carrier::Poll, refused);
            }
            // A proxy's, since the server's own come with a close.
            Failed::Refused(Refused { message: error, .. }) | Failed::Error(error) => {
                self.change(|state| state.last_poll_error = Some(error));
            }
        }
        if asked == Asked::Hello {
            let end = ConnectionEnd::Lost;
            return self.carrier_failed(now, session, Carrier::Poll, end);
        }
        let Some(polling) = &mut self.polling else {
            return;
        };
        // One that was under way when another failed has broken with it, and is no further failure.
        if polling.failures == 0 || sent >= polling.failed_at {
            polling.failures += 1;
            polling.failed_at = now;
            if polling.failures > FAILURES {
                self.lost(now, session, ConnectionEnd::Lost);
                return;
            }
            polling.retry_at =
                (polling.failures > 1).then(|| now + RETRY.saturating_mul(polling.failures));
        }
        if asked == Asked::Send {
            self.wanted_tables = std::mem::take(&mut polling.tables_in_send);
            self.shows |= std::mem::take(&mut polling.shows_in_send);
        } else {
            // Those behind it bring what cannot be taken in before what is lost has come again.
            polling.give_up_polls(exchange, &mut self.transmits);
        }
        polling.say_again(now, session);
    }
}

enum Failed {
    Refused(Refused),
    Error(String),
}

fn frames(session: &Session, response: &Response) -> Result<Vec<Frame>, Failed> {
    let mut frames = Ok(Vec::new());
    for frame in wire::frames_from_server(session.codec(), &response.body, &session.limits().wire())
    {
        match (frame, &mut frames) {
            (Ok(frame), Ok(frames)) => frames.push(frame),
            (Err(error), _) => frames = Err(error),
            // There is nothing more after an error.
            (Ok(_), Err(_)) => {}
        }
    }
    match (response.status, frames) {
        (200..300, Ok(frames)) => Ok(frames),
        // The server's own refusals and closes come with a status that says the same.
        (_, Ok(frames)) if matches!(frames.first(), Some(Frame::Refused(_) | Frame::Close(_))) => {
            Ok(frames)
        }
        (401 | 403, _) => Err(Failed::Refused(Refused {
            status: response.status,
            reason: if response.status == 401 {
                RefusedReason::Unauthorized
            } else {
                RefusedReason::Forbidden
            },
            message: answered_with(response.status),
            retry_after: None,
            codecs: Vec::new(),
        })),
        (200..300, Err(_)) if is_web_page(&response.body) => Err(Failed::Error(
            "the answer is an HTML page and none of sente's: the URL may be wrong, or a proxy or \
             the log-in of a network answers in the server's place"
                .to_owned(),
        )),
        (200..300, Err(error)) => Err(Failed::Error(format!(
            "the answer is none of sente's: {error}"
        ))),
        (status, _) => Err(Failed::Error(answered_with(status))),
    }
}

fn answered_with(status: u16) -> String {
    format!("the server answered with status {}", usize::from(status))
}

fn is_web_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}
