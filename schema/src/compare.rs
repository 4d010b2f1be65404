//! What has changed between two contracts, and what that breaks.
//!
//! Whether an event still fits is decided by the very function that decides it in the handshake.
//! All else here explains it.

use std::collections::BTreeMap;
use std::fmt;

use sente_proto::contract::{Fit, Side, TableEvent, TableReply, Way, field_fingerprint, fit};

use crate::contract::{Contract, Event, Sent, Typed};
use crate::print::signature;
use crate::types::{Definition, named_in};

/// What a change means for programs of before and after that meet.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Verdict {
    /// Both understand each other.
    Compatible,
    /// The older programs do not know it.
    New,
    /// Between an older program and a newer one it is `Incompatible` or `Unsupported`.
    Breaking,
}

/// One thing that has changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// What has changed: an event such as `chat/post`, or `chat` for its handshake.
    pub name: String,
    /// What that means.
    pub verdict: Verdict,
    /// What exactly is different, one sentence each.
    pub reasons: Vec<String>,
    /// Where the variant stands in the newer contract's source, if that is known.
    pub place: Option<String>,
}

/// All that has changed, in the order of names.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// The changes. What did not change is not among them.
    pub changes: Vec<Change>,
}

/// Compares the contract of before with that of after.
///
/// ```
/// use sente_schema::{Contract, Verdict, compare};
///
/// mod before {
///     #[sente::events]
///     pub enum Chat {
///         #[to_server]
///         Post { text: String },
///     }
/// }
/// mod after {
///     #[sente::events]
///     pub enum Chat {
///         #[to_server]
///         Post { text: String, room: String },
///     }
/// }
///
/// let comparison = compare(&Contract::of::<before::Chat>(), &Contract::of::<after::Chat>());
/// assert_eq!(comparison.verdict(), Some(Verdict::Breaking));
/// assert_eq!(comparison.changes[0].reasons, ["field 2, `room: String`, was added without `#[default]`"]);
/// ```
#[must_use]
pub fn compare(before: &Contract, after: &Contract) -> Comparison {
    let mut changes = Vec::new();
    let both = Both { before, after };
    for name in keys(&before.namespaces, &after.namespaces) {
        let (old, new) = (before.namespaces.get(name), after.namespaces.get(name));
        let handshake = |namespace: Option<&crate::Namespace>| namespace?.handshake.clone();
        changes.extend(both.handshake(name, handshake(old), handshake(new)));
        let events = |namespace: Option<&crate::Namespace>| -> BTreeMap<String, Event> {
            let events = namespace
                .into_iter()
                .flat_map(|namespace| &namespace.events);
            events
                .map(|event| (event.name.clone(), event.clone()))
                .collect()
        };
        let (old, new) = (events(old), events(new));
        for name in keys(&old, &new) {
            changes.extend(both.event(name, old.get(name), new.get(name)));
        }
    }
    Comparison { changes }
}

fn keys<'a, T>(a: &'a BTreeMap<String, T>, b: &'a BTreeMap<String, T>) -> Vec<&'a String> {
    let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
    keys.sort();
    keys.dedup();
    keys
}

impl Comparison {
    /// The gravest of what has changed; `None` if nothing has.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.changes.iter().map(|change| change.verdict).max()
    }

    /// Whether something that worked no longer does.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.verdict() == Some(Verdict::Breaking)
    }
}

struct Both<'a> {
    before: &'a Contract,
    after: &'a Contract,
}

