//! The client's machine against a server that the test plays: what it dials, when, and what it says.

mod endings;
mod identity;
mod polling;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sente_proto::client::{
    CarrierChoice, Client, Config, ConnectionEnd, Event, ExchangeId, Response, SessionState,
    SocketClosed, SocketId, Transmit,
};
use sente_proto::codec::Codec;
use sente_proto::contract::{Contract, Event as Declared, Namespace, Way};
use sente_proto::frame::{Acknowledge, Answer, Data, Frame, Hello, Item, Request, Welcome};
use sente_proto::session::{Delivery, Outgoing, Session};
use sente_proto::{
    Carrier, Close, CloseReason, FreshReason, Limits, Refused, RefusedReason, ResumeSecret,
    SessionId, Time, wire,
};

static NAMESPACE: Namespace = Namespace {
    name: "test",
    handshake: None,
    events: &[Declared {
        name: "test/say",
        to_server: Way::Event,
        to_client: Way::Event,
        fields: &[],
        reply: None,
    }],
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A client and all that it has asked its driver to do.
struct Test {
    now: Time,
    client: Client,
    session: Session,
    socket: Option<SocketId>,
    posts: Vec<(ExchangeId, Vec<Frame>)>,
    /// Those of them that go over connections of their own.
    fresh: Vec<ExchangeId>,
    messages: Vec<Frame>,
    closed: Vec<SocketId>,
    opened: usize,
    /// How often it wanted credentials.
    asked: usize,
    ended: Vec<(FreshReason, usize)>,
}

impl Test {
    fn new(carrier: CarrierChoice) -> Self {
        let mut contract = Contract::default();
        contract.add(&NAMESPACE).unwrap();
        let config = Config {
            carrier,
            ..Config::default()
        };
        let session = Session::new(
            Arc::new(Limits::default()),
            Arc::new(contract),
            Codec::Bincode,
        );
        // Any numbers will do that spread over the bounds of waits.
        let mut next = 1_u128;
        let random = Box::new(move || {
            next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            next
        });
        let mut test = Self {
            now: Time::default() + Duration::from_secs(1_000),
            client: Client::new(config, random),
            session,
            socket: None,
            posts: Vec::new(),
            fresh: Vec::new(),
            messages: Vec::new(),
            closed: Vec::new(),
            opened: 0,
            asked: 0,
            ended: Vec::new(),
        };
        test.client.connect(test.now, &mut test.session);
        test.drain();
        test
    }

    /// Connected by WebSocket.
    fn open() -> Self {
        let mut test = Self::new(CarrierChoice::Auto);
        let hello = test.open_socket();
        test.receive(welcome(&hello, Some(FreshReason::First)));
        test.messages.clear();
        test
    }

    /// Connected by polling.
    fn polling() -> Self {
        let mut test = Self::new(CarrierChoice::Poll);
        let (exchange, hello) = test.hello_by_post();
        test.answer(exchange, &[welcome(&hello, Some(FreshReason::First))]);
        test
    }

    fn drain(&mut self) {
        while let Some(event) = self.client.poll_event() {
            if let Event::SessionEnded {
                reason,
                unconfirmed,
            } = event
            {
                self.ended.push((reason, unconfirmed.events.len()));
            }
        }
        while let Some(transmit) = self.client.poll_transmit(self.now, &mut self.session) {
            match transmit {
                Transmit::Open(socket) => {
                    self.opened += 1;
                    self.socket = Some(socket);
                }
                Transmit::Message { message, .. } => self.messages.push(decode(message)),
                Transmit::Close { socket, .. } => self.closed.push(socket),
                Transmit::Post {
                    exchange,
                    body,
                    fresh,
                    ..
                } => {
                    self.fresh.extend(fresh.then_some(exchange));
                    let frames = wire::frames_of_body(
                        Codec::Bincode,
                        &body.into(),
                        &Limits::default().wire(),
                    );
                    self.posts
                        .push((exchange, frames.map(Result::unwrap).collect()));
                }
                Transmit::Abort(exchange) => self.posts.retain(|(known, _)| *known != exchange),
                Transmit::Authenticate => self.asked += 1,
            }
        }
    }

    fn act(&mut self, f: impl FnOnce(&mut Client, Time, &mut Session)) {
        f(&mut self.client, self.now, &mut self.session);
        self.drain();
    }

    /// Lets time pass, timer by timer, as a driver would.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self
            .client
            .poll_timeout(&self.session)
            .filter(|due| *due <= end)
        {
            self.now = self.now.max(due);
            self.act(Client::handle_timeout);
        }
        self.now = end;
    }

    /// The socket that is dialled opens. Returns the hello.
    fn open_socket(&mut self) -> Hello {
        let socket = self.socket.expect("a socket is dialled");
        self.act(|client, now, session| client.handle_opened(now, session, socket));
        match self.messages.pop() {
            Some(Frame::Hello(hello)) => *hello,
            _ => panic!("a socket begins with a hello"),
        }
    }

    fn receive(&mut self, frame: Frame) {
        let socket = self.socket.expect("there is a socket");
        let message = Bytes::from(encode(&frame));
        self.act(|client, now, session| client.handle_message(now, session, socket, &message));
    }

    /// The number of the ping that was sent last.
    fn last_ping(&self) -> u64 {
        let pings = self.messages.iter().rev().find_map(|frame| match frame {
            Frame::Ping(number) => Some(*number),
            _ => None,
        });
        pings.expect("there was a ping")
    }

    fn fail_socket(&mut self) {
        let socket = self.socket.take().expect("there is a socket");
        let closed = SocketClosed {
            error: Some("refused".to_owned()),
            ..SocketClosed::default()
        };
        self.act(|client, now, session| client.handle_closed(now, session, socket, closed));
    }

    /// The hello that was posted.
    fn hello_by_post(&mut self) -> (ExchangeId, Hello) {
        let (exchange, mut frames) = self.posts.pop().expect("a hello was posted");
        match frames.pop() {
            Some(Frame::Hello(hello)) => (exchange, *hello),
            _ => panic!("polling begins with a hello"),
        }
    }

    fn answer(&mut self, exchange: ExchangeId, frames: &[Frame]) {
        self.posts.retain(|(known, _)| *known != exchange);
        let mut body = Vec::new();
        for frame in frames {
            wire::append_to_body(Codec::Bincode, frame, &mut body);
        }
        let response = Response {
            status: 200,
            body: body.into(),
        };
        self.act(|client, now, session| {
            client.handle_response(now, session, exchange, Ok(response));
        });
    }

    fn lose(&mut self, exchange: ExchangeId) {
        self.posts.retain(|(known, _)| *known != exchange);
        self.act(|client, now, session| {
            client.handle_response(
                now,
                session,
                exchange,
                Err("the connection was reset".to_owned()),
            );
        });
    }

    /// The request that waits for an answer, a poll or a send.
    fn request(&self, hold: bool) -> (ExchangeId, &Request, &[Frame]) {
        self.posts
            .iter()
            .find_map(|(exchange, frames)| match &frames[..] {
                [Frame::Request(request), rest @ ..] if request.hold == hold => {
                    Some((*exchange, request, rest))
                }
                _ => None,
            })
            .expect("there is such a request")
    }

    fn say(&mut self) {
        let event = Outgoing {
            event: 0,
            payload: Bytes::new(),
            delivery: Delivery::Reliable,
            key: Bytes::new(),
        };
        self.session.send(self.now, event).unwrap();
        self.drain();
    }
}

