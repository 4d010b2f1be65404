//! Calls that wait, that nobody wants any more, or whose callers go on without them.

use std::sync::atomic::Ordering;

use super::*;

impl Test {
    /// There is no carrier, and no room for another event.
    fn full() -> Self {
        let test = Self::new();
        test.wired.link.port().with(|_, session| session.detach());
        while test.talk().note("x").is_ok() {}
        test
    }

    /// The carrier is back, and all that was sent is acknowledged in time.
    fn reconnect(&mut self) {
        let (link, peer) = (self.wired.link.port(), self.wired.peer.port());
        let there = peer.with(|now, session| session.acknowledge(now));
        link.act(|_, session| session.attach(there).unwrap());
        for _ in 0..40 {
            self.wired.pass(Duration::from_millis(20));
        }
    }

    /// Does something while the next note is being handled, on another thread.
    fn meanwhile(&self, f: impl FnOnce() + Send + 'static) {
        *self.server.meanwhile.lock().unwrap() = Some(Box::new(f));
    }

    fn hung(&self) -> usize {
        self.server.hung.load(Ordering::SeqCst)
    }

    fn hanging(&self) -> usize {
        self.server.hanging.load(Ordering::SeqCst)
    }
}

// ---- what is not started ----

#[test]
fn a_call_whose_time_is_over_when_a_handler_before_it_lets_go_is_not_started() {
    let mut test = Test::new();
    test.talk().note("first").unwrap();
    let call = Wired::begin(test.talk().hang());
    test.talk().note("last").unwrap();
    let clock = test.wired.clock();
    test.meanwhile(move || clock(Duration::from_secs(3)));
    test.wired.run();
    drop(call);
    assert_eq!(test.hung(), 0);
    assert_eq!(test.notes(), ["first", "last"]);
}

#[test]
fn a_call_that_is_cancelled_while_a_handler_before_it_holds_on_is_not_started() {
    let mut test = Test::new();
    test.talk().note("first").unwrap();
    let mut call = Box::pin(test.talk().hang());
    assert!(poll(&mut call).is_pending());
    let another_carrier = test.wired.another_carrier();
    test.meanwhile(move || {
        drop(call);
        another_carrier();
    });
    test.wired.run();
    assert_eq!(test.hung(), 0);
    assert_eq!(test.notes(), ["first"]);
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

// ---- calls that are let go ----

#[test]
fn a_call_that_is_detached_after_it_was_sent_runs_on() {
    let mut test = Test::new();
    let mut call = Box::pin(test.talk().hang());
    assert!(poll(&mut call).is_pending());
    test.wired.run();
    assert_eq!(test.hanging(), 1);
    Pin::into_inner(call).detach().unwrap();
    test.wired.run();
    assert_eq!(test.hanging(), 1);
}

#[test]
fn a_call_that_is_detached_before_it_could_leave_is_sent_all_the_same() {
    let mut test = Test::new();
    test.wired.link.port().with(|_, session| session.detach());
    let mut call = Box::pin(test.talk().hang());
    assert!(poll(&mut call).is_pending());
    Pin::into_inner(call).detach().unwrap();
    test.reconnect();
    assert_eq!(test.hung(), 1);
}

#[test]
fn a_call_that_is_detached_while_it_waits_for_room_is_not_sent_and_says_so() {
    let mut test = Test::full();
    let mut call = Box::pin(test.talk().hang());
    assert!(poll(&mut call).is_pending());
    let detached = Pin::into_inner(call).detach();
    assert!(matches!(detached, Err(SendError::Full)), "{detached:?}");
    test.reconnect();
    assert_eq!(test.hung(), 0);
}

// ---- calls that wait for room ----

#[test]
fn a_call_that_waits_for_room_is_sent_without_being_polled_again() {
    let mut test = Test::full();
    let mut call = Wired::begin(test.talk().double(4));
    test.reconnect();
    assert_eq!(Wired::poll(&mut call), Some(Ok(8)));
}

#[test]
fn a_call_that_waits_for_room_and_turns_out_too_large_is_told_so_at_once() {
    let test = Test::full();
    let mut call = Wired::begin(test.talk().double(4));
    test.wired.link.port().with(|_, session| {
        let limits = sente_proto::Limits {
            max_message: 0,
            ..sente_proto::Limits::default()
        };
        let _ = session.set_limits(Arc::new(limits));
    });
    assert_eq!(Wired::poll(&mut call), Some(Err(CallError::TooLarge)));
}

#[test]
fn a_call_that_finds_no_room_within_its_deadline_did_not_run() {
    let mut test = Test::full();
    let mut call = Wired::begin(test.talk().hang());
    test.wired.pass(Duration::from_secs(2));
    assert_eq!(Wired::poll(&mut call), Some(Err(CallError::Full)));
    test.reconnect();
    assert_eq!(test.hung(), 0);
}
