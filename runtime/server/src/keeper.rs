//! Who takes care of a session while no WebSocket does.

use std::sync::Arc;

use sente_proto::server::Due;
use sente_proto::{Carrier, Close, CloseReason, Time};

use crate::around::has_runtime;
use crate::budget::Share;
use crate::hub::Service;
use crate::sessions::{Chair, Client};

/// Sees to it that somebody keeps the session's time: if no WebSocket's task does, one of its own.
pub(crate) fn ensure(service: &Arc<Service>, client: &Arc<Client>) {
    {
        let mut chair = client.chair();
        if chair.end.is_some() || chair.has_keeper || is_kept_by_socket(&chair) {
            return;
        }
        chair.has_keeper = true;
    }
    let around = &service.hub.around;
    // Dropped with its runtime, a session needs no keeper any more.
    if has_runtime() {
        around.spawn(keep(Arc::clone(service), Arc::clone(client)));
    }
}

fn is_kept_by_socket(chair: &Chair) -> bool {
    chair.seat.carrier() == Some(Carrier::WebSocket)
}

/// Keeps the time of a session that polls or that has no carrier, until a WebSocket takes over or
/// it ends.
async fn keep(service: Arc<Service>, client: Arc<Client>) {
    let bell = client.port.bell();
    let mut share = Share::new(Arc::clone(&service.hub));
    loop {
        bell.clear();
        let mut waiting = 0;
        let mut warns = false;
        let next = client.with(|now, chair, session| {
            waiting = session.queued_memory();
            if chair.end.is_some() || is_kept_by_socket(chair) {
                chair.has_keeper = false;
                return Next::Leave;
            }
            if session.counts().refused_full > 0 {
                return Next::End(CloseReason::Overflow);
            }
            while let Some(due) = chair.seat.handle_timeout(now, session) {
                match due {
                    Due::Expired => return Next::End(CloseReason::Silent),
                    Due::Silent | Due::IdentityExpired => return Next::Vacant,
                    Due::Warning => warns = true,
                    Due::Ping => {}
                }
            }
            Next::Wait(chair.seat.poll_timeout(session))
        });
        share.set(waiting);
        if warns {
            // A poll that is held has to bring it.
            client.port.ring();
        }
        match next {
            Next::Leave => return,
            Next::End(reason) => return service.hub.end(&client, &Close::new(reason)),
            Next::Vacant => {
                // Polls that are held have to see it.
                client.port.ring();
                service.hub.moved(&client);
            }
            Next::Wait(until) => {
                let until = service.hub.clock.instant(until);
                let _ = tokio::time::timeout_at(until, bell.rung()).await;
            }
        }
    }
}

enum Next {
    Leave,
    End(CloseReason),
    Vacant,
    Wait(Time),
}