impl Both<'_> {
    fn handshake(&self, name: &str, old: Option<Typed>, new: Option<Typed>) -> Option<Change> {
        let mut reasons = Vec::new();
        self.optional("the handshake", old.as_ref(), new.as_ref(), &mut reasons);
        // Those who do not expect one are not disturbed by it.
        let verdict = match old {
            None => Verdict::New,
            Some(_) => Verdict::Breaking,
        };
        (!reasons.is_empty()).then(|| Change {
            name: name.to_owned(),
            verdict,
            reasons,
            place: None,
        })
    }

    fn event(&self, name: &str, old: Option<&Event>, new: Option<&Event>) -> Option<Change> {
        let place = new.and_then(|event| event.place.clone());
        let (verdict, reasons) = match (old, new) {
            (None, None) => return None,
            (None, Some(new)) => (Verdict::New, vec![format!("`{}` is new", signature(new))]),
            (Some(old), None) => (
                Verdict::Breaking,
                vec![format!("`{}` was removed", signature(old))],
            ),
            (Some(old), Some(new)) => {
                let verdict = verdict(old, new);
                let reasons = self.reasons(old, new);
                if reasons.is_empty() && verdict == Verdict::Compatible {
                    return None;
                }
                (verdict, reasons)
            }
        };
        Some(Change {
            name: name.to_owned(),
            verdict,
            reasons,
            place,
        })
    }

    /// What is different between two forms of an event.
    fn reasons(&self, old: &Event, new: &Event) -> Vec<String> {
        let mut reasons = Vec::new();
        direction("clients", &old.to_server, &new.to_server, &mut reasons);
        direction("servers", &old.to_client, &new.to_client, &mut reasons);
        for (index, pair) in pairs(&old.fields, &new.fields).enumerate() {
            let place = index + 1;
            match pair {
                (Some(old), Some(new)) => {
                    let what = format!("field {place}, `{}`,", new.name);
                    self.typed(&what, &old.typed, &new.typed, &mut reasons);
                    if old.name != new.name && old.typed.fingerprint == new.typed.fingerprint {
                        reasons.push(format!(
                            "field {place} was called `{}` and is called `{}` now",
                            old.name, new.name
                        ));
                    }
                    match (old.default, new.default) {
                        (true, false) => reasons.push(format!("{what} lost its `#[default]`")),
                        (false, true) => reasons.push(format!("{what} got a `#[default]`")),
                        _ => {}
                    }
                    if old.key != new.key {
                        let verb = if new.key {
                            "became a"
                        } else {
                            "is no longer a"
                        };
                        reasons.push(format!("{what} {verb} `#[key]`"));
                    }
                }
                (old, new) => {
                    let verb = if new.is_some() { "added" } else { "removed" };
                    let field = old.or(new);
                    reasons.extend(field.map(|field| {
                        let with = if field.default { "with" } else { "without" };
                        format!(
                            "field {place}, `{}: {}`, was {verb} {with} `#[default]`",
                            field.name, field.typed.ty
                        )
                    }));
                }
            }
        }
        self.optional(
            "the reply",
            old.reply.as_ref(),
            new.reply.as_ref(),
            &mut reasons,
        );
        self.optional(
            "the error",
            old.error.as_ref(),
            new.error.as_ref(),
            &mut reasons,
        );
        reasons
    }

    fn optional(
        &self,
        what: &str,
        old: Option<&Typed>,
        new: Option<&Typed>,
        reasons: &mut Vec<String>,
    ) {
        match (old, new) {
            (Some(old), Some(new)) => self.typed(what, old, new, reasons),
            (None, Some(new)) => reasons.push(format!("{what}, `{}`, was added", new.ty)),
            (Some(old), None) => reasons.push(format!("{what}, `{}`, was removed", old.ty)),
            (None, None) => {}
        }
    }

    /// Says how a type has changed: by its own text, or within the types that it names.
    fn typed(&self, what: &str, old: &Typed, new: &Typed, reasons: &mut Vec<String>) {
        if old.fingerprint == new.fingerprint {
            return;
        }
        if old.ty != new.ty {
            reasons.push(format!("{what} was `{}` and is `{}` now", old.ty, new.ty));
            return;
        }
        let before = named_in(&self.before.types, &old.ty);
        let after = named_in(&self.after.types, &new.ty);
        let known = reasons.len();
        for (name, old) in before {
            if let Some(new) = after.get(name) {
                definition(what, name, old, new, reasons);
            }
        }
        if reasons.len() == known {
            reasons.push(format!("{what} has another form of `{}` now", new.ty));
        }
    }
}

