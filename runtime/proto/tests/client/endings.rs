//! Carriers that are of no use: what befalls one that is only tried is none of the session's
//! business, and WebSocket is tried again whatever became of it.

use std::time::Duration;

use bytes::Bytes;
use sente_proto::client::{CarrierChoice, Client};
use sente_proto::frame::{Acknowledge, Data, Frame, Hello, Item};
use sente_proto::{Carrier, Close, CloseReason, FreshReason, Refused, RefusedReason};

use super::{Test, close, ms, welcome};

impl Test {
    /// Connected by polling, since the first WebSocket failed. The next is tried in 5 s.
    fn fallen_back() -> Self {
        let mut test = Self::new(CarrierChoice::Auto);
        test.fail_socket();
        test.welcome_by_post();
        test
    }

    /// As [`fallen_back`](Self::fallen_back), and the next WebSocket has said hello.
    fn upgrading() -> (Self, Hello) {
        let mut test = Self::fallen_back();
        test.pass(ms(5_000));
        let hello = test.open_socket();
        (test, hello)
    }

    /// The hello that was posted is answered with a fresh session, or with the one it wants.
    fn welcome_by_post(&mut self) {
        let (exchange, hello) = self.hello_by_post();
        let fresh = hello.resume.is_none().then_some(FreshReason::First);
        self.answer(exchange, &[welcome(&hello, fresh)]);
    }

    /// Something comes on the WebSocket that is no frame.
    fn receive_nonsense(&mut self) {
        let socket = self.socket.expect("there is a socket");
        let greeting = Bytes::from_static(b"hello from a proxy");
        self.act(|client, now, session| client.handle_message(now, session, socket, &greeting));
    }

    /// Time passes, and all requests but hellos are answered in time.
    fn poll_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.pass((end - self.now).min(ms(1_000)));
            let request = self.posts.iter().find_map(|(exchange, frames)| {
                matches!(&frames[..], [Frame::Request(_), ..]).then_some(*exchange)
            });
            if let Some(exchange) = request {
                self.answer(exchange, &[]);
            }
        }
    }

    fn serves(&self) -> Option<Carrier> {
        self.client.state().carrier
    }

    /// Polling serves as it did, and within the time a WebSocket is tried again.
    fn expect_another_try(&mut self, within: Duration) {
        assert_eq!(self.serves(), Some(Carrier::Poll));
        assert_eq!(self.ended, []);
        let before = self.opened;
        self.poll_for(within);
        assert!(self.opened > before, "no WebSocket is tried again");
    }
}

// ---- a WebSocket that is tried while polling serves ----

#[test]
fn after_an_answer_that_came_too_late_websocket_is_tried_again() {
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
    test.welcome_by_post();
    test.receive(welcome(&by_socket, Some(FreshReason::First)));
    test.expect_another_try(ms(5_000));
}

#[test]
fn after_a_close_before_the_welcome_websocket_is_tried_again() {
    let (mut test, _) = Test::upgrading();
    test.receive(close(CloseReason::HandshakeTimeout));
    test.expect_another_try(ms(10_000));
}

#[test]
fn a_websocket_that_was_overtaken_by_polling_is_tried_again() {
    let (mut test, hello) = Test::upgrading();
    let replaced = Close {
        epoch: hello.epoch,
        ..Close::new(CloseReason::Replaced)
    };
    test.receive(Frame::Close(Box::new(replaced)));
    test.expect_another_try(ms(10_000));
}

#[test]
fn nonsense_on_a_tried_websocket_leaves_polling_alone() {
    let (mut test, _) = Test::upgrading();
    test.say();
    test.receive_nonsense();
    assert_eq!(test.closed.len(), 1);
    assert!(
        test.messages.is_empty(),
        "nothing is said of it to the server, for which the session would end"
    );
    test.expect_another_try(ms(10_000));
}

#[test]
fn a_frame_that_no_server_sends_on_a_tried_websocket_leaves_polling_alone() {
    let (mut test, hello) = Test::upgrading();
    test.receive(Frame::Hello(Box::new(hello)));
    test.expect_another_try(ms(10_000));
}

#[test]
fn a_refused_websocket_leaves_polling_alone_and_comes_back_when_it_is_told_to() {
    let (mut test, _) = Test::upgrading();
    test.receive(refusal(503, Some(ms(30_000))));
    assert_eq!(
        test.client.state().last_ws_error.as_deref(),
        Some("the server refused the WebSocket: not now")
    );
    let before = test.opened;
    test.poll_for(ms(29_000));
    assert_eq!(test.opened, before);
    test.expect_another_try(ms(1_000));
}

#[test]
fn a_websocket_refused_for_good_leaves_polling_alone() {
    let (mut test, _) = Test::upgrading();
    test.receive(refusal(401, None));
    assert!(test.client.state().refused.is_none());
    test.expect_another_try(ms(10_000));
}

fn refusal(status: u16, retry_after: Option<Duration>) -> Frame {
    Frame::Refused(Box::new(Refused {
        status,
        reason: RefusedReason::Full,
        message: "not now".to_owned(),
        retry_after,
        codecs: Vec::new(),
    }))
}

