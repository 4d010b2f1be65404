//! Long polling: what is held, what is sent, what is lost.

use sente_proto::frame::Outcome;

use super::*;

#[test]
fn one_poll_is_held_and_one_request_sends() {
    let mut test = Test::polling();
    assert_eq!(test.request(true).1.number, 1);
    test.say();
    let (first, request, frames) = test.request(false);
    assert_eq!((request.number, said(frames)), (1, 1));
    test.say();
    test.say();
    assert_eq!(test.posts.len(), 2, "one at a time");
    let acknowledge = Some(Acknowledge {
        received: 1,
        credit: 256,
    });
    test.answer(
        first,
        &[Frame::Data(Data {
            acknowledge,
            ..Data::default()
        })],
    );
    let (_, request, frames) = test.request(false);
    assert_eq!(
        (request.number, said(frames)),
        (2, 2),
        "all that waits goes together"
    );
}

#[test]
fn a_lost_poll_is_sent_again_with_what_was_received() {
    let mut test = Test::polling();
    let (poll, ..) = test.request(true);
    let item = Item::Event {
        event: 0,
        payload: Bytes::new(),
    };
    test.answer(
        poll,
        &[Frame::Data(Data {
            first: 1,
            items: vec![item],
            ..Data::default()
        })],
    );
    let (poll, request, frames) = test.request(true);
    assert_eq!(request.number, 2);
    assert!(
        matches!(frames, [Frame::Data(data)] if data.acknowledge.is_some_and(|a| a.received == 1))
    );
    test.lose(poll);
    assert_eq!(test.request(true).1.number, 3);
    assert!(test.client.state().open);
}

#[test]
fn a_lost_send_is_sent_again() {
    let mut test = Test::polling();
    test.say();
    let (send, ..) = test.request(false);
    test.lose(send);
    let (_, request, frames) = test.request(false);
    assert_eq!((request.number, said(frames)), (2, 1));
}

#[test]
fn requests_that_fail_again_and_again_lose_the_carrier() {
    let mut test = Test::polling();
    for _ in 0..4 {
        let (poll, ..) = test.request(true);
        test.lose(poll);
        if test.client.state().open {
            test.pass(ms(1_000));
        }
    }
    assert!(!test.client.state().open);
    assert!(test.hello_by_post().1.resume.is_some());
}

#[test]
fn a_server_that_has_forgotten_the_session_gets_a_hello() {
    let mut test = Test::polling();
    let (poll, ..) = test.request(true);
    test.answer(poll, &[close(CloseReason::UnknownSession)]);
    assert!(test.hello_by_post().1.resume.is_some());
}

#[test]
fn an_html_page_is_no_answer() {
    let mut test = Test::new(CarrierChoice::Poll);
    let (exchange, _) = test.hello_by_post();
    let body = Bytes::from_static(b"<html>Please log in to the hotel's network</html>");
    test.act(|client, now, session| {
        client.handle_response(now, session, exchange, Ok(Response { status: 200, body }));
    });
    assert!(!test.client.state().open);
    assert!(test.client.state().next_reconnect_at.is_some());
    let error = test.client.state().last_poll_error.as_ref().unwrap();
    assert!(error.contains("an HTML page"), "{error}");
}

#[test]
fn a_401_to_the_hello_is_a_refusal() {
    let mut test = Test::new(CarrierChoice::Poll);
    let (exchange, _) = test.hello_by_post();
    let response = Response {
        status: 401,
        body: Bytes::from_static(b"who are you?"),
    };
    test.act(|client, now, session| client.handle_response(now, session, exchange, Ok(response)));
    assert_eq!(
        test.client
            .state()
            .refused
            .as_ref()
            .map(|refused| refused.reason),
        Some(RefusedReason::Unauthorized)
    );
    let close = test.client.state().last_close.as_ref().unwrap();
    assert_eq!(close.reason, ConnectionEnd::Refused);
    test.pass(Duration::from_secs(3_600));
    assert!(test.posts.is_empty());
}

// ---- in the background ----

