//! What both sides say to each other.

#[sente::events]
pub(super) enum Bench {
    /// Answers with the same text.
    #[to_server(reply = String)]
    Echo { text: String },

    /// Is taken in, and that is all.
    #[to_server]
    Note { text: String },

    /// Comes back to its sender as an event.
    #[to_server]
    Mirror { text: String },

    /// Goes to everyone.
    #[to_server]
    Push { text: String },

    /// What comes of `Mirror` and of `Push`.
    #[to_client]
    Pushed { text: String },
}
