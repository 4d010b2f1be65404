//! Whether the events of two sides fit, and how their numbers map.

use super::{Contract, Table, TableEvent};
use crate::frame::{Answer, Offer};

/// More numbers than this are not mapped; what they stand for is unsupported.
const MAX_NUMBERS: usize = 4_096;

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
#[derive(Debug)]
pub struct Mapping {
    inbound: Vec<Inbound>,
    outbound: Vec<Fit>,
}

/// The side that reads a mapping.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// A namespace of the other side: its name, how many numbers it takes, and its table where its
/// digest is another than here.
struct Other<'a> {
    name: &'a str,
    events: u32,
    table: Option<&'a Table>,
}

impl Mapping {
    /// The client's, from the server's answers.
    #[must_use]
    pub fn of_client(contract: &Contract, answers: &[Answer]) -> Self {
        let others = answers.iter().map(|answer| Other {
            name: &answer.name,
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
        let others = offers
            .iter()
            .map(|offer| {
                let own = contract
                    .entries
                    .iter()
                    .find(|entry| entry.namespace.name == offer.name);
                let differs = own.is_some_and(|entry| entry.digest != offer.digest);
                let table = tables.iter().find(|table| table.name == offer.name);
                if differs && table.is_none() {
                    return None;
                }
                let table =
                    table.filter(|table| differs && table.events.len() as u32 == offer.events);
                Some(Other {
                    name: &offer.name,
                    events: offer.events,
                    table,
                })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self::new(Side::Server, contract, &others))
    }

    fn new(side: Side, contract: &Contract, others: &[Other<'_>]) -> Self {
        let mut inbound = Vec::new();
        for other in others {
            let own = contract
                .entries
                .iter()
                .find(|entry| entry.namespace.name == other.name);
            let ours = own.map(|own| &own.table);
            for index in 0..other.events {
                // The count is the other side's word: it must not make this side allocate.
                if inbound.len() == MAX_NUMBERS {
                    break;
                }
                inbound.push(match (own, other.table.zip(ours)) {
                    (None, _) => Inbound::Unsupported,
                    (Some(own), None) if index < own.namespace.events.len() as u32 => {
                        Inbound::Event {
                            number: own.base + index,
                            exact: true,
                        }
                    }
                    (Some(_), None) => Inbound::Unsupported,
                    (Some(own), Some((table, ours))) => {
                        let found = table.events.get(index as usize).and_then(|theirs| {
                            Some((
                                theirs,
                                ours.events
                                    .iter()
                                    .position(|event| event.name == theirs.name)?,
                            ))
                        });
                        match found {
                            None => Inbound::Unsupported,
                            Some((theirs, place)) => match fit(theirs, &ours.events[place], side) {
                                Fit::Exact => Inbound::Event {
                                    number: own.base + place as u32,
                                    exact: true,
                                },
                                Fit::Padded => Inbound::Event {
                                    number: own.base + place as u32,
                                    exact: false,
                                },
                                Fit::Unsupported => Inbound::Unsupported,
                                Fit::Incompatible => Inbound::Incompatible,
                            },
                        }
                    }
                });
            }
        }
        let mut outbound = Vec::new();
        for entry in &contract.entries {
            let other = others
                .iter()
                .find(|other| other.name == entry.namespace.name);
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
        self.inbound
            .get(number as usize)
            .copied()
            .unwrap_or(Inbound::Unsupported)
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

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Whether what `sender` writes can be read by `receiver`, which is at `side`.
fn fit(sender: &TableEvent, receiver: &TableEvent, side: Side) -> Fit {
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
