//! Long polling: one request held by the server, and one that sends, at a time.

use std::time::Duration;

use super::{CarrierKind, Client, ConnectionEnd, ExchangeId, Response, Transmit};
use crate::frame::{Data, Frame, Request};
use crate::session::Session;
use crate::wire;
use crate::{Refused, RefusedReason, SessionId, Time};

/// The poll carrier from its hello to its end.
pub(super) struct Polling {
    pub(super) epoch: u64,
    pub(super) since: Time,
    /// The session that its hello wants to go on with.
    pub(super) wanted: Option<SessionId>,
    /// The hello's request, until it is answered.
    hello: Option<ExchangeId>,
    live: bool,
    /// The request that the server holds.
    poll: Option<ExchangeId>,
    /// The request that brings what waits.
    send: Option<ExchangeId>,
    /// The namespaces whose tables are in it.
    tables_in_send: Vec<String>,
    polls: u64,
    sends: u64,
    /// Requests that failed in a row, and when to go on after one.
    failures: u32,
    retry_at: Option<Time>,
    /// The hello has failed, or met a WebSocket of this client that was there before it, and goes
    /// again then.
    greet_at: Option<Time>,
}

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

    pub(super) fn go_live(&mut self) {
        self.live = true;
        self.failures = 0;
        self.hello = None;
        self.greet_at = None;
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
        wire::append_to_body(session.codec(), &hello, &mut body);
        self.polling = Some(Polling {
            epoch,
            since: now,
            wanted: self.known_session(),
            hello: Some(exchange),
            live: false,
            poll: None,
            send: None,
            tables_in_send: Vec::new(),
            polls: 0,
            sends: 0,
            failures,
            retry_at: None,
            greet_at: None,
        });
        let timeout = self.config.limits.handshake;
        self.transmits.push_back(Transmit::Post {
            exchange,
            body,
            timeout,
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

    pub(super) fn polling_timer(&self) -> Option<Time> {
        let polling = self.polling.as_ref()?;
        polling.greet_at.or(polling.retry_at)
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

    pub(super) fn drop_polling(&mut self) {
        if let Some(polling) = self.polling.take() {
            let exchanges = [polling.hello, polling.poll, polling.send];
            self.transmits
                .extend(exchanges.into_iter().flatten().map(Transmit::Abort));
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
        let hold = polling.poll.is_none() && (self.wanted_tables.is_empty() || !may_send);
        if !hold && !(may_send && (session.has_data(now) || !self.wanted_tables.is_empty())) {
            return None;
        }
        let exchange = ExchangeId(self.id());
        let wanted = if hold {
            Vec::new()
        } else {
            self.wanted_tables.clone()
        };
        let tables = if hold { None } else { self.tables(session) };
        let (Some(known), Some(polling)) = (&self.known, &mut self.polling) else {
            return None;
        };
        let number = if hold {
            &mut polling.polls
        } else {
            &mut polling.sends
        };
        *number += 1;
        let request = Frame::Request(Request {
            session: known.id,
            secret: known.secret.clone(),
            epoch: polling.epoch,
            number: *number,
            hold,
        });
        let codec = session.codec();
        let mut body = Vec::new();
        wire::append_to_body(codec, &request, &mut body);
        if let Some(tables) = tables {
            wire::append_to_body(codec, &tables, &mut body);
        }
        if hold {
            polling.poll = Some(exchange);
            let acknowledge = Some(session.acknowledge(now));
            wire::append_to_body(
                codec,
                &Frame::Data(Data {
                    acknowledge,
                    ..Data::default()
                }),
                &mut body,
            );
        } else {
            polling.send = Some(exchange);
            polling.tables_in_send = wanted;
            while body.len() < BODY {
                let Some(data) = session.poll_data(now) else {
                    break;
                };
                wire::append_encoded_to_body(codec, &data, &mut body);
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
            epoch: polling.epoch,
            number: polling.sends,
            hold: false,
        });
        let mut body = Vec::new();
        wire::append_to_body(session.codec(), &request, &mut body);
        wire::append_to_body(session.codec(), goodbye, &mut body);
        // Nobody waits for its response: it goes out and is forgotten.
        self.transmits.push_back(Transmit::Post {
            exchange,
            body,
            timeout: self.config.timing.probe,
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
        let epoch = polling.epoch;
        let is_hello = polling.hello == Some(exchange);
        let is_send = polling.send == Some(exchange);
        if is_hello {
            polling.hello = None;
        } else if is_send {
            polling.send = None;
        } else if polling.poll == Some(exchange) {
            polling.poll = None;
        } else {
            return;
        }
        let frames = match response {
            Ok(response) => match frames(session, &response) {
                Ok(frames) => frames,
                Err(failed) => return self.request_failed(now, session, is_hello, is_send, failed),
            },
            Err(error) => {
                return self.request_failed(now, session, is_hello, is_send, Failed::Error(error));
            }
        };
        if let Some(polling) = &mut self.polling
            && !is_hello
        {
            polling.failures = 0;
        }
        if self.active == Some(CarrierKind::Poll) {
            self.received(now);
        }
        for frame in frames {
            // A frame before this one may have ended the carrier.
            if self
                .polling
                .as_ref()
                .is_none_or(|polling| polling.epoch != epoch)
            {
                return;
            }
            self.handle_frame(now, session, CarrierKind::Poll, epoch, frame);
        }
        if is_hello
            && self.polling.as_ref().is_some_and(|polling| {
                !polling.live && polling.greet_at.is_none() && polling.hello.is_none()
            })
        {
            let error =
                "the server's answer to the hello holds neither welcome nor refusal".to_owned();
            self.request_failed(now, session, true, false, Failed::Error(error));
        }
    }

    fn request_failed(
        &mut self,
        now: Time,
        session: &mut Session,
        is_hello: bool,
        is_send: bool,
        failed: Failed,
    ) {
        match failed {
            Failed::Refused(refused) if is_hello => return self.refused(now, session, refused),
            Failed::Refused(_) => {}
            Failed::Error(error) => self.change(|state| state.last_poll_error = Some(error)),
        }
        if is_hello {
            return self.polling_hello_failed(now, session);
        }
        let Some(polling) = &mut self.polling else {
            return;
        };
        polling.failures += 1;
        if polling.failures > FAILURES {
            self.lost(now, session, ConnectionEnd::Lost);
            return;
        }
        polling.retry_at = (polling.failures > 1).then(|| now + RETRY * polling.failures);
        if is_send {
            self.wanted_tables = std::mem::take(&mut polling.tables_in_send);
        }
        // What either side has said in the exchange may be lost: this side says it again, and asks
        // the server for what it said. Else one may wait for credit that the other has given.
        session.rewind();
        session.acknowledge_anew();
        session.ping();
    }

    fn polling_hello_failed(&mut self, now: Time, session: &mut Session) {
        match &mut self.polling {
            // A WebSocket that is still dialled may yet be answered; polling tries again meanwhile.
            Some(polling) if self.socket.is_some() => {
                polling.failures += 1;
                polling.greet_at = Some(now + RETRY * polling.failures);
            }
            _ => self.dial_failed(now, session, ConnectionEnd::Lost),
        }
    }
}

enum Failed {
    Refused(Refused),
    Error(String),
}

fn frames(session: &Session, response: &Response) -> Result<Vec<Frame>, Failed> {
    let frames: Result<Vec<_>, _> =
        wire::frames_of_body(session.codec(), &response.body, &session.limits().wire()).collect();
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
            message: format!("the server answered with status {}", response.status),
            retry_after: None,
            codecs: Vec::new(),
        })),
        (200..300, Err(error)) => Err(Failed::Error(format!(
            "the answer is none of sente's: {error}"
        ))),
        (status, _) => Err(Failed::Error(format!(
            "the server answered with status {status}"
        ))),
    }
}
