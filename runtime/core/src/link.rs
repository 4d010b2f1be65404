//! The server as a client sees it.

use std::sync::Arc;

use crate::error::SendError;
use crate::port::Port;
use crate::{Events, value};

/// The server, as a client's handler sees it. Cheap to clone; it does not keep the client alive.
///
/// Events sent through it wait in the session while there is no connection.
#[derive(Clone, Debug)]
pub struct Link {
    port: Arc<Port>,
}

impl Link {
    /// Makes a link of a client's session.
    #[must_use]
    pub fn new(port: Arc<Port>) -> Self {
        Self { port }
    }

    /// Sends an event that is a value; `client.send(…)` is the same.
    ///
    /// ```
    /// #[sente::events]
    /// enum Chat {
    ///     #[to_server(delivery = latest)]
    ///     Typing { #[key] room: String },
    /// }
    ///
    /// # fn example(link: &sente::Link) -> Result<(), sente::SendError> {
    /// link.send(Chat::Typing { room: "lobby".into() })?; // as `Chat::to_server(link).typing("lobby")?`
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It is delivered as the contract says. A call is sent as by [`Call::detach`](crate::Call::detach):
    /// no answer comes back.
    ///
    /// # Errors
    /// As for any send, and [`SendError::WrongDirection`] if clients do not send it.
    pub fn send<E: Events>(&self, event: E) -> Result<(), SendError> {
        value::to_server(&self.port, &event)
    }

    /// The session, for generated code.
    #[must_use]
    pub fn port(&self) -> &Arc<Port> {
        &self.port
    }
}

/// What leads to the server: a [`Link`], or a client.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not lead to a server",
    note = "give a `&Client` or, in a handler of a client, the `&Link`"
)]
pub trait AsLink {
    /// The link.
    fn as_link(&self) -> &Link;
}

impl AsLink for Link {
    fn as_link(&self) -> &Link {
        self
    }
}

impl<T: AsLink> AsLink for &T {
    fn as_link(&self) -> &Link {
        (**self).as_link()
    }
}