#[test]
fn credit_in_a_hello_that_may_be_swallowed_is_given_by_polling_too() {
    let mut test = Test::fallen_back();
    let (exchange, ..) = test.request(true);
    let items = vec![
        Item::Event {
            event: 0,
            payload: Bytes::new(),
        };
        256
    ];
    let data = Data {
        first: 1,
        items,
        ..Data::default()
    };
    test.answer(exchange, &[Frame::Data(data)]);
    test.poll_for(ms(4_000));
    test.pass(ms(1_000));
    // The handlers finish in the very moment in which the WebSocket opens.
    for _ in 0..256 {
        test.session.finished();
    }
    let hello = test.open_socket();
    let in_hello = hello.resume.map(|resume| resume.acknowledge.credit);
    assert_eq!(in_hello, Some(512));
    let (_, _, frames) = test.request(false);
    let told = frames.iter().find_map(|frame| match frame {
        Frame::Data(data) => data.acknowledge,
        _ => None,
    });
    assert!(
        told.is_some_and(|Acknowledge { credit, .. }| credit == 512),
        "{told:?}"
    );
}

// ---- the first WebSocket ----

#[test]
fn nonsense_on_the_first_websocket_falls_back_at_once() {
    let mut test = Test::new(CarrierChoice::Auto);
    let _ = test.open_socket();
    test.receive_nonsense();
    test.welcome_by_post();
    test.expect_another_try(ms(5_000));
}

#[test]
fn a_close_before_the_first_welcome_falls_back_at_once() {
    let mut test = Test::new(CarrierChoice::Auto);
    let _ = test.open_socket();
    test.receive(close(CloseReason::HandshakeTimeout));
    test.welcome_by_post();
    test.expect_another_try(ms(5_000));
}

#[test]
fn where_only_websocket_is_allowed_nonsense_is_a_failed_dial() {
    let mut test = Test::new(CarrierChoice::WebSocket);
    let _ = test.open_socket();
    test.receive_nonsense();
    assert!(test.posts.is_empty());
    assert!(test.client.state().next_reconnect_at.is_some());
}

// ---- carriers that are welcomed and then lost ----

/// How often the client dials within a minute in which each WebSocket is welcomed and then lost.
fn dials_where_each_is_lost(choice: CarrierChoice, after: Duration) -> (Test, usize) {
    let mut test = Test::new(choice);
    let end = test.now + ms(60_000);
    while test.now < end {
        if test.socket.is_some() {
            let hello = test.open_socket();
            let fresh = hello.resume.is_none().then_some(FreshReason::First);
            test.receive(welcome(&hello, fresh));
            test.pass(after);
            test.fail_socket();
        } else if test
            .posts
            .iter()
            .any(|(_, frames)| matches!(&frames[..], [Frame::Hello(_)]))
        {
            test.welcome_by_post();
        } else {
            test.poll_for(ms(100));
        }
    }
    let dialled = test.opened;
    (test, dialled)
}

#[test]
fn websockets_that_are_welcomed_and_then_lost_are_dialled_ever_more_seldom() {
    let (test, dialled) = dials_where_each_is_lost(CarrierChoice::WebSocket, ms(10));
    assert!(dialled < 130, "{dialled} dials within a minute");
    assert_eq!(test.ended, [], "the session goes on");
}

#[test]
fn where_each_websocket_is_welcomed_and_then_lost_polling_serves() {
    let (mut test, dialled) = dials_where_each_is_lost(CarrierChoice::Auto, ms(10));
    assert!(dialled < 10, "{dialled} dials within a minute");
    assert_eq!(test.serves(), Some(Carrier::Poll));
    assert_eq!(test.ended, []);
    test.expect_another_try(ms(300_000));
}

#[test]
fn a_websocket_that_was_of_use_before_it_was_lost_is_dialled_again_at_once_each_time() {
    let mut test = Test::new(CarrierChoice::WebSocket);
    for number in 1..10 {
        let hello = test.open_socket();
        let fresh = hello.resume.is_none().then_some(FreshReason::First);
        test.receive(welcome(&hello, fresh));
        test.receive(Frame::Data(event(number)));
        test.fail_socket();
        assert_eq!(test.opened as u64, number + 1);
    }
}

fn event(number: u64) -> Data {
    let item = Item::Event {
        event: 0,
        payload: Bytes::new(),
    };
    Data {
        first: number,
        items: vec![item],
        ..Data::default()
    }
}

#[test]
fn a_websocket_that_has_proved_itself_is_dialled_again_at_once_each_time() {
    let mut test = Test::open();
    for _ in 0..5 {
        test.pass(ms(5_000));
        test.receive(Frame::Data(Data::default()));
        test.fail_socket();
        let hello = test.open_socket();
        test.receive(welcome(&hello, None));
    }
}

#[test]
fn a_websocket_that_was_moved_up_to_and_is_lost_at_once_gives_way_to_polling() {
    let (mut test, hello) = Test::upgrading();
    test.receive(welcome(&hello, None));
    assert_eq!(test.serves(), Some(Carrier::WebSocket));
    test.fail_socket();
    test.pass(ms(500));
    test.welcome_by_post();
    test.expect_another_try(ms(10_000));
}

#[test]
fn a_server_that_says_when_to_come_back_is_not_dialled_earlier_by_a_client_that_wakes() {
    let mut test = Test::open();
    let later = Close {
        retry_after: Some(ms(7_000)),
        ..Close::new(CloseReason::Shutdown)
    };
    test.receive(Frame::Close(Box::new(later)));
    test.socket = None;
    test.act(Client::wake);
    test.pass(ms(6_999));
    assert_eq!(test.opened, 1);
    test.pass(ms(1));
    assert_eq!(test.opened, 2);
}