/// How a type with a name has changed.
fn definition(
    what: &str,
    name: &str,
    old: &Definition,
    new: &Definition,
    reasons: &mut Vec<String>,
) {
    let what = what.trim_end_matches(',');
    if (old.kind, &old.tagging) != (new.kind, &new.tagging) {
        reasons.push(format!("{what}: `{name}` is written in another way now"));
    }
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for part in &old.parts {
        if !new.parts.contains(part) {
            removed.push(part);
        }
    }
    for part in &new.parts {
        if !old.parts.contains(part) {
            added.push(part);
        }
    }
    for pair in pairs(&removed, &added) {
        reasons.extend(match pair {
            (Some(old), Some(new)) => Some(format!("{what}: in `{name}`, `{old}` became `{new}`")),
            (Some(old), None) => Some(format!("{what}: in `{name}`, `{old}` was removed")),
            (None, Some(new)) => Some(format!("{what}: in `{name}`, `{new}` was added")),
            (None, None) => None,
        });
    }
    if removed.is_empty() && added.is_empty() && old.parts != new.parts {
        reasons.push(format!("{what}: in `{name}`, the order has changed"));
    }
}

fn direction(who: &str, old: &Option<Sent>, new: &Option<Sent>, reasons: &mut Vec<String>) {
    match (old, new) {
        (Some(_), None) => reasons.push(format!("{who} no longer send it")),
        (None, Some(_)) => reasons.push(format!("{who} send it, too")),
        (Some(old), Some(new)) => {
            if old.call != new.call {
                let what = |sent: &Sent| if sent.call { "a call" } else { "an event" };
                reasons.push(format!(
                    "sent by {who}, it was {} and is {} now",
                    what(old),
                    what(new)
                ));
            }
            if old.delivery != new.delivery {
                reasons.push(format!(
                    "sent by {who}, it was `{}` and is `{}` now",
                    old.delivery, new.delivery
                ));
            }
            if old.timeout_ms != new.timeout_ms {
                reasons.push(format!("sent by {who}, it has another timeout"));
            }
        }
        (None, None) => {}
    }
}

/// The items of both, side by side, as far as the longer goes.
fn pairs<'a, T>(a: &'a [T], b: &'a [T]) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    (0..a.len().max(b.len())).map(|index| (a.get(index), b.get(index)))
}

/// What becomes of an event between a program of before and one of after, whichever of them is the
/// server.
fn verdict(old: &Event, new: &Event) -> Verdict {
    let (old_row, new_row) = (row(old), row(new));
    let mut verdict = Verdict::Compatible;
    for side in [Side::Server, Side::Client] {
        let sent = |row: &TableEvent| match side {
            Side::Server => row.to_server,
            Side::Client => row.to_client,
        };
        verdict = verdict.max(match (sent(&old_row), sent(&new_row)) {
            (Way::Never, Way::Never) => Verdict::Compatible,
            (Way::Never, _) => Verdict::New,
            (_, Way::Never) => Verdict::Breaking,
            _ => {
                let forth = fit(&old_row, &new_row, side);
                let back = fit(&new_row, &old_row, side);
                if [forth, back]
                    .iter()
                    .all(|fit| matches!(fit, Fit::Exact | Fit::Padded))
                {
                    Verdict::Compatible
                } else {
                    Verdict::Breaking
                }
            }
        });
    }
    verdict
}

/// An event as it stands in the table that travels.
fn row(event: &Event) -> TableEvent {
    let print = |typed: &Typed| u64::from_str_radix(&typed.fingerprint, 16).unwrap_or_default();
    TableEvent {
        name: event.name.clone(),
        to_server: way(&event.to_server),
        to_client: way(&event.to_client),
        fields: event
            .fields
            .iter()
            .map(|field| field_fingerprint(&field.name, print(&field.typed)))
            .collect(),
        required: event.fields.iter().filter(|field| !field.default).count() as u32,
        reply: event.reply.as_ref().map(|reply| TableReply {
            reply: print(reply),
            error: event.error.as_ref().map_or(0, print),
        }),
    }
}

fn way(sent: &Option<Sent>) -> Way {
    match sent {
        None => Way::Never,
        Some(sent) if sent.call => Way::Call,
        Some(_) => Way::Event,
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<10} {}", self.verdict, self.name)?;
        if let Some(place) = &self.place {
            write!(f, " ({place})")?;
        }
        for reason in &self.reasons {
            write!(f, "\n           {reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Compatible => "compatible",
            Self::New => "new",
            Self::Breaking => "BREAKING",
        })
    }
}
