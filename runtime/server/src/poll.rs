//! The poll carrier: one request, one answer, frames both ways.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use sente_proto::frame::{Data, Frame, Hello, Request as Head};
use sente_proto::server::{Heard, Place, Turn};
use sente_proto::session::Session;
use sente_proto::wire::{self, BodyFrames};
use sente_proto::{Carrier, Close, CloseReason, Time};

use crate::hub::Service;
use crate::keeper;
use crate::open::{self, NotAdmitted};
use crate::renewal;
use crate::routes::{Form, answer, answer_frame, answer_refusal, answer_refused, malformed};
use crate::sessions::{Chair, Client};

/// An answer ends with the frame that makes it as large as this, in bytes.
const ANSWER: usize = 64 * 1024;
/// A request may have so many full frames beside one event of the largest size.
const FRAMES: usize = 4;

/// Answers one request.
pub(crate) async fn exchange(State(service): State<Arc<Service>>, request: Request) -> Response {
    let _counted = service.hub.carriers.enter();
    let (request, body) = request.into_parts();
    let headers = request.headers.clone();
    let mut response = guarded(&service, request, body).await;
    service.guard.allow(&headers, response.headers_mut());
    response
}

async fn guarded(service: &Arc<Service>, request: Parts, body: Body) -> Response {
    let form = Form::of(&request);
    if let Err(refusal) = service.check(&request) {
        return answer_refusal(service, form.unwrap_or(Form::Binary), refusal);
    }
    let Some(form) = form else {
        let message = "a poll has the content type `application/vnd.sente` or \
                       `application/vnd.sente+json`";
        let refused = malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        return answer_refused(service, Form::Binary, &refused);
    };
    // A request lost, as the test switch wants it.
    if service.breaks() {
        return answer(StatusCode::BAD_GATEWAY, form, Vec::new());
    }
    let body = match read(service, body).await {
        Ok(body) => body,
        Err(status) => {
            let refused = malformed(status, "the request is too large, too slow, or broken off");
            return answer_refused(service, form, &refused);
        }
    };
    let response = answer_body(service, request, form, &body).await;
    // And an answer lost.
    if service.breaks() {
        return answer(StatusCode::BAD_GATEWAY, form, Vec::new());
    }
    response
}

