//! Clients that show anew who they are, in the middle of a session.

use std::sync::Arc;
use std::time::Duration;

use sente_proto::frame::Authenticate;
use sente_proto::{Close, CloseReason, Time};

use crate::hub::Service;
use crate::open::identify;
use crate::sessions::Client;
use crate::{Handshake, keeper};

/// A session's application is asked no more often. What is shown meanwhile waits.
const APART: Duration = Duration::from_secs(1);

/// Asks the application about what the client has shown, beside whatever else goes on: once at a
/// time for each session, at most once in a second, and about the latest only.
pub(crate) fn ask(service: &Arc<Service>, client: &Arc<Client>) {
    {
        let mut chair = client.chair();
        chair.shown_at = service.hub.clock.now();
        if std::mem::replace(&mut chair.is_asking, true) {
            return;
        }
    }
    let counted = service.hub.handlers.enter();
    let (service, client) = (Arc::clone(service), Arc::clone(client));
    let around = service.hub.around.clone();
    around.spawn(async move {
        while let Some((shown, at)) = next(&service, &client).await {
            settle(&service, &client, shown, at).await;
        }
        drop(counted);
    });
}

/// What is to be asked about next, once that may be asked, and when it was shown.
async fn next(service: &Service, client: &Client) -> Option<(Authenticate, Time)> {
    let clock = &service.hub.clock;
    let from = {
        let mut chair = client.chair();
        chair.is_asking = chair.seat.has_shown();
        chair.is_asking.then_some(chair.asks_from)?
    };
    tokio::time::sleep_until(clock.instant(from)).await;
    let mut chair = client.chair();
    chair.asks_from = clock.now() + APART;
    let at = chair.shown_at;
    chair.seat.take_shown().map(|shown| (shown, at))
}

async fn settle(service: &Arc<Service>, client: &Arc<Client>, shown: Authenticate, shown_at: Time) {
    let hub = &service.hub;
    let carrier = {
        let chair = client.chair();
        let carrier = chair.seat.carrier();
        carrier.filter(|_| shown_at >= chair.greeted)
    };
    let Some(carrier) = carrier else {
        // It has said hello since, or has to, and shows itself with that.
        return;
    };
    let handshake = Handshake::again(&client.peer, shown, carrier);
    let answer = identify(service, &handshake).await;
    let after = client.with(|now, chair, session| match &answer {
        // Its client has said hello since, and has shown itself anew with that.
        _ if shown_at < chair.greeted => After::GoesOn,
        Ok(identity) if identity.user.as_deref() == client.peer.user() => {
            let expires = identity.expires(now, hub.around.since_unix());
            chair.seat.authenticated(now, session, expires);
            After::GoesOn
        }
        Ok(_) => After::Ends,
        // Nobody has said no. What it has shown before is still good, and it is warned again.
        Err(refusal) if refusal.is_for_now() && chair.seat.has_lease() => After::GoesOn,
        // Its carrier leaves; if it comes back with the same, that is refused with the reason.
        Err(_) if chair.seat.expire_identity(session) => After::Vacant,
        Err(_) => After::GoesOn,
    });
    let is_taken = answer.is_ok();
    tracing::debug!(session = %client.id, is_taken, "a client has shown anew who it is");
    match after {
        After::GoesOn => {}
        After::Ends => hub.end(client, &Close::new(CloseReason::UserChanged)),
        After::Vacant => {
            hub.moved(client);
            keeper::ensure(service, client);
        }
    }
    // Whoever keeps the session's time has to look at it anew.
    client.port.ring();
}

/// What comes of a session whose client has shown itself anew.
enum After {
    GoesOn,
    Ends,
    /// No carrier serves it any more.
    Vacant,
}
