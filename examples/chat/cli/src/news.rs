//! What a change of the connection means, in one line.

use std::time::SystemTime;

use chat_client::why;
use sente_client::{
    Carrier, CloseReason, ConnectionEnd, FreshReason, SessionState, State, StateChange,
};

/// What to tell of a change.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum News {
    /// Good to know.
    Note(String),
    /// Better not missed.
    Warning(String),
    /// The session is a new one: the server does not know in which room we were.
    Fresh {
        /// Why, unless it is the first.
        why: Option<&'static str>,
        /// Whether the server is a new one too, and has forgotten what was said.
        restarted: bool,
    },
}

/// What to tell, if anything.
pub(crate) fn news(change: &StateChange, now: SystemTime) -> Option<News> {
    between(&change.old, &change.new, now)
}

fn between(old: &State, new: &State, now: SystemTime) -> Option<News> {
    if new.refused.is_some() && new.refused != old.refused {
        return new.refused.as_ref().map(|refused| {
            let what = match retry(new, now) {
                Some(when) => when,
                None => "/reconnect tries again, /quit leaves".to_owned(),
            };
            News::Warning(format!("the server refused: {}; {what}", refused.message))
        });
    }
    match (old.open, new.open) {
        (false, true) => Some(opened(new)),
        (true, false) => Some(News::Warning(closed(new, now)?)),
        (true, true) if old.session_id != new.session_id => Some(opened(new)),
        (true, true) if old.carrier != new.carrier => {
            Some(News::Note(format!("now by {}", by(new))))
        }
        // The first try after a loss is at once. Only if it fails there is something to tell.
        (false, false) if new.ever_opened && old.next_reconnect_at != new.next_reconnect_at => {
            let when = retry(new, now)?;
            Some(News::Note(
                if shut_down(new) && old.next_reconnect_at.is_none() {
                    when
                } else {
                    format!("no answer, {when}")
                },
            ))
        }
        _ => None,
    }
}

fn opened(state: &State) -> News {
    let Some(SessionState::Fresh { reason }) = state.session else {
        return News::Note(format!("back by {}, nothing was lost", by(state)));
    };
    News::Fresh {
        why: why(reason),
        restarted: matches!(reason, FreshReason::Restarted | FreshReason::Shutdown),
    }
}

fn closed(state: &State, now: SystemTime) -> Option<String> {
    let reason = state.last_close.as_ref().map(|close| &close.reason);
    let what = match reason {
        Some(ConnectionEnd::Disconnect | ConnectionEnd::Reconnect) => return None,
        Some(ConnectionEnd::Broken) => "connection cut, as you asked",
        Some(ConnectionEnd::Server(CloseReason::Shutdown)) => "the server is shutting down",
        Some(ConnectionEnd::Server(reason)) => reason.describe(),
        _ => "connection lost",
    };
    Some(match retry(state, now) {
        Some(when) => format!("{what}, {when}"),
        // The server knows better, and says when it expects to be back.
        None if shut_down(state) => what.to_owned(),
        None => format!("{what}, trying again"),
    })
}

fn shut_down(state: &State) -> bool {
    state
        .last_close
        .as_ref()
        .is_some_and(|close| close.reason == ConnectionEnd::Server(CloseReason::Shutdown))
}

/// When there will be another try, unless that is now.
fn retry(state: &State, now: SystemTime) -> Option<String> {
    let wait = state.next_reconnect_at?.duration_since(now).ok()?;
    let seconds = wait.as_secs_f64().round();
    let hint = if seconds < 5.0 {
        ""
    } else {
        "; /reconnect tries at once"
    };
    (seconds >= 1.0).then(|| format!("trying again in {seconds} s{hint}"))
}

/// How the connection is made.
pub(crate) fn by(state: &State) -> &'static str {
    match state.carrier {
        Some(Carrier::WebSocket) => "WebSocket",
        Some(Carrier::Poll) => "polling",
        None => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn open(carrier: Carrier, session: SessionState) -> State {
        let mut state = State::default();
        state.open = true;
        state.carrier = Some(carrier);
        state.session = Some(session);
        state
    }

    fn fresh(reason: FreshReason) -> SessionState {
        SessionState::Fresh { reason }
    }

    fn note(text: &str) -> Option<News> {
        Some(News::Note(text.to_owned()))
    }

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn to_come_back_is_told_by_what_became_of_the_session() {
        let away = State::default();
        let told = |session| between(&away, &open(Carrier::WebSocket, session), NOW);
        let new = |why, restarted| Some(News::Fresh { why, restarted });
        assert_eq!(told(fresh(FreshReason::First)), new(None, false));
        assert_eq!(
            told(SessionState::Resumed),
            note("back by WebSocket, nothing was lost")
        );
        assert_eq!(
            told(fresh(FreshReason::Restarted)),
            new(Some("the server was restarted"), true)
        );
    }

    #[test]
    fn a_move_to_another_carrier_is_a_note() {
        let old = open(Carrier::Poll, SessionState::Resumed);
        let new = open(Carrier::WebSocket, SessionState::Resumed);
        assert_eq!(between(&old, &new, NOW), note("now by WebSocket"));
        assert_eq!(between(&new, &new, NOW), None);
    }

    #[test]
    fn a_loss_is_told_with_the_next_try() {
        let old = open(Carrier::Poll, SessionState::Resumed);
        let mut new = State::default();
        assert_eq!(
            between(&old, &new, NOW),
            Some(News::Warning("connection lost, trying again".to_owned()))
        );
        new.ever_opened = true;
        new.next_reconnect_at = Some(NOW + Duration::from_millis(1900));
        assert_eq!(
            between(&old, &new, NOW),
            Some(News::Warning(
                "connection lost, trying again in 2 s".to_owned()
            ))
        );
        assert_eq!(
            between(&State::default(), &new, NOW),
            note("no answer, trying again in 2 s")
        );
    }
}
