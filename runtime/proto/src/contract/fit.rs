//! Whether the events of two sides fit, and how their numbers map.

use std::sync::Arc;

use super::skew::{List, MOST_NAMES, kept};
use super::{Contract, Entry, Skew, SkewCause, Table, TableEvent, Way};
use crate::codec::Codec;
use crate::frame::{Answer, Offer};
use crate::sorted::Sorted;

/// Whether an event may be sent to the other side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// Both sides have the same form of it.
    Exact,
    /// They differ by trailing `#[default]` fields only.
    Padded,
    /// The other side does not know it.
    Unsupported,
    /// The other side knows it in another form, or the codec cannot carry it.
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
    /// This side knows it in another form, or the codec cannot carry it.
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
    skew: Arc<[Skew]>,
    /// The own namespaces whose handshake data both sides have in the same form.
    handshakes: Vec<&'static str>,
    /// Numbers of the other side that are not taken here, with their names, as far as they are known.
    refused: Vec<(u32, Arc<str>)>,
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
    pub fn of_client(contract: &Contract, answers: &[Answer], codec: Codec) -> Self {
        let others = answers.iter().map(|answer| Other {
            own: contract.place(&answer.name),
            events: answer.events,
            table: answer.table.as_ref(),
        });
        Self::new(Side::Client, contract, &others.collect::<Vec<_>>(), codec)
    }

    /// The server's, from the client's offers and, where digests differ, its tables.
    ///
    /// `None` while tables are missing, or where one has not as many events as were offered.
    #[must_use]
    pub fn of_server(
        contract: &Contract,
        offers: &[Offer],
        tables: &[Table],
        codec: Codec,
    ) -> Option<Self> {
        Self::of_offered(contract, &contract.offered(offers), tables, codec)
    }

    /// As [`of_server`](Self::of_server), from what the server has kept of the offers.
    pub(crate) fn of_offered(
        contract: &Contract,
        offers: &[Offered],
        tables: &[Table],
        codec: Codec,
    ) -> Option<Self> {
        let others = offers.iter().map(|offer| {
            let table = match offer.own.filter(|_| offer.differs) {
                Some(own) => {
                    let name = contract.entries[own].namespace.name;
                    let given = tables.iter().find(|table| table.name == name);
                    Some(given.filter(|table| table.events.len() as u32 == offer.events)?)
                }
                None => None,
            };
            Some(Other {
                own: offer.own,
                events: offer.events,
                table,
            })
        });
        let others = others.collect::<Option<Vec<_>>>()?;
        Some(Self::new(Side::Server, contract, &others, codec))
    }

    fn new(side: Side, contract: &Contract, others: &[Other<'_>], codec: Codec) -> Self {
        let mut skew = List::default();
        let mut outbound = Vec::new();
        let mut handshakes = Vec::new();
        for (place, own) in contract.entries.iter().enumerate() {
            let other = others.iter().find(|other| other.own == Some(place));
            let pair = Pair { side, own, codec };
            pair.send(other, &mut outbound, &mut skew);
            if pair.shares_handshake(other, &mut skew) {
                handshakes.push(own.namespace.name);
            }
        }
        let mut inbound = Vec::with_capacity(others.len());
        let mut refused = Vec::new();
        let mut first = 0_u32;
        for other in others {
            let here = other.own.map_or(Here::Nothing, |own| {
                let own = &contract.entries[own];
                Pair { side, own, codec }.receive(other, &mut skew)
            });
            if let (Here::Each(each), Some(own)) = (&here, other.own) {
                let events = &other.table.unwrap_or(&contract.entries[own].table).events;
                let named = (0..).zip(each.iter().zip(events));
                let unknown = named
                    .filter(|(_, (inbound, _))| !matches!(inbound, Inbound::Event { .. }))
                    .filter_map(|(index, (_, event))| {
                        Some((first.checked_add(index)?, kept(&event.name)))
                    });
                refused.extend(unknown.take(MOST_NAMES - refused.len()));
            }
            inbound.push(Numbers { first, here });
            // The count is the other side's word.
            first = first.saturating_add(other.events);
        }
        Self {
            inbound,
            outbound,
            skew: skew.finish(),
            handshakes,
            refused,
        }
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

    /// What the other side calls a number of its own that is not taken here, if that is known.
    #[must_use]
    pub fn name_of_refused(&self, number: u32) -> Option<Arc<str>> {
        let place = self
            .refused
            .binary_search_by_key(&number, |(number, _)| *number);
        place.ok().map(|place| Arc::clone(&self.refused[place].1))
    }

    /// Whether the own `number` may be sent.
    pub(crate) fn outbound(&self, number: u32) -> Fit {
        self.outbound
            .get(number as usize)
            .copied()
            .unwrap_or(Fit::Unsupported)
    }

    /// What one side may send and the other cannot take, by name, up to 256 of them.
    #[must_use]
    pub fn skew(&self) -> &Arc<[Skew]> {
        &self.skew
    }

    /// Whether both sides have the same form of the namespace's handshake data.
    pub(crate) fn shares_handshake(&self, namespace: &str) -> bool {
        self.handshakes.contains(&namespace)
    }
}

/// An own namespace, to be compared with that of the other side.
#[derive(Clone, Copy)]
struct Pair<'a> {
    side: Side,
    own: &'a Entry,
    codec: Codec,
}