async fn read(service: &Service, body: Body) -> Result<Bytes, StatusCode> {
    let limits = &service.hub.limits;
    let limit = limits.max_message + wire::OVERHEAD + FRAMES * wire::MAX_FRAME;
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(limits.handshake, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

async fn answer_body(service: &Arc<Service>, request: Parts, form: Form, body: &Bytes) -> Response {
    let limits = service.hub.limits.wire();
    let mut frames = wire::frames_of_body(form.codec(), body, &limits);
    match frames.next() {
        Some(Ok(Frame::Hello(hello))) => greet(service, request, form, *hello).await,
        Some(Ok(Frame::Request(head))) => serve(service, form, &head, frames).await,
        Some(Ok(_)) | None => answer_close(form, &service.hub.reject(CloseReason::Unexpected)),
        Some(Err(error)) => answer_close(form, &service.hub.reject(error.reason())),
    }
}

/// A close is an answer like others, but for a client that breaks the protocol.
fn answer_close(form: Form, close: &Close) -> Response {
    let status = if close.reason.is_violation() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    answer_frame(status, form, &Frame::Close(Box::new(close.clone())))
}

async fn greet(service: &Arc<Service>, request: Parts, form: Form, hello: Hello) -> Response {
    match open::admit(service, request, hello, form, Carrier::Poll).await {
        Ok(admitted) => {
            keeper::ensure(service, &admitted.client);
            answer_frame(StatusCode::OK, form, &admitted.welcome)
        }
        Err(NotAdmitted::Refused(refusal)) => answer_refusal(service, form, refusal),
        Err(NotAdmitted::Closed(close)) => answer_close(form, &close),
    }
}

/// A request of a session that polls.
async fn serve(service: &Arc<Service>, form: Form, head: &Head, frames: BodyFrames) -> Response {
    let client = match service.hub.asked(head) {
        Ok(client) => client,
        Err(close) => return answer_close(form, &close),
    };
    if !form.is_of(client.port.codec()) {
        return answer_close(form, &service.hub.reject(CloseReason::Unexpected));
    }
    let taken = take_in(service, &client, head, frames);
    // What came before an error is handled all the same.
    service.run_handlers(&client).await;
    let turn = match taken {
        Ok((turn, ends)) => {
            if let Some(reason) = ends {
                service.hub.end(&client, &Close::new(reason));
            }
            turn
        }
        Err(close) => {
            if close.reason.is_violation() {
                service.hub.end(&client, &close);
            }
            return answer_close(form, &close);
        }
    };
    // The poll that is held may now have something to say.
    client.port.ring();
    match turn {
        Turn::Send => {
            // What a replaced carrier is told is told to nobody, and would count as told.
            let acknowledge = client.with(|now, chair, session| {
                if chair.seat.is_current(head.epoch) {
                    Ok(session.acknowledge(now))
                } else {
                    Err(chair.seat.farewell(head.epoch))
                }
            });
            let acknowledge = match acknowledge {
                Ok(acknowledge) => acknowledge,
                Err(close) => return answer_close(form, &close),
            };
            let data = Data {
                acknowledge: Some(acknowledge),
                ..Data::default()
            };
            answer_frame(StatusCode::OK, form, &Frame::Data(data))
        }
        Turn::Hold => hold(service, &client, form, head).await,
        Turn::Late => answer(StatusCode::OK, form, Vec::new()),
    }
}

/// Takes in the frames of a request. The client may have ended its session with one.
fn take_in(
    service: &Arc<Service>,
    client: &Arc<Client>,
    head: &Head,
    frames: BodyFrames,
) -> Result<(Turn, Option<CloseReason>), Close> {
    let (turn, moves) = client.with(|now, chair, session| {
        let before = chair.seat.epoch();
        let turn = match &chair.end {
            Some(end) => Err(end.clone()),
            None => chair.seat.handle_request(now, session, head),
        };
        (turn, chair.seat.epoch() != before)
    });
    if moves {
        service.hub.moved(client);
        keeper::ensure(service, client);
    }
    let turn = turn?;
    let join = || {
        if !client.has_joined() {
            service.hub.join(client);
        }
    };
    let mut ends = None;
    for frame in frames {
        let frame = frame.map_err(|error| Close::new(error.reason()))?;
        let heard = client.with(|now, chair, session| match &chair.end {
            Some(end) => Err(end.clone()),
            None => chair
                .seat
                .handle_frame(now, session, &service.mappings, head.epoch, frame),
        })?;
        // Its tables come first, and whoever hears that it has joined may ask what does not fit.
        join();
        match heard {
            Heard::Nothing => {}
            Heard::Authenticates => renewal::ask(service, client),
            Heard::Ends(reason) => ends = Some(reason),
            Heard::Leaves => {
                client.with(|_, chair, session| chair.seat.detach(session, head.epoch));
                service.hub.moved(client);
            }
        }
    }
    join();
    Ok((turn, ends))
}

/// Waits until there is something to answer a poll with.
async fn hold(service: &Service, client: &Arc<Client>, form: Form, head: &Head) -> Response {
    let held = Held { client, head };
    let bell = client.port.bell();
    let since = service.hub.clock.now();
    let mut has_yielded = false;
    loop {
        bell.clear();
        let next =
            client.with(|now, chair, session| look(now, chair, session, head, since, has_yielded));
        match next {
            Next::Answer(frames) => {
                // Whoever is behind may be answered from now on.
                drop(held);
                let codec = client.port.codec();
                let mut body = Vec::new();
                for frame in frames {
                    wire::append_encoded_to_body(codec, &frame, &mut body);
                }
                return answer(StatusCode::OK, form, body);
            }
            Next::Close(close) => return answer_close(form, &close),
            Next::Yield => {
                has_yielded = true;
                tokio::task::yield_now().await;
            }
            Next::Wait(until) => {
                let until = service.hub.clock.instant(until);
                let _ = tokio::time::timeout_at(until, bell.rung()).await;
            }
        }
    }
}

/// A poll that is held, until it is answered or its client has gone.
struct Held<'a> {
    client: &'a Client,
    head: &'a Head,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Self { client, head } = self;
        if client.chair().seat.answered(head.epoch, head.number) {
            client.port.ring();
        }
    }
}

enum Next {
    Answer(Vec<Vec<u8>>),
    Close(Close),
    /// Others may add to the answer if they are let.
    Yield,
    Wait(Time),
}

fn look(
    now: Time,
    chair: &mut Chair,
    session: &mut Session,
    head: &Head,
    since: Time,
    has_yielded: bool,
) -> Next {
    if let Some(end) = &chair.end {
        return Next::Close(end.clone());
    }
    // A deadline that has passed must not be waited for again.
    session.handle_timeout(now);
    let place = chair.seat.place(head.epoch, head.number);
    if place == Place::Over {
        return if chair.seat.is_current(head.epoch) {
            Next::Answer(Vec::new())
        } else {
            Next::Close(chair.seat.farewell(head.epoch))
        };
    }
    let is_first = place == Place::First;
    if is_first && session.has_data(now) {
        let is_busy = session.handlers_running() > 1 || session.calls_in_flight() > 1;
        if is_busy && !has_yielded {
            return Next::Yield;
        }
        let mut bytes = 0;
        let mut frames = Vec::new();
        while bytes < ANSWER
            && let Some(frame) = session.poll_data(now)
        {
            bytes += frame.len();
            frames.push(frame);
        }
        return Next::Answer(frames);
    }
    let until = since + chair.seat.hold(head.number, session.limits());
    if now >= until {
        return Next::Answer(Vec::new());
    }
    let data = session.poll_timeout().filter(|_| is_first);
    Next::Wait(data.map_or(until, |due| due.min(until)))
}
