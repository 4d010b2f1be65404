//! Whether the events of two sides fit, and how their numbers map.

use super::{Contract, Entry, Table, TableEvent};
use crate::frame::{Answer, Offer};

/// Whether an event may be sent to the other side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// Both sides have the same form of it.
    Exact,
    /// They differ by trailing `#[default]` fields only.
    Padded,
    /// The other side does not know it.
    Unsupported,
    /// The other side knows it in another form.
    Incompatible,
}

/// What a number of the other side means here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Inbound {
    /// An event of this side.
    Event {
        /// Its number here.
        number: u32,
        /// Whether both sides have the same form of it.
        exact: bool,
    },
    /// This side does not know it.
    Unsupported,
    /// This side knows it in another form.
    Incompatible,
}

/// How the numbers of the other side map to the own ones, and what of the own may be sent.
///
/// It takes memory for what this side knows, and for tables, which have come: not for what the other
/// side only claims to have.
#[derive(Debug)]
pub struct Mapping {
    /// By the first number of each.
    inbound: Vec<Numbers>,
    outbound: Vec<Fit>,
}

/// The numbers of one namespace of the other side, from `first` on.
#[derive(Debug)]
struct Numbers {
    first: u32,
    here: Here,
}

/// What they mean here.
#[derive(Debug)]
enum Here {
    /// Nothing: this side does not know the namespace.
    Nothing,
    /// So many the same, from this one on.
    Same { base: u32, events: u32 },
    /// Each something of its own.
    Each(Box<[Inbound]>),
}

/// The side that reads a mapping.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a session has two sides")]
pub enum Side {
    /// That of the client.
    Client,
    /// That of the server.
    Server,
}

/// A namespace that a client offers, as far as it concerns the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offered {
    /// The place of the server's own.
    own: Option<usize>,
    /// How many numbers it takes.
    events: u32,
    /// Whether the server knows it in another form, and needs its table.
    pub(crate) differs: bool,
}

/// A namespace of the other side, with its table where its digest is another than here.
struct Other<'a> {
    own: Option<usize>,
    events: u32,
    table: Option<&'a Table>,
}

impl Contract {
    /// What a server keeps of a client's offers.
    pub(crate) fn offered(&self, offers: &[Offer]) -> Box<[Offered]> {
        let offered = offers.iter().map(|offer| {
            let own = self.place(&offer.name);
            Offered {
                own,
                events: offer.events,
                differs: own.is_some_and(|own| self.entries[own].digest != offer.digest),
            }
        });
        offered.collect()
    }
}

impl Mapping {
    /// The client's, from the server's answers.
    #[must_use]
    pub fn of_client(contract: &Contract, answers: &[Answer]) -> Self {
        let others = answers.iter().map(|answer| Other {
            own: contract.place(&answer.name),
            events: answer.events,
            table: answer.table.as_ref(),
        });
        Self::new(Side::Client, contract, &others.collect::<Vec<_>>())
    }

    /// The server's, from the client's offers and, where digests differ, its tables.
    ///
    /// `None` while tables are missing.
    #[must_use]
    pub fn of_server(contract: &Contract, offers: &[Offer], tables: &[Table]) -> Option<Self> {
        Self::of_offered(contract, &contract.offered(offers), tables)
    }

    /// As [`of_server`](Self::of_server), from what the server has kept of the offers.
    pub(crate) fn of_offered(
        contract: &Contract,
        offers: &[Offered],
        tables: &[Table],
    ) -> Option<Self> {
        let others = offers.iter().map(|offer| {
            let name = offer.own.map(|own| contract.entries[own].namespace.name);
            let table = tables
                .iter()
                .find(|table| offer.differs && Some(table.name.as_str()) == name);
            if offer.differs && table.is_none() {
                return None;
            }
            Some(Other {
                own: offer.own,
                events: offer.events,
                table: table.filter(|table| table.events.len() as u32 == offer.events),
            })
        });
        let others = others.collect::<Option<Vec<_>>>()?;
        Some(Self::new(Side::Server, contract, &others))
    }

