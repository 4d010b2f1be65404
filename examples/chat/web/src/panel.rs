//! The state of the client, as it is shown: in a line, in a table, and what of it is new.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chat_client::why;
use chat_contract::Chat;
use sente_client::{
    Carrier, Client, CloseReason, Codec, ConnectionEnd, FreshReason, RefusedReason, SessionState,
    Skew, SocketClosed, State,
};
use web_sys::Element;

use crate::dom;

/// Shows the whole state.
pub(crate) fn show(client: &Client, codec: Codec) {
    let state = client.state();
    let (mood, status) = status(&state);
    dom::set(&dom::by_id::<Element>("status"), "data-mood", mood);
    dom::show_text("status", &status);

    let none = || "–".to_owned();
    show_fact("carrier", state.carrier.map_or("–", name));
    show_fact(
        "open",
        match (state.open, state.first_open) {
            (true, true) => "yes (first)",
            (true, false) => "yes (again)",
            (false, _) if state.ever_opened => "no",
            (false, _) => "not yet",
        },
    );
    show_fact(
        "session",
        &state.session.map_or("none yet".to_owned(), session),
    );
    show_fact(
        "id",
        &state
            .session_id
            .map_or_else(none, |id| id.to_string()[..8].to_owned()),
    );
    show_fact("user", state.user.as_deref().unwrap_or("nobody"));
    show_fact("codec", codec.name());
    show_fact(
        "round-trip",
        &state.round_trip.map_or_else(none, milliseconds),
    );
    show_fact(
        "csrf",
        if state.has_csrf_token {
            "shown"
        } else {
            "not shown"
        },
    );
    show_fact(
        "welcome",
        &match client.handshake::<Chat>() {
            Ok(Some(welcome)) => format!("{}, up to {} characters", welcome.name, welcome.max_text),
            Ok(None) => none(),
            Err(error) => error.to_string(),
        },
    );
    show_fact(
        "skew",
        &match &*state.skew {
            [] => none(),
            skew => list(skew),
        },
    );
    show_fact(
        "refused",
        &state.refused.as_ref().map_or_else(none, |refused| {
            format!(
                "{} {:?}: {}",
                refused.status, refused.reason, refused.message
            )
        }),
    );
    show_fact(
        "close",
        &state
            .last_close
            .as_ref()
            .map_or_else(none, |close| end(&close.reason).to_owned()),
    );
    let ws = [
        state.last_ws_close.as_ref().map(closed),
        state.last_ws_error.clone(),
    ];
    let ws = ws
        .into_iter()
        .flatten()
        .reduce(|how, why| how + "; " + &why);
    show_fact("ws", ws.as_deref().unwrap_or("–"));
    show_fact("poll", state.last_poll_error.as_deref().unwrap_or("–"));
    show_moving(client);
}

/// Shows what changes without a change of the state.
pub(crate) fn show_moving(client: &Client) {
    let state = client.state();
    show_fact("queued", &client.queued().to_string());
    let next = state.next_reconnect_at.map(|at| {
        let left = at.duration_since(now()).unwrap_or_default();
        format!("in {} s", left.as_secs_f64().ceil())
    });
    show_fact("next", next.as_deref().unwrap_or("–"));
}

fn show_fact(name: &str, text: &str) {
    dom::show_text(&format!("state-{name}"), text);
}

/// Whether all is well, and what is to be said of it.
fn status(state: &State) -> (&'static str, String) {
    if state.open {
        let by = by(state.carrier);
        return match &*state.skew {
            [] => ("good", format!("Connected by {by}")),
            _ => (
                "good",
                format!("Connected by {by}; one of both programs is older: reload the page"),
            ),
        };
    }
    if let Some(error) = &state.setup_error {
        return ("bad", error.to_string());
    }
    match (&state.refused, state.next_reconnect_at) {
        (Some(refused), None) if refused.reason == RefusedReason::Unauthorized => {
            ("idle", "Not logged in".to_owned())
        }
        (Some(refused), None) => ("bad", format!("Not let in: {}", refused.message)),
        _ if state.disconnected => ("idle", "Disconnected".to_owned()),
        (_, Some(_)) => ("busy", "No connection; trying again".to_owned()),
        (None, None) if state.ever_opened => ("busy", "Connecting again…".to_owned()),
        (None, None) => ("busy", "Connecting…".to_owned()),
    }
}

