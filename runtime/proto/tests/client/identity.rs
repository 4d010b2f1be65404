//! Credentials in the middle of a session.

use sente_proto::client::Credentials;
use sente_proto::{Close, Secret};

use super::*;

fn token(text: &str) -> Credentials {
    Credentials {
        token: Some(Secret::new(text.to_owned())),
        csrf: None,
    }
}

fn tokens(frames: &[Frame]) -> Vec<&str> {
    let shown = frames.iter().filter_map(|frame| match frame {
        Frame::Authenticate(shown) => Some(shown.token.as_ref()?.reveal().as_str()),
        _ => None,
    });
    shown.collect()
}

fn give(test: &mut Test, text: &str) {
    test.act(|client, now, session| client.handle_credentials(now, session, token(text)));
}

#[test]
fn fresh_credentials_are_shown_without_leaving_the_carrier() {
    let mut test = Test::open();
    test.act(|client, _, _| client.reauthenticate());
    assert_eq!(test.asked, 1);
    give(&mut test, "new");
    assert_eq!(tokens(&test.messages), ["new"]);
    assert!(test.client.state().open);
    assert_eq!((test.opened, test.ended.len()), (1, 0));
    test.fail_socket();
    assert_eq!(test.asked, 2, "and from now on at every dial");
}

#[test]
fn a_client_that_is_warned_asks_by_itself_if_it_has_somebody_to_ask() {
    let mut test = Test::open();
    test.receive(Frame::Expires(ms(60_000)));
    assert_eq!(
        test.client.state().identity_expires_at,
        Some(test.now + ms(60_000))
    );
    assert_eq!(test.asked, 0, "nobody gave it credentials to begin with");
    test.act(|client, _, _| client.reauthenticate());
    give(&mut test, "new");
    assert_eq!(test.client.state().identity_expires_at, None);
    test.receive(Frame::Expires(ms(60_000)));
    assert_eq!(test.asked, 2);
    test.receive(Frame::Expires(ms(30_000)));
    assert_eq!(test.asked, 2, "the answer takes its time");
    give(&mut test, "newer");
    assert_eq!(tokens(&test.messages), ["new", "newer"]);
    test.receive(Frame::Expires(ms(60_000)));
    test.act(Client::disconnect);
    assert_eq!(test.client.state().identity_expires_at, None);
}

#[test]
fn polling_shows_credentials_with_a_send_and_again_if_that_is_lost() {
    let mut test = Test::polling();
    test.act(|client, _, _| client.reauthenticate());
    give(&mut test, "new");
    let (send, _, frames) = test.request(false);
    assert_eq!(tokens(frames), ["new"]);
    test.lose(send);
    let (send, _, frames) = test.request(false);
    assert_eq!(tokens(frames), ["new"]);
    test.answer(send, &[]);
    test.say();
    let (_, _, frames) = test.request(false);
    assert!(tokens(frames).is_empty(), "once is enough");
}

#[test]
fn a_client_whose_identity_has_expired_comes_back_with_fresh_credentials() {
    let mut test = Test::open();
    test.act(|client, _, _| client.reauthenticate());
    give(&mut test, "old");
    let expired = Close::new(CloseReason::IdentityExpired);
    test.receive(Frame::Close(Box::new(expired)));
    assert_eq!(test.asked, 2);
    give(&mut test, "new");
    let hello = test.open_socket();
    assert_eq!(
        hello.token.as_ref().map(|token| token.reveal().as_str()),
        Some("new")
    );
    assert!(hello.resume.is_some(), "the session waits for it");
}

#[test]
fn credentials_that_were_asked_for_before_there_were_better_ones_are_asked_for_again() {
    let mut test = Test::open();
    test.act(|client, _, _| client.reauthenticate());
    give(&mut test, "old");
    test.act(Client::break_connection);
    assert_eq!(test.asked, 2, "it dials with what it is given");
    test.act(|client, _, _| client.reauthenticate());
    assert_eq!(test.asked, 3);
    give(&mut test, "new");
    let hello = test.open_socket();
    let token = hello.token.as_ref().map(|token| token.reveal().as_str());
    assert_eq!(token, Some("new"));
}

#[test]
fn credentials_in_a_send_that_the_move_to_a_websocket_cuts_short_are_shown_there() {
    let mut test = Test::polling();
    test.act(|client, now, session| {
        client.choose_carrier(now, session, CarrierChoice::Auto);
    });
    test.pass(ms(0));
    let hello = test.open_socket();
    assert!(hello.token.is_none());
    // What it acknowledges with the hello it says by polling too.
    let (send, _, _) = test.request(false);
    test.answer(send, &[]);
    test.act(|client, _, _| client.reauthenticate());
    give(&mut test, "new");
    let (_, _, frames) = test.request(false);
    assert_eq!(tokens(frames), ["new"]);
    test.receive(welcome(&hello, None));
    assert_eq!(test.client.state().carrier, Some(Carrier::WebSocket));
    assert_eq!(tokens(&test.messages), ["new"]);
}