/// Sent in the background: the number of each brief poll that waits for an answer.
fn brief(test: &Test) -> Vec<u64> {
    let polls = test
        .posts
        .iter()
        .filter_map(|(_, frames)| match &frames[..] {
            [Frame::Request(request), ..] if request.brief => Some(request.number),
            _ => None,
        });
    polls.collect()
}

#[test]
fn in_the_background_no_poll_is_held_and_what_waits_is_asked_for_now_and_then() {
    let mut test = Test::polling();
    test.act(|client, now, session| client.set_background(now, session, true));
    assert_eq!(
        test.numbers(),
        [(2, 0)],
        "the one that was held is given up"
    );
    assert_eq!(brief(&test), [2]);
    // Its answer may have given credit, and is asked for anew by the one whose answer is awaited.
    let asks = |frame: &Frame| matches!(frame, Frame::Ping(_));
    assert!(test.posts[0].1.iter().any(asks));
    test.answer_first(events(1, 0));
    test.pass(ms(4_999));
    assert!(test.posts.is_empty());
    test.pass(ms(1));
    assert_eq!(brief(&test), [3]);
    // Where something waited, more may wait.
    test.answer_first(events(1, 2));
    assert_eq!(test.received(), 2);
    assert_eq!(brief(&test), [4]);
    test.answer_first(events(3, 2));
    assert!(test.posts.is_empty());
    // What is said goes at once.
    test.say();
    assert_eq!(test.request(false).1.number, 1);
    test.act(|client, now, session| client.set_background(now, session, false));
    assert_eq!(test.numbers(), [(5, 0)]);
    assert!(brief(&test).is_empty());
}

#[test]
fn in_the_background_a_reply_is_waited_for_all_the_same() {
    let mut test = Test::polling();
    test.act(|client, now, session| client.set_background(now, session, true));
    test.answer_first(events(1, 0));
    let call = Outgoing {
        event: 0,
        payload: Bytes::new(),
        delivery: Delivery::Reliable,
        key: Bytes::new(),
    };
    test.act(|_, now, session| {
        let deadline = now + Duration::from_secs(60);
        session.call(now, call, deadline).unwrap();
    });
    assert_eq!(test.numbers(), [(3, 0)]);
    assert!(brief(&test).is_empty());
    let (send, ..) = test.request(false);
    let reply = Item::Reply {
        call: 1,
        outcome: Outcome::Reply(Bytes::new()),
    };
    test.answer(send, &[]);
    test.answer_first(Frame::Data(Data {
        first: 1,
        items: vec![reply],
        ..Data::default()
    }));
    assert_eq!(brief(&test), [4]);
}

// ---- polls beside others ----

/// A frame with the events from `first` to `last`.
fn events(first: u64, last: u64) -> Frame {
    let item = Item::Event {
        event: 0,
        payload: Bytes::new(),
    };
    Frame::Data(Data {
        first,
        items: (first..=last).map(|_| item.clone()).collect(),
        ..Data::default()
    })
}

impl Test {
    /// All polls that wait for an answer, oldest first: exchange, number, how many are beside.
    fn polls(&self) -> Vec<(ExchangeId, u64, u8)> {
        let polls = self.posts.iter().filter_map(|(exchange, frames)| {
            let [Frame::Request(request), ..] = &frames[..] else {
                return None;
            };
            request
                .hold
                .then_some((*exchange, request.number, request.beside))
        });
        polls.collect()
    }

    fn numbers(&self) -> Vec<(u64, u8)> {
        let polls = self.polls().into_iter();
        polls.map(|(_, number, beside)| (number, beside)).collect()
    }

    /// Answers the oldest poll, `after` it has gone or later.
    fn answer_first(&mut self, frame: Frame) {
        let (exchange, ..) = self.polls()[0];
        self.answer(exchange, &[frame]);
    }

    /// Polling at a distance of 200 ms, with events that come faster than that.
    fn busy() -> Self {
        let mut test = Self::new(CarrierChoice::Poll);
        let (exchange, hello) = test.hello_by_post();
        test.pass(ms(200));
        test.answer(exchange, &[welcome(&hello, Some(FreshReason::First))]);
        test.pass(ms(200));
        test.answer_first(events(1, 2));
        test
    }

    fn received(&mut self) -> u64 {
        self.session.acknowledge(self.now).received
    }
}