/// What is new, for the console: whether it is a loss, and what it is.
pub(crate) fn news(old: &State, new: &State) -> Vec<(bool, String)> {
    let mut news = Vec::new();
    let opened = new.open && (!old.open || old.session_id != new.session_id);
    if opened && let Some(state) = new.session {
        let by = by(new.carrier);
        news.push((
            false,
            format!("connected by {by}; the session is {}", session(state)),
        ));
    } else if new.open && old.carrier != new.carrier {
        news.push((false, format!("moved to {}", by(new.carrier))));
    }
    if old.last_close != new.last_close
        && let Some(close) = &new.last_close
        && close.reason != ConnectionEnd::Refused
    {
        news.push((
            true,
            format!("the connection ended: {}", end(&close.reason)),
        ));
    }
    if old.refused != new.refused
        && let Some(refused) = &new.refused
    {
        // Whoever is not logged in has lost nothing.
        let is_loss = refused.reason != RefusedReason::Unauthorized;
        let text = format!("refused ({}): {}", refused.status, refused.message);
        news.push((is_loss, text));
    }
    for (old, new, what) in [
        (&old.last_ws_error, &new.last_ws_error, "WebSocket"),
        (&old.last_poll_error, &new.last_poll_error, "polling"),
    ] {
        if old != new
            && let Some(error) = new
        {
            news.push((true, format!("{what}: {error}")));
        }
    }
    if old.next_reconnect_at != new.next_reconnect_at
        && let Some(at) = new.next_reconnect_at
    {
        let wait = at.duration_since(now()).unwrap_or_default();
        news.push((false, format!("next try in {:.1} s", wait.as_secs_f64())));
    }
    if old.skew != new.skew && !new.skew.is_empty() {
        news.push((true, format!("does not fit: {}", list(&new.skew))));
    }
    news
}

fn list(skew: &[Skew]) -> String {
    let each: Vec<String> = skew.iter().map(ToString::to_string).collect();
    each.join(", ")
}

fn by(carrier: Option<Carrier>) -> &'static str {
    carrier.map_or("nothing", name)
}

fn name(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::WebSocket => "WebSocket",
        Carrier::Poll => "polling",
    }
}

fn session(session: SessionState) -> String {
    match session {
        SessionState::Resumed => "resumed".to_owned(),
        SessionState::Fresh { reason } => {
            let why = why(reason).unwrap_or(match reason {
                FreshReason::First => "the first",
                _ => "as you asked",
            });
            format!("fresh: {why}")
        }
    }
}

fn end(reason: &ConnectionEnd) -> &'static str {
    match reason {
        ConnectionEnd::Disconnect => "you disconnected",
        ConnectionEnd::Reconnect => "a new one was asked for",
        ConnectionEnd::Broken => "you broke it",
        ConnectionEnd::Lost => "the network lost it",
        ConnectionEnd::Silent => "nothing came for too long",
        ConnectionEnd::Refused => "the server refused",
        ConnectionEnd::Server(CloseReason::Kicked) => "the server ended the session",
        ConnectionEnd::Server(reason) => reason.describe(),
        _ => "for another reason",
    }
}

fn closed(closed: &SocketClosed) -> String {
    let how = if closed.clean {
        "closed cleanly"
    } else {
        "cut"
    };
    match closed.code {
        Some(code) => format!("{how}, {code} {}", closed.reason)
            .trim_end()
            .to_owned(),
        None => how.to_owned(),
    }
}

pub(crate) fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

/// The standard library has no clock in a page.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(dom::now() / 1000.0)
}