impl Pair<'_> {
    /// Whether each event may be sent to the other side, which may not have the namespace.
    fn send(self, other: Option<&Other<'_>>, outbound: &mut Vec<Fit>, skew: &mut List) {
        let there = self.side.other();
        let theirs = other.and_then(|other| other.table);
        let theirs = theirs.map(|table| self.found_in(table));
        for (place, event) in self.own.table.events.iter().enumerate() {
            let fit = match (other, &theirs) {
                (None, _) => Fit::Unsupported,
                (Some(_), None) => Fit::Exact,
                (Some(_), Some(theirs)) => {
                    theirs[place].map_or(Fit::Unsupported, |theirs| fit(event, theirs, there))
                }
            };
            let (fit, cause) = self.settle(place, fit, SkewCause::UnknownThere);
            // What a client does not speak it does not want to hear.
            let is_missed = self.side == Side::Client || other.is_some();
            if let Some(cause) = cause.filter(|_| there.hears(event) && is_missed) {
                skew.add(&event.name, cause);
            }
            outbound.push(fit);
        }
    }

    /// What the numbers of the other side's namespace mean.
    fn receive(self, other: &Other<'_>, skew: &mut List) -> Here {
        let events = self.own.table.events.iter().enumerate();
        match other.table {
            // Its events are the same.
            None if events
                .clone()
                .all(|(place, _)| self.own.is_carried(place, self.codec)) =>
            {
                Here::Same {
                    base: self.own.base,
                    events: other.events.min(events.len() as u32),
                }
            }
            None => Here::Each(
                events
                    .take(other.events as usize)
                    .map(|(place, event)| self.heard(event, Some((place, Fit::Exact)), skew))
                    .collect(),
            ),
            Some(table) => {
                let ours = self.by_name();
                let each = table.events.iter().map(|theirs| {
                    let found = ours.get(&theirs.name.as_str()).map(|place| {
                        let ours = &self.own.table.events[*place];
                        (*place, fit(theirs, ours, self.side))
                    });
                    self.heard(theirs, found, skew)
                });
                Here::Each(each.collect())
            }
        }
    }

    /// The places of the own events, by name.
    fn by_name(&self) -> Sorted<&str, usize> {
        let mut places = Sorted::default();
        for (place, event) in self.own.table.events.iter().enumerate() {
            places.insert(event.name.as_str(), place);
        }
        places
    }

    /// For each own event that of the same name in the other side's table; of several, the first.
    fn found_in<'a>(&self, theirs: &'a Table) -> Vec<Option<&'a TableEvent>> {
        let places = self.by_name();
        let mut found = vec![None; self.own.table.events.len()];
        for event in &theirs.events {
            if let Some(place) = places.get(&event.name.as_str()) {
                found[*place].get_or_insert(event);
            }
        }
        found
    }

    /// What an event of the other side means, which is one of this side if it was found.
    fn heard(self, event: &TableEvent, found: Option<(usize, Fit)>, skew: &mut List) -> Inbound {
        let (place, fit) = found.unwrap_or((0, Fit::Unsupported));
        let (fit, cause) = self.settle(place, fit, SkewCause::UnknownHere);
        if let Some(cause) = cause.filter(|_| self.side.hears(event)) {
            skew.add(&event.name, cause);
        }
        match fit {
            Fit::Exact | Fit::Padded => Inbound::Event {
                number: self.own.base + place as u32,
                exact: fit == Fit::Exact,
            },
            Fit::Unsupported => Inbound::Unsupported,
            Fit::Incompatible => Inbound::Incompatible,
        }
    }

    /// Whether an own event fits when the codec is considered too, and if not, why.
    fn settle(self, place: usize, fit: Fit, unknown: SkewCause) -> (Fit, Option<SkewCause>) {
        match fit {
            Fit::Unsupported => (fit, Some(unknown)),
            Fit::Incompatible => (fit, Some(SkewCause::Form)),
            Fit::Exact | Fit::Padded if self.own.is_carried(place, self.codec) => (fit, None),
            Fit::Exact | Fit::Padded => (Fit::Incompatible, Some(SkewCause::Codec)),
        }
    }

    /// Whether both sides have the same form of the handshake data.
    fn shares_handshake(self, other: Option<&Other<'_>>, skew: &mut List) -> bool {
        let (Some(handshake), Some(other)) = (self.own.table.handshake, other) else {
            return false;
        };
        let theirs = other.table.map_or(Some(handshake), |table| table.handshake);
        let cause = match theirs {
            _ if !self.own.is_handshake_carried(self.codec) => SkewCause::Codec,
            Some(theirs) if theirs == handshake => return true,
            Some(_) => SkewCause::Form,
            // A client that is older does not ask for any.
            None if self.side == Side::Server => return false,
            None => SkewCause::UnknownThere,
        };
        skew.add(self.own.namespace.name, cause);
        false
    }
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// How an event goes to this side.
    const fn way(self, event: &TableEvent) -> Way {
        match self {
            Self::Server => event.to_server,
            Self::Client => event.to_client,
        }
    }

    /// Whether an event goes to this side.
    fn hears(self, event: &TableEvent) -> bool {
        self.way(event) != Way::Never
    }
}

/// Whether what `sender` writes can be read by `receiver`, which is at `side`.
#[must_use]
pub fn fit(sender: &TableEvent, receiver: &TableEvent, side: Side) -> Fit {
    let (sent, handled) = (side.way(sender), side.way(receiver));
    if handled == Way::Never {
        return Fit::Unsupported;
    }
    let common = sender.fields.len().min(receiver.fields.len());
    let agree = sender.fields[..common] == receiver.fields[..common]
        && common >= receiver.required as usize
        && common >= sender.required as usize
        && sent == handled
        && (handled == Way::Event || sender.reply == receiver.reply);
    match (agree, sender.fields.len() == receiver.fields.len()) {
        (false, _) => Fit::Incompatible,
        (true, true) => Fit::Exact,
        (true, false) => Fit::Padded,
    }
}
