//! The contract as data: what the macro writes down about each namespace, and the table that travels.

/// One namespace, as the macro writes it down.
#[derive(Debug)]
pub struct Namespace {
    /// Its name, for instance `chat`.
    pub name: &'static str,
    /// Its events, in the order of the enum; an event's place is its number within the namespace.
    pub events: &'static [Event],
}

/// One event of a namespace.
#[derive(Debug)]
pub struct Event {
    /// The full id, for instance `chat/post`.
    pub name: &'static str,
    /// The comment on the variant.
    pub docs: &'static str,
    /// Whether clients may send it.
    pub to_server: bool,
    /// Whether servers may send it.
    pub to_client: bool,
    /// Its fields, in order.
    pub fields: &'static [Field],
    /// The reply and error of a call; `None` for an event that wants no reply.
    pub reply: Option<Reply>,
}

/// One field of an event.
#[derive(Debug)]
pub struct Field {
    /// Its name, or its place for tuple variants.
    pub name: &'static str,
    /// The fingerprint of its type.
    pub fingerprint: u64,
    /// Whether a sender may leave it out (`#[default]`, at the end only).
    pub default: bool,
}

/// What a call brings back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The fingerprint of the reply's type.
    pub reply: u64,
    /// The fingerprint of the error's type; 0 for a call that cannot be rejected.
    pub error: u64,
}

/// A namespace as it travels when the digests differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Table {
    /// The namespace's name.
    pub name: String,
    /// Its events, in the order of the sender's numbers.
    pub events: Vec<TableEvent>,
}

/// One event of a [`Table`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableEvent {
    /// The id within the namespace's table, for instance `chat/post`.
    pub name: String,
    /// Whether clients may send it.
    pub to_server: bool,
    /// Whether servers may send it.
    pub to_client: bool,
    /// One fingerprint a field.
    pub fields: Vec<u64>,
    /// How many of the fields must be there.
    pub required: u32,
    /// The reply and error of a call.
    pub reply: Option<Reply>,
}
