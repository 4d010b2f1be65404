//! Clients that show anew who they are, in the middle of a session.

use std::sync::Arc;

use sente_proto::frame::Authenticate;
use sente_proto::{Close, CloseReason};

use crate::hub::Service;
use crate::open::identify;
use crate::sessions::Client;
use crate::{Handshake, keeper};

/// Asks the application about what the client has shown, beside whatever else goes on: once at a
/// time for each session, and about the latest only.
pub(crate) fn ask(service: &Arc<Service>, client: &Arc<Client>) {
    if std::mem::replace(&mut client.chair().is_asking, true) {
        return;
    }
    let counted = service.hub.handlers.enter();
    let (service, client) = (Arc::clone(service), Arc::clone(client));
    let around = service.hub.around.clone();
    around.spawn(async move {
        while let Some(shown) = next(&client) {
            settle(&service, &client, shown).await;
        }
        drop(counted);
    });
}

fn next(client: &Client) -> Option<Authenticate> {
    let mut chair = client.chair();
    let shown = chair.seat.take_shown();
    chair.is_asking = shown.is_some();
    shown
}

async fn settle(service: &Arc<Service>, client: &Arc<Client>, shown: Authenticate) {
    let carrier = client.chair().seat.carrier();
    let Some(carrier) = carrier else {
        // It has to say hello again, and shows itself with that.
        return;
    };
    let hub = &service.hub;
    let asked = hub.clock.now();
    let handshake = Handshake::again(&client.peer, shown, carrier);
    let answer = identify(service, &handshake).await;
    let after = client.with(|now, chair, session| match &answer {
        // Its client has said hello since, and has shown itself anew with that.
        _ if asked < chair.greeted => After::GoesOn,
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
