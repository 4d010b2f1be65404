//! The client's machine, against a server that the test plays.

use std::sync::Arc;
use std::time::Duration;

use sente_proto::client::{
    CarrierChoice, Client, Config, Credentials, Event, ExchangeId, Response, SocketClosed,
    SocketId, Transmit,
};
use sente_proto::codec::Codec;
use sente_proto::frame::{Acknowledge, Answer, Data, Frame, Hello, Item, Welcome};
use sente_proto::session::Session;
use sente_proto::{
    Carrier, Close, CloseReason, FreshReason, Limits, ResumeSecret, SessionId, Time, wire,
};

use super::{at, contract, decode};

struct Test {
    now: Time,
    client: Client,
    session: Session,
    sockets: Vec<SocketId>,
    /// The hellos that have gone out, with what they went by.
    hellos: Vec<(By, Hello)>,
    /// The other frames of requests.
    posted: Vec<(ExchangeId, Frame)>,
    closed: Vec<SocketId>,
    ended: Vec<FreshReason>,
}

#[derive(Clone, Copy)]
enum By {
    Socket(SocketId),
    Post(ExchangeId),
}

impl Test {
    fn new(config: Config) -> Self {
        let mut next = 0;
        let random = Box::new(move || {
            next += 1;
            next
        });
        let session = Session::new(Arc::new(config.limits.clone()), contract(), Codec::Bincode);
        let mut test = Self {
            now: at(1_000),
            client: Client::new(config, random),
            session,
            sockets: Vec::new(),
            hellos: Vec::new(),
            posted: Vec::new(),
            closed: Vec::new(),
            ended: Vec::new(),
        };
        test.act(Client::connect);
        test
    }

    fn act(&mut self, f: impl FnOnce(&mut Client, Time, &mut Session)) {
        f(&mut self.client, self.now, &mut self.session);
        while let Some(event) = self.client.poll_event() {
            if let Event::SessionEnded { reason, .. } = event {
                self.ended.push(reason);
            }
        }
        while let Some(transmit) = self.client.poll_transmit(self.now, &mut self.session) {
            match transmit {
                Transmit::Open(socket) => self.sockets.push(socket),
                Transmit::Message { socket, message } => {
                    self.note(By::Socket(socket), decode(message));
                }
                Transmit::Post { exchange, body, .. } => {
                    let limits = Limits::default().wire();
                    for frame in wire::frames_of_body(Codec::Bincode, &body.into(), &limits) {
                        self.note(By::Post(exchange), frame.unwrap());
                    }
                }
                Transmit::Close { socket, .. } => self.closed.push(socket),
                Transmit::Abort(_) | Transmit::Authenticate => {}
            }
        }
    }

    fn note(&mut self, by: By, frame: Frame) {
        match (frame, by) {
            (Frame::Hello(hello), _) => self.hellos.push((by, *hello)),
            (frame, By::Post(exchange)) => self.posted.push((exchange, frame)),
            _ => {}
        }
    }

    /// Lets time pass, timer by timer.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.client.poll_timeout(&self.session)
            && due <= end
        {
            self.now = self.now.max(due);
            self.act(Client::handle_timeout);
        }
        self.now = end;
    }

    fn open_socket(&mut self) {
        let socket = *self.sockets.last().expect("one is dialled");
        self.act(|client, now, session| client.handle_opened(now, session, socket));
    }

    fn fail(&mut self, exchange: ExchangeId) {
        let response = Err("lost".to_owned());
        self.act(|client, now, session| client.handle_response(now, session, exchange, response));
    }

    /// Answers a request with the end of its carrier.
    fn close(&mut self, exchange: ExchangeId, close: Close) {
        let mut body = Vec::new();
        wire::append_to_body(Codec::Bincode, &Frame::Close(Box::new(close)), &mut body);
        let response = Ok(Response {
            status: 200,
            body: body.into(),
        });
        self.act(|client, now, session| client.handle_response(now, session, exchange, response));
    }

    fn welcome(&mut self, place: usize, session: u128, fresh: Option<FreshReason>) {
        let (by, hello) = &self.hellos[place];
        let by = *by;
        let frame = Frame::Welcome(Box::new(Welcome {
            session: SessionId::new(session),
            secret: ResumeSecret::new(session),
            epoch: hello.epoch,
            server: 1,
            fresh,
            user: None,
            acknowledge: Acknowledge::default(),
            terms: Limits::default().terms(),
            namespaces: vec![Answer {
                name: "test".to_owned(),
                events: 2,
                table: None,
            }],
            handshake: Vec::new(),
        }));
        match by {
            By::Socket(socket) => {
                let mut message = Vec::new();
                wire::encode(Codec::Bincode, &frame, &mut message);
                let message = message.into();
                self.act(|client, now, session| {
                    client.handle_message(now, session, socket, &message);
                });
            }
            By::Post(exchange) => {
                let mut body = Vec::new();
                wire::append_to_body(Codec::Bincode, &frame, &mut body);
                let response = Ok(Response {
                    status: 200,
                    body: body.into(),
                });
                self.act(|client, now, session| {
                    client.handle_response(now, session, exchange, response);
                });
            }
        }
    }
}