fn encode(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::encode(Codec::Bincode, frame, &mut bytes);
    bytes
}

fn decode(message: Vec<u8>) -> Frame {
    wire::decode(Codec::Bincode, &message.into(), &Limits::default().wire()).unwrap()
}

fn welcome(hello: &Hello, fresh: Option<FreshReason>) -> Frame {
    welcome_from(7, hello, fresh)
}

fn welcome_from(server: u64, hello: &Hello, fresh: Option<FreshReason>) -> Frame {
    let id = match (&hello.resume, fresh) {
        (Some(resume), None) => resume.session,
        _ => SessionId::new(hello.attempt),
    };
    Frame::Welcome(Box::new(Welcome {
        session: id,
        secret: ResumeSecret::new(id.bits()),
        epoch: hello.epoch,
        server,
        fresh,
        user: None,
        acknowledge: Acknowledge {
            received: 0,
            credit: 256,
        },
        terms: Limits::default().terms(),
        namespaces: vec![Answer {
            name: "test".to_owned(),
            events: 1,
            table: None,
        }],
        handshake: Vec::new(),
    }))
}

fn close(reason: CloseReason) -> Frame {
    Frame::Close(Box::new(Close::new(reason)))
}

fn said(frames: &[Frame]) -> usize {
    frames
        .iter()
        .map(|frame| match frame {
            Frame::Data(Data { items, .. }) => items
                .iter()
                .filter(|item| matches!(item, Item::Event { .. }))
                .count(),
            _ => 0,
        })
        .sum()
}

