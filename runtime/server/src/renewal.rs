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
    let handshake = Handshake::again(&client.peer, shown, carrier);
    match identify(service, &handshake).await {
        Ok(identity) if identity.user.as_deref() == client.peer.user() => {
            tracing::debug!(session = %client.id, "a client has shown anew who it is");
            client.with(|now, chair, _| chair.seat.authenticated(now, identity.expires(now)));
        }
        Ok(_) => service
            .hub
            .end(client, &Close::new(CloseReason::UserChanged)),
        // Its carrier leaves; if it comes back with the same, that is refused with the reason.
        Err(_) => {
            tracing::debug!(session = %client.id, "a client failed to show anew who it is");
            if client.with(|_, chair, session| chair.seat.expire_identity(session)) {
                service.hub.moved(client);
                keeper::ensure(service, client);
            }
        }
    }
    // Whoever keeps the session's time has to look at it anew.
    client.port.ring();
}
