//! What was found, as the table in the book.

use std::collections::BTreeMap;
use std::fmt::Write;

use sente_client::Codec;
use sente_schema::{Verdict, compare};

use crate::Pair;
use crate::version::{Outcome, Record, Sends};

/// What became of an event or call.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Cell {
    Works,
    Incompatible,
    Unsupported,
    /// A handler or a caller was given something else than was meant.
    Misread,
    /// Nothing came of it, and nobody was told.
    Lost,
    /// It ran, and came to nothing.
    Failed,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Way {
    ToServer,
    ToClient,
}

impl Cell {
    /// From what the sender was told, what the handler has, and what was meant.
    pub(crate) fn of(outcome: Outcome, record: Record, meant: String) -> Self {
        let understood = record.understood == Some(meant);
        match outcome {
            Outcome::Sent | Outcome::Answered(_) if record.understood.is_none() => Self::Lost,
            Outcome::Sent if understood => Self::Works,
            Outcome::Answered(answer)
                if understood && Some(&answer) == record.answered.as_ref() =>
            {
                Self::Works
            }
            Outcome::Sent | Outcome::Answered(_) => Self::Misread,
            // It was refused, and so must not have run.
            Outcome::Incompatible | Outcome::Unsupported if record.understood.is_some() => {
                Self::Misread
            }
            Outcome::Incompatible => Self::Incompatible,
            Outcome::Unsupported => Self::Unsupported,
            Outcome::Failed => Self::Failed,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Incompatible => "incompatible",
            Self::Unsupported => "unsupported",
            Self::Misread => "MISREAD",
            Self::Lost => "LOST",
            Self::Failed => "FAILED",
        }
    }
}

/// In which direction something went, and by which codec.
type By = (Way, &'static str);

/// All cells of the rows, by whether it is a call and whether the sender is the old version.
pub(crate) struct Found(Vec<Row>);

#[derive(Default)]
struct Row {
    cells: BTreeMap<(usize, bool), Vec<(By, Cell)>>,
    told: Vec<Option<String>>,
}

impl Found {
    pub(crate) fn new(pairs: &[Pair]) -> Self {
        Self(pairs.iter().map(|_| Row::default()).collect())
    }

    pub(crate) fn add(
        &mut self,
        row: usize,
        slot: usize,
        from_old: bool,
        (way, codec): (Way, Codec),
        cell: Cell,
    ) {
        let cells = self.0[row].cells.entry((slot, from_old)).or_default();
        cells.push(((way, codec.name()), cell));
    }

    /// What a client was told at the handshake.
    pub(crate) fn told(&mut self, row: usize, told: Option<String>) {
        self.0[row].told.push(told);
    }

    pub(crate) fn table(&self, pairs: &[Pair]) -> String {
        let mut table = String::from(
            "| what is different | event, old to new | event, new to old | call, old to new | call, new to old | `sente-schema` | without the check |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for (row, pair) in self.0.iter().zip(pairs) {
            let cell = |slot, from_old| {
                let cells = row.cells.get(&(slot, from_old));
                cells.map_or("–".to_owned(), |cells| summary(cells))
            };
            let cells = [cell(0, true), cell(0, false), cell(1, true), cell(1, false)];
            let (change, cells) = (pair.change, cells.join(" | "));
            let (mut foretold, unchecked) = (foretold(pair).to_owned(), unchecked(pair));
            if foretold != row.breaks(pair) {
                foretold.push_str(", FORETOLD WRONG");
            }
            writeln!(table, "| {change} | {cells} | {foretold} | {unchecked} |")
                .expect("a text has room");
            let nothing = row.told.iter().all(Option::is_none);
            assert!(nothing, "data of another form were told: {change}");
        }
        table
    }
}

impl Row {
    /// What the cells amount to, as `sente-schema` should have said before.
    ///
    /// What a codec cannot carry at all has not changed.
    fn breaks(&self, pair: &Pair) -> &'static str {
        let carried = |codec: &str| Codec::named(codec).is_some_and(Codec::is_self_describing);
        let refused = |from_old: bool, what: &[Cell]| {
            let cells = self
                .cells
                .iter()
                .filter(|((_, of_old), _)| *of_old == from_old);
            cells
                .flat_map(|(_, cells)| cells)
                .any(|((_, codec), cell)| carried(codec) && what.contains(cell))
        };
        let welcomes = (pair.old.contract)().namespaces[pair.old.namespace]
            .handshake
            .is_some();
        if refused(true, &[Cell::Incompatible, Cell::Unsupported])
            || refused(false, &[Cell::Incompatible])
            || welcomes
        {
            "breaking"
        } else if refused(false, &[Cell::Unsupported]) {
            "new"
        } else {
            "compatible"
        }
    }
}