// ---- choosing a carrier ----

#[test]
fn an_answered_websocket_serves_and_nothing_is_posted() {
    let mut test = Test::open();
    let state = test.client.state();
    assert_eq!(state.carrier, Some(Carrier::WebSocket));
    assert!(state.open && state.first_open && state.ever_opened);
    assert_eq!(
        state.session,
        Some(SessionState::Fresh {
            reason: FreshReason::First
        })
    );
    test.pass(ms(10_000));
    assert!(test.posts.is_empty());
}

#[test]
fn a_refused_upgrade_starts_polling_at_once() {
    let mut test = Test::new(CarrierChoice::Auto);
    test.fail_socket();
    let (exchange, hello) = test.hello_by_post();
    test.answer(exchange, &[welcome(&hello, Some(FreshReason::First))]);
    assert_eq!(test.client.state().carrier, Some(Carrier::Poll));
    assert_eq!(
        test.client.state().last_ws_error.as_deref(),
        Some("refused")
    );
}

#[test]
fn a_websocket_whose_frames_are_swallowed_costs_one_second() {
    let mut test = Test::new(CarrierChoice::Auto);
    let by_socket = test.open_socket();
    test.pass(ms(999));
    assert!(test.posts.is_empty());
    test.pass(ms(1));
    let (exchange, by_poll) = test.hello_by_post();
    assert_eq!(by_poll.attempt, by_socket.attempt);
    assert!(
        by_poll.epoch < by_socket.epoch,
        "whichever comes first, the WebSocket is to win"
    );
    test.answer(exchange, &[welcome(&by_poll, Some(FreshReason::First))]);
    assert_eq!(test.client.state().carrier, Some(Carrier::Poll));
    test.pass(ms(1_999));
    assert!(test.closed.is_empty());
    test.pass(ms(1));
    assert_eq!(test.closed.len(), 1);
}

#[test]
fn a_websocket_that_answers_late_takes_the_session_over() {
    let mut test = Test::new(CarrierChoice::Auto);
    let by_socket = test.open_socket();
    test.pass(ms(1_000));
    let (exchange, by_poll) = test.hello_by_post();
    test.answer(exchange, &[welcome(&by_poll, Some(FreshReason::First))]);
    test.pass(ms(500));
    test.receive(welcome(&by_socket, Some(FreshReason::First)));
    assert_eq!(test.client.state().carrier, Some(Carrier::WebSocket));
    assert_eq!(
        test.client.state().session_id,
        Some(SessionId::new(by_poll.attempt))
    );
    assert!(test.posts.is_empty(), "the held poll is dropped");
    assert_eq!(test.ended, []);
}

#[test]
fn polling_that_meets_a_swallowed_websocket_at_the_server_takes_over_after_a_moment() {
    let mut test = Test::new(CarrierChoice::Auto);
    let by_socket = test.open_socket();
    test.pass(ms(1_000));
    let (exchange, _) = test.hello_by_post();
    let replaced = Close {
        epoch: by_socket.epoch,
        ..Close::new(CloseReason::Replaced)
    };
    test.answer(exchange, &[Frame::Close(Box::new(replaced))]);
    test.pass(ms(500));
    let (_, again) = test.hello_by_post();
    assert!(again.epoch > by_socket.epoch);
}

#[test]
fn while_polling_websocket_is_tried_again_after_5_s_then_ever_more_seldom_but_for_ever() {
    let mut test = Test::new(CarrierChoice::Auto);
    test.fail_socket();
    let (exchange, hello) = test.hello_by_post();
    test.answer(exchange, &[welcome(&hello, Some(FreshReason::First))]);
    for wait in [5, 10, 20, 40, 80, 160, 300, 300] {
        let before = test.opened;
        let end = test.now + Duration::from_secs(wait);
        while test.now + ms(1) < end {
            let step = (end - test.now - ms(1)).min(Duration::from_secs(20));
            test.pass(step);
            if let Some(exchange) = test.posts.first().map(|(exchange, _)| *exchange) {
                test.answer(exchange, &[]);
            }
        }
        assert_eq!(test.opened, before, "before {wait} s");
        test.pass(ms(1));
        assert_eq!(test.opened, before + 1, "after {wait} s");
        test.fail_socket();
    }
    assert_eq!(test.client.state().carrier, Some(Carrier::Poll));
}

