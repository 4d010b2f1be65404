//! Measures a figure of both sides in turn, each time with fresh processes.

use std::time::Duration;

use crate::Result;
use crate::figure::{Figure, Row};
use crate::process::{Server, generate};
use crate::side::Side;

/// What the pairs brought, in the order of the figure's rows.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) raw: Vec<Vec<f64>>,
    pub(crate) sente: Vec<Vec<f64>>,
}

impl Measured {
    /// The numbers of one row, pair by pair: raw, then sente.
    pub(crate) fn pairs(&self, row: usize) -> impl Iterator<Item = (f64, f64)> {
        self.raw
            .iter()
            .zip(&self.sente)
            .map(move |(raw, sente)| (raw[row], sente[row]))
    }
}

pub(crate) fn measure(figure: Figure, pairs: usize, window: Duration) -> Result<Measured> {
    let mut measured = Measured::default();
    for _ in 0..pairs {
        measured.raw.push(once(Side::Raw, figure, window)?);
        measured.sente.push(once(Side::Sente, figure, window)?);
    }
    Ok(measured)
}

fn once(side: Side, figure: Figure, window: Duration) -> Result<Vec<f64>> {
    // Connecting and settling take a few seconds; more than this is a fault.
    let limit = window + Duration::from_secs(60);
    let server = Server::start(side)?;
    let text = generate(side, figure, &server, window, limit)?;
    figure.rows().iter().map(|row| number(row, &text)).collect()
}

fn number(row: &Row, text: &str) -> Result<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(row.key)?.strip_prefix(' ')?.parse().ok())
        .ok_or_else(|| format!("the generator did not print `{}`", row.key).into())
}