/// Profile lossy, seed 261: two hellos wanted the same session. The first was granted it; then the
/// server ended it, and the second was given a fresh one, whose welcome came first.
#[test]
fn a_welcome_to_a_session_that_has_ended_since_is_passed_over() {
    let mut test = Test::new(Config::default());
    test.open_socket();
    test.welcome(0, 1, Some(FreshReason::First));
    test.act(Client::break_connection);
    test.open_socket();
    test.pass(Duration::from_millis(1_100));
    let [_, (By::Socket(late), _), (By::Post(_), _)] = test.hellos[..] else {
        panic!("polling has been started beside the WebSocket");
    };
    test.welcome(2, 2, Some(FreshReason::Overflow));
    test.welcome(1, 1, None);
    assert_eq!(test.ended, [FreshReason::Overflow]);
    assert_eq!(test.client.state().session_id, Some(SessionId::new(2)));
    assert_eq!(test.client.state().carrier, Some(Carrier::Poll));
    assert_eq!(test.closed.last(), Some(&late));
}

/// Profile poll-only, seed 5156: the answer to a send that only acknowledged was lost, and with it
/// the credit for which the client then waited for ever.
#[test]
fn a_failed_request_is_made_up_for() {
    let mut test = Test::new(Config {
        carrier: CarrierChoice::Poll,
        ..Config::default()
    });
    test.welcome(0, 1, Some(FreshReason::First));
    let (exchange, _) = test.posted[0];
    test.posted.clear();
    test.fail(exchange);
    let pings = |(_, frame): &_| matches!(frame, Frame::Ping(_));
    assert!(test.posted.iter().any(pings), "the server is asked again");
}

/// Profile switching, seed 0: the WebSocket that was tried came to serve.
#[test]
fn a_websocket_that_is_tried_is_dropped_when_polling_is_chosen() {
    let mut test = Test::new(Config::default());
    test.pass(Duration::from_millis(1_100));
    test.welcome(0, 1, Some(FreshReason::First));
    test.pass(Duration::from_millis(500));
    assert!(test.closed.is_empty());
    test.act(|client, now, session| client.choose_carrier(now, session, CarrierChoice::Poll));
    assert_eq!(test.closed, test.sockets);
}

/// Profile uneven, seed 1: a WebSocket's welcome came after that of a newer hello by polling. The
/// WebSocket was dropped, and none was ever tried again.
#[test]
fn websocket_is_tried_again_after_one_that_was_answered_too_late() {
    let mut test = Test::new(Config::default());
    test.open_socket();
    test.pass(Duration::from_millis(1_100));
    let Some((By::Post(overtaken), _)) = test.hellos.get(1) else {
        panic!("polling has been started beside the WebSocket");
    };
    let overtaken = *overtaken;
    test.close(overtaken, Close::new(CloseReason::Replaced));
    test.pass(Duration::from_millis(600));
    test.welcome(2, 1, Some(FreshReason::First));
    assert_eq!(test.client.state().carrier, Some(Carrier::Poll));
    test.welcome(0, 1, Some(FreshReason::First));
    assert_eq!(test.closed, test.sockets, "its answer is too late");
    test.pass(Duration::from_secs(6));
    assert_eq!(test.sockets.len(), 2, "another one is dialled");
}

/// Profile anything, seed 668: a copy of the client had taken over what the client had asked for
/// and not been given yet. It asked for the same again, at once and for ever.
#[test]
fn a_client_that_is_replaced_before_its_first_welcome_asks_for_another_session() {
    let mut test = Test::new(Config {
        carrier: CarrierChoice::Poll,
        ..Config::default()
    });
    let [(By::Post(hello), ref first)] = test.hellos[..] else {
        panic!("polling begins with a hello");
    };
    let attempt = first.attempt;
    test.close(
        hello,
        Close {
            epoch: 1_000,
            ..Close::new(CloseReason::Replaced)
        },
    );
    let (_, second) = test.hellos.last().expect("it says hello again");
    assert_ne!(second.attempt, attempt);
    assert!(test.ended.is_empty(), "it had no session yet");
}

/// Profile blocked-posts: each request that a proxy refused was followed by the next at once, for as
/// long as the WebSocket was dialled.
#[test]
fn polling_that_is_blocked_is_tried_a_few_times_beside_a_dialled_websocket() {
    let mut test = Test::new(Config::default());
    let mut answered = 0;
    for _ in 0..300 {
        test.pass(Duration::from_millis(10));
        if let Some((By::Post(exchange), _)) = test.hellos.get(answered) {
            let exchange = *exchange;
            answered += 1;
            test.fail(exchange);
        }
    }
    assert!((2..=6).contains(&answered), "{answered}");
}

/// Profile anything, seed 1795672355130: WebSocket was to be tried again later, and then polling was chosen
/// while credentials were awaited.
#[test]
fn a_carrier_that_is_chosen_while_credentials_are_awaited_is_the_only_one() {
    let mut test = Test::new(Config {
        asks_credentials: true,
        ..Config::default()
    });
    for place in 0..2 {
        test.act(|client, now, session| {
            client.handle_credentials(now, session, Credentials::default());
        });
        test.open_socket();
        test.welcome(place, 1, (place == 0).then_some(FreshReason::First));
        // It is of some use, and lost soon all the same.
        let socket = *test.sockets.last().unwrap();
        let mut message = Vec::new();
        let data = Data {
            first: 1 + place as u64,
            items: vec![Item::Skip { count: 1 }],
            ..Data::default()
        };
        wire::encode(Codec::Bincode, &Frame::Data(data), &mut message);
        test.act(|client, now, session| {
            client.handle_message(now, session, socket, &message.into());
            client.handle_closed(now, session, socket, SocketClosed::default());
        });
    }
    test.act(|client, now, session| {
        client.choose_carrier(now, session, CarrierChoice::Poll);
        client.handle_credentials(now, session, Credentials::default());
    });
    test.welcome(2, 1, None);
    assert_eq!(test.client.state().carrier, Some(Carrier::Poll));
    test.pass(Duration::from_secs(20));
    assert_eq!(test.sockets.len(), 2);
}