// ---- coming back ----

#[test]
fn a_lost_websocket_is_dialled_again_at_once_and_the_session_resumed() {
    let mut test = Test::open();
    test.say();
    test.fail_socket();
    assert!(!test.client.state().open);
    let hello = test.open_socket();
    assert!(hello.resume.is_some());
    test.receive(welcome(&hello, None));
    assert_eq!(test.client.state().session, Some(SessionState::Resumed));
    assert_eq!(said(&test.messages), 2, "once on each WebSocket");
    assert!(!test.client.state().first_open);
}

#[test]
fn failed_dials_wait_for_at_most_twice_as_long_each_time() {
    let mut test = Test::new(CarrierChoice::WebSocket);
    for bound in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        test.fail_socket();
        let at = test
            .client
            .state()
            .next_reconnect_at
            .expect("it tries again");
        // As much of the bound as chance says, which is a little more each time here.
        assert!(at > test.now && at - test.now <= ms(bound));
        test.pass(ms(bound));
        assert!(test.socket.is_some());
    }
}

#[test]
fn a_client_in_step_with_others_is_told_when_to_come_back() {
    let mut test = Test::open();
    let later = Close {
        retry_after: Some(ms(7_000)),
        ..Close::new(CloseReason::Shutdown)
    };
    test.receive(Frame::Close(Box::new(later)));
    test.socket = None;
    assert_eq!(
        test.client.state().next_reconnect_at,
        Some(test.now + ms(7_000))
    );
    test.pass(ms(6_999));
    assert!(test.socket.is_none());
    test.pass(ms(1));
    assert!(test.socket.is_some());
}

#[test]
fn a_refusal_is_not_retried_until_the_program_asks() {
    let mut test = Test::new(CarrierChoice::Auto);
    test.open_socket();
    test.receive(Frame::Refused(Box::new(Refused {
        status: 401,
        reason: RefusedReason::Unauthorized,
        message: "log in first".to_owned(),
        retry_after: None,
        codecs: Vec::new(),
    })));
    test.pass(Duration::from_secs(3_600));
    assert_eq!((test.opened, test.posts.len()), (1, 0));
    assert_eq!(
        test.client
            .state()
            .refused
            .as_ref()
            .map(|refused| refused.status),
        Some(401)
    );
    test.act(Client::reconnect);
    assert_eq!(test.opened, 2);
    assert!(test.client.state().refused.is_none());
}

#[test]
fn a_restarted_server_is_told_with_what_was_not_confirmed() {
    let mut test = Test::open();
    test.say();
    test.fail_socket();
    let hello = test.open_socket();
    test.receive(welcome_from(8, &hello, Some(FreshReason::Expired)));
    assert_eq!(test.ended, [(FreshReason::Restarted, 1)]);
    let reason = FreshReason::Restarted;
    assert_eq!(
        test.client.state().session,
        Some(SessionState::Fresh { reason })
    );
}

#[test]
fn a_duplicate_that_took_the_session_over_is_not_fought() {
    let mut test = Test::open();
    let taken = Close {
        epoch: 1_000,
        ..Close::new(CloseReason::Replaced)
    };
    test.receive(Frame::Close(Box::new(taken)));
    assert_eq!(test.ended, [(FreshReason::Replaced, 0)]);
    let hello = test.open_socket();
    assert!(hello.resume.is_none());
    test.receive(welcome(&hello, Some(FreshReason::First)));
    let reason = FreshReason::Replaced;
    assert_eq!(
        test.client.state().session,
        Some(SessionState::Fresh { reason })
    );
}

#[test]
fn a_kicked_client_stays_away() {
    let mut test = Test::open();
    test.receive(close(CloseReason::Kicked));
    test.pass(Duration::from_secs(3_600));
    assert_eq!(test.opened, 1);
    assert!(test.client.state().refused.is_some());
}

#[test]
fn a_broken_connection_is_back_at_once() {
    let mut test = Test::open();
    test.act(Client::break_connection);
    assert_eq!((test.opened, test.closed.len()), (2, 1));
    assert!(test.open_socket().resume.is_some());
}

#[test]
fn after_a_disconnect_the_client_stays_away_and_begins_afresh_when_asked() {
    let mut test = Test::open();
    test.say();
    test.act(Client::disconnect);
    assert!(
        matches!(test.messages.last(), Some(Frame::Close(close)) if close.reason == CloseReason::Goodbye)
    );
    assert_eq!(test.ended, [(FreshReason::Requested, 1)]);
    assert_eq!(test.client.state().session_id, None, "it has ended");
    test.pass(Duration::from_secs(3_600));
    assert_eq!(test.opened, 1);
    test.act(Client::connect);
    assert!(test.open_socket().resume.is_none());
}