/// What `sente-schema` says of it.
fn foretold(pair: &Pair) -> &'static str {
    match compare(&(pair.old.contract)(), &(pair.new.contract)()).verdict() {
        None | Some(Verdict::Compatible) => "compatible",
        Some(Verdict::New) => "new",
        Some(Verdict::Breaking) => "breaking",
        Some(other) => panic!("{other:?}"),
    }
}

/// One word if all are the same; otherwise one for each codec or direction.
fn summary(cells: &[(By, Cell)]) -> String {
    let by = |of: fn(&By) -> &'static str| {
        let mut groups: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
        for (what, cell) in cells {
            groups.entry(of(what)).or_default().push(*cell);
        }
        let same = |cells: &Vec<Cell>| cells.iter().all(|cell| *cell == cells[0]);
        if !groups.values().all(same) {
            return None;
        }
        let mut by_cell: BTreeMap<Cell, Vec<&str>> = BTreeMap::new();
        for (name, cells) in groups {
            by_cell.entry(cells[0]).or_default().push(name);
        }
        Some(match by_cell.len() {
            1 => by_cell.keys().map(|cell| cell.text().to_owned()).collect(),
            _ => {
                let each = by_cell
                    .iter()
                    .map(|(cell, names)| format!("{}: {}", names.join(", "), cell.text()));
                each.collect::<Vec<_>>().join("; ")
            }
        })
    };
    let by_way = by(|(way, _)| match way {
        Way::ToServer => "to the server",
        Way::ToClient => "to the client",
    });
    by_way
        .or_else(|| by(|(_, codec)| codec))
        .unwrap_or_else(|| panic!("neither by codec nor by direction: {cells:?}"))
}

/// What becomes of an event that is simply decoded, the worst last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Decoded {
    Right,
    NotWritten,
    NotRead,
    Misread,
}

impl Decoded {
    fn of(codec: Codec, from: &Sends, to: &Sends, meant: &str) -> Self {
        let Some(bytes) = (from.encode)(codec) else {
            return Self::NotWritten;
        };
        match (to.decode)(codec, &bytes) {
            Some(text) if text == meant => Self::Right,
            Some(_) => Self::Misread,
            None => Self::NotRead,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Right => "right values",
            Self::NotWritten => "not written",
            Self::NotRead => "not read",
            Self::Misread => "**misread**",
        }
    }
}

/// What codecs would make of the event without the check, the worse of both directions.
fn unchecked(pair: &Pair) -> String {
    let (Some(old), Some(new)) = (&pair.old.tell, &pair.new.tell) else {
        return "–".to_owned();
    };
    let mut groups: BTreeMap<Decoded, Vec<&str>> = BTreeMap::new();
    for codec in Codec::ALL {
        let forth = Decoded::of(*codec, old, new, &pair.meant(true, old));
        let back = Decoded::of(*codec, new, old, &pair.meant(false, new));
        let codecs = groups.entry(forth.max(back)).or_default();
        codecs.push(codec.name());
    }
    let all_alike = groups.len() == 1;
    let each = groups.iter().map(|(decoded, codecs)| match all_alike {
        true => decoded.text().to_owned(),
        false => format!("{}: {}", codecs.join(", "), decoded.text()),
    });
    each.collect::<Vec<_>>().join("; ")
}