    fn new(side: Side, contract: &Contract, others: &[Other<'_>]) -> Self {
        let mut inbound = Vec::with_capacity(others.len());
        let mut first = 0_u32;
        for other in others {
            let here = other.own.map_or(Here::Nothing, |own| {
                let own = &contract.entries[own];
                match other.table {
                    Some(table) => Here::Each(each(side, own, table)),
                    None => Here::Same {
                        base: own.base,
                        events: other.events.min(own.namespace.events.len() as u32),
                    },
                }
            });
            inbound.push(Numbers { first, here });
            // The count is the other side's word.
            first = first.saturating_add(other.events);
        }
        let mut outbound = Vec::new();
        for (place, entry) in contract.entries.iter().enumerate() {
            let other = others.iter().find(|other| other.own == Some(place));
            for event in &entry.table.events {
                outbound.push(match other {
                    None => Fit::Unsupported,
                    Some(Other { table: None, .. }) => Fit::Exact,
                    Some(Other {
                        table: Some(table), ..
                    }) => match table.events.iter().find(|theirs| theirs.name == event.name) {
                        None => Fit::Unsupported,
                        Some(theirs) => fit(event, theirs, side.other()),
                    },
                });
            }
        }
        Self { inbound, outbound }
    }

    /// What `number` of the other side means here.
    pub(crate) fn inbound(&self, number: u32) -> Inbound {
        let place = self
            .inbound
            .partition_point(|numbers| numbers.first <= number);
        let Some(numbers) = place.checked_sub(1).map(|place| &self.inbound[place]) else {
            return Inbound::Unsupported;
        };
        let index = number - numbers.first;
        match &numbers.here {
            Here::Same { base, events } if index < *events => Inbound::Event {
                number: base + index,
                exact: true,
            },
            Here::Each(each) => each
                .get(index as usize)
                .copied()
                .unwrap_or(Inbound::Unsupported),
            Here::Same { .. } | Here::Nothing => Inbound::Unsupported,
        }
    }

    /// Whether the own `number` may be sent.
    pub(crate) fn outbound(&self, number: u32) -> Fit {
        self.outbound
            .get(number as usize)
            .copied()
            .unwrap_or(Fit::Unsupported)
    }

    /// The own numbers whose form differs from the other side's, or that it does not know.
    pub fn skew(&self) -> impl Iterator<Item = (u32, Fit)> + '_ {
        self.outbound
            .iter()
            .enumerate()
            .filter(|(_, fit)| matches!(fit, Fit::Unsupported | Fit::Incompatible))
            .map(|(number, fit)| (number as u32, *fit))
    }
}

/// What each event of the other side's `theirs` means in the own namespace.
fn each(side: Side, own: &Entry, theirs: &Table) -> Box<[Inbound]> {
    let events = theirs.events.iter().map(|theirs| {
        let mut ours = own.table.events.iter();
        let Some(place) = ours.position(|ours| ours.name == theirs.name) else {
            return Inbound::Unsupported;
        };
        let number = own.base + place as u32;
        match fit(theirs, &own.table.events[place], side) {
            Fit::Exact => Inbound::Event {
                number,
                exact: true,
            },
            Fit::Padded => Inbound::Event {
                number,
                exact: false,
            },
            Fit::Unsupported => Inbound::Unsupported,
            Fit::Incompatible => Inbound::Incompatible,
        }
    });
    events.collect()
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Whether what `sender` writes can be read by `receiver`, which is at `side`.
#[must_use]
pub fn fit(sender: &TableEvent, receiver: &TableEvent, side: Side) -> Fit {
    let handled = match side {
        Side::Server => receiver.to_server,
        Side::Client => receiver.to_client,
    };
    if !handled {
        return Fit::Unsupported;
    }
    let common = sender.fields.len().min(receiver.fields.len());
    let agree = sender.fields[..common] == receiver.fields[..common]
        && common >= receiver.required as usize
        && common >= sender.required as usize
        && sender.reply == receiver.reply;
    match (agree, sender.fields.len() == receiver.fields.len()) {
        (false, _) => Fit::Incompatible,
        (true, true) => Fit::Exact,
        (true, false) => Fit::Padded,
    }
}
