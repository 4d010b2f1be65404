//! The server as a client sees it.

use std::sync::Arc;

use crate::port::Port;

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