#[test]
fn events_that_come_faster_than_polls_are_met_by_more_of_them_evenly_apart() {
    let mut test = Test::busy();
    assert_eq!(test.numbers(), [(2, 0)]);
    test.pass(ms(99));
    assert_eq!(test.numbers(), [(2, 0)]);
    test.pass(ms(1));
    assert_eq!(test.numbers(), [(2, 0), (3, 1)]);
    // 200 ms after it was sent, and again: never more than three.
    test.pass(ms(100));
    test.answer_first(events(3, 3));
    test.pass(ms(100));
    test.answer_first(events(4, 4));
    test.pass(ms(200));
    assert_eq!(test.numbers(), [(4, 1), (5, 2), (6, 2)]);
}

#[test]
fn requests_that_break_together_are_one_failure() {
    let mut test = Test::polling();
    test.say();
    let (poll, ..) = test.request(true);
    let (send, ..) = test.request(false);
    test.pass(ms(50));
    test.lose(poll);
    test.lose(send);
    // Both go again at once; after a second failure it would take a moment.
    assert_eq!(test.request(true).1.number, 2);
    let (_, request, frames) = test.request(false);
    assert_eq!((request.number, said(frames)), (2, 1));
    let (poll, ..) = test.request(true);
    test.lose(poll);
    assert!(test.posts.iter().all(|post| post.0 != poll));
    test.pass(ms(399));
    assert_eq!(test.posts.len(), 1, "what has not broken");
    test.pass(ms(1));
    assert_eq!(test.request(true).1.number, 3);
}

#[test]
fn one_poll_is_enough_for_events_that_are_far_between() {
    let mut test = Test::busy();
    test.pass(ms(150));
    assert_eq!(test.polls().len(), 2);
    test.pass(ms(700));
    test.answer_first(events(3, 3));
    test.pass(ms(700));
    assert_eq!(test.polls().len(), 1, "the other one is not replaced");
}

#[test]
fn a_poll_that_came_too_late_is_no_sign_of_rest() {
    let mut test = Test::busy();
    test.pass(ms(100));
    let polls = test.polls();
    // The second had to dial and came after a newer one.
    test.pass(ms(100));
    test.answer(polls[0].0, &[events(3, 3)]);
    test.pass(ms(200));
    test.answer(polls[1].0, &[]);
    assert_eq!(test.polls().len(), 3);
}

#[test]
fn nearby_one_poll_is_enough_however_many_events_come() {
    let mut test = Test::polling();
    for event in 1..20 {
        test.pass(ms(9));
        test.answer_first(events(event, event));
        assert_eq!(test.polls().len(), 1);
    }
}

#[test]
fn an_answer_that_overtakes_another_waits_for_it() {
    let mut test = Test::busy();
    test.pass(ms(150));
    let polls = test.polls();
    test.answer(polls[1].0, &[events(4, 6)]);
    assert_eq!(test.received(), 2);
    test.answer(polls[0].0, &[events(3, 3)]);
    assert_eq!(test.received(), 6);
    assert!(test.client.state().open);
}

#[test]
fn when_a_poll_is_lost_those_beside_it_are_given_up_and_one_begins_anew() {
    let mut test = Test::busy();
    test.pass(ms(150));
    let polls = test.polls();
    test.answer(polls[1].0, &[events(4, 6)]);
    assert_eq!(test.polls().len(), 2, "one has taken its place");
    test.lose(polls[0].0);
    assert_eq!(test.received(), 2);
    assert_eq!(test.numbers(), [(5, 0)]);
    test.answer_first(events(3, 6));
    assert_eq!(test.received(), 6);
}

#[test]
fn what_is_missing_between_two_answers_is_asked_for_again() {
    let mut test = Test::busy();
    test.pass(ms(150));
    // A proxy has sent the poll twice, and passed on the wrong answer.
    test.answer_first(events(3, 2));
    test.answer_first(events(5, 6));
    assert_eq!(test.received(), 2);
    assert!(test.client.state().open);
    assert_eq!(test.numbers(), [(4, 0)]);
    test.answer_first(events(3, 6));
    assert_eq!(test.received(), 6);
}
