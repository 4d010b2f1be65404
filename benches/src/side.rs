//! The two that are compared.

/// Whose server and client are measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// axum's WebSocket and tokio-tungstenite, with nothing above them.
    Raw,
    Sente,
}

impl Side {
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Raw, Self::Sente]
            .into_iter()
            .find(|side| side.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Sente => "sente",
        }
    }
}