// ---- liveness ----

#[test]
fn thirty_silent_seconds_kill_a_websocket() {
    let mut test = Test::open();
    test.pass(ms(29_999));
    assert!(test.client.state().open);
    test.say();
    test.pass(ms(1));
    assert!(!test.client.state().open, "what is sent is no sign of life");
    assert_eq!(test.opened, 2);
}

#[test]
fn a_ping_is_answered_from_the_message_itself() {
    let mut test = Test::open();
    test.receive(Frame::Ping(7));
    assert!(matches!(
        test.messages.as_slice(),
        [
            Frame::Pong(7),
            Frame::Data(Data {
                acknowledge: Some(_),
                ..
            })
        ]
    ));
}

#[test]
fn a_client_that_woke_probes_and_dials_after_a_second_without_an_answer() {
    let mut test = Test::open();
    test.act(Client::wake);
    assert!(matches!(test.messages.last(), Some(Frame::Ping(_))));
    test.pass(ms(999));
    assert_eq!(test.opened, 1);
    test.pass(ms(1));
    assert_eq!(test.opened, 2);
}

#[test]
fn a_client_that_woke_stays_if_it_is_answered() {
    let mut test = Test::open();
    test.act(Client::wake);
    let ping = test.last_ping();
    test.receive(Frame::Pong(ping));
    test.pass(ms(5_000));
    assert_eq!(test.opened, 1);
}

/// The operating system keeps what comes for a program that sleeps, also from those who are gone.
#[test]
fn what_has_waited_for_a_client_to_wake_is_no_answer() {
    let mut test = Test::open();
    test.act(Client::wake);
    let before = test.last_ping();
    test.receive(Frame::Pong(before));
    test.act(Client::wake);
    test.receive(Frame::Pong(before));
    test.receive(Frame::Data(Data::default()));
    test.pass(ms(1_000));
    assert_eq!(test.opened, 2);
}

#[test]
fn an_answer_has_more_time_while_what_is_before_it_comes() {
    let mut test = Test::open();
    test.act(Client::wake);
    let ping = test.last_ping();
    for _ in 0..5 {
        test.pass(ms(900));
        test.receive(Frame::Data(Data::default()));
    }
    test.receive(Frame::Pong(ping));
    test.pass(ms(5_000));
    assert_eq!(test.opened, 1);
}

#[test]
fn a_client_that_woke_while_polling_goes_by_what_it_asked_since() {
    for is_answered in [false, true] {
        let mut test = Test::polling();
        let (held, _) = test.posts[0];
        test.pass(ms(10));
        test.fresh.clear();
        test.act(Client::wake);
        assert!(test.posts.iter().all(|(post, _)| *post != held));
        assert_eq!(test.fresh, [test.posts[0].0], "the first of the new ones");
        test.answer(held, &[]);
        let asks = |frames: &[Frame]| frames.iter().any(|frame| matches!(frame, Frame::Ping(_)));
        let mut posts = test.posts.iter();
        let &(asked, _) = posts.find(|(_, frames)| asks(frames)).expect("a ping");
        if is_answered {
            test.answer(asked, &[Frame::Data(Data::default())]);
        }
        test.pass(ms(1_000));
        assert_eq!(test.client.state().open, is_answered);
    }
}

#[test]
fn a_welcome_that_has_waited_for_a_client_to_wake_is_probed() {
    let mut test = Test::new(CarrierChoice::WebSocket);
    let hello = test.open_socket();
    test.now = test.now + Duration::from_secs(60);
    test.receive(welcome(&hello, Some(FreshReason::First)));
    assert!(test.client.state().open);
    test.pass(ms(1_000));
    assert!(!test.client.state().open);
}

#[test]
fn a_timer_that_comes_much_too_late_means_that_the_program_slept() {
    // Shorter than the silence that would end the connection, or much longer.
    for sleep in [16, 600] {
        let mut test = Test::open();
        test.now = test.now + Duration::from_secs(sleep);
        test.act(Client::handle_timeout);
        assert!(matches!(test.messages.last(), Some(Frame::Ping(_))));
        test.pass(ms(1_000));
        assert_eq!(test.opened, 2, "after {sleep} s");
    }
}
