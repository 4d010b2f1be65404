//! The table that a person reads.

use crate::figure::{Figure, Goal, Row};
use crate::harness::Measured;
use crate::statistics::Spread;

/// The head of the table. The ratio is sente's number to raw's, its median, its middle half and its
/// ends over all pairs.
pub(crate) const HEAD: &str = "\
figure    what                             sente         raw  ratio   middle half     all            goal";

/// The lines of one figure.
pub(crate) fn figure(figure: Figure, measured: &Measured) -> String {
    let rows = figure.rows().iter().enumerate();
    rows.map(|(index, row)| line(figure, row, &Numbers::of(measured, index)))
        .collect()
}

/// How many goals are missed.
pub(crate) fn missed(figure: Figure, measured: &Measured) -> usize {
    let rows = figure.rows().iter().enumerate();
    rows.filter(|(index, row)| {
        row.goal
            .is_some_and(|goal| !Numbers::of(measured, *index).meet(goal))
    })
    .count()
}

struct Numbers {
    sente: f64,
    raw: f64,
    ratio: Spread,
}

impl Numbers {
    fn of(measured: &Measured, row: usize) -> Self {
        let nothing = Spread {
            median: f64::NAN,
            quartiles: (f64::NAN, f64::NAN),
            ends: (f64::NAN, f64::NAN),
        };
        let pairs = || measured.pairs(row);
        let median = |spread: Option<Spread>| spread.unwrap_or(nothing).median;
        Self {
            sente: median(Spread::of(pairs().map(|(_, sente)| sente))),
            raw: median(Spread::of(pairs().map(|(raw, _)| raw))),
            ratio: Spread::of(pairs().map(|(raw, sente)| sente / raw)).unwrap_or(nothing),
        }
    }

    fn meet(&self, goal: Goal) -> bool {
        match goal {
            Goal::Times(times) => self.ratio.median >= times,
            Goal::AtMost(most) => self.sente <= most,
        }
    }
}

fn line(figure: Figure, row: &Row, numbers: &Numbers) -> String {
    let Spread {
        median,
        quartiles,
        ends,
    } = numbers.ratio;
    let goal = row.goal.map_or_else(String::new, |goal| {
        let wanted = match goal {
            Goal::Times(times) => format!("ratio ≥ {times}"),
            Goal::AtMost(most) => format!("sente ≤ {most}"),
        };
        let met = if numbers.meet(goal) { "met" } else { "MISSED" };
        format!("  {wanted}: {met}")
    });
    let line = format!(
        "{:<10}{:<27}{:>11}{:>12}{:>7}   {:<14}{:<14}{goal}",
        figure.name(),
        row.what,
        short(numbers.sente),
        short(numbers.raw),
        short(median),
        format!("{}–{}", short(quartiles.0), short(quartiles.1)),
        format!("{}–{}", short(ends.0), short(ends.1)),
    );
    format!("{}\n", line.trim_end())
}

/// Three digits that count, and thousands apart.
fn short(number: f64) -> String {
    match number.abs() {
        it if it >= 100.0 => {
            let whole = format!("{number:.0}");
            let mut text = String::new();
            for (place, digit) in whole.chars().enumerate() {
                if place > 0 && (whole.len() - place).is_multiple_of(3) {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
        it if it >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(raw: &[f64], sente: &[f64]) -> Measured {
        let rows = |numbers: &[f64]| numbers.iter().map(|it| vec![*it, 1.0]).collect();
        Measured {
            raw: rows(raw),
            sente: rows(sente),
        }
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.123, 1.0, 12.34, 123.4, 1_234.0, 1_234_567.0].map(short);
        assert_eq!(shown, ["0.12", "1.00", "12.3", "123", "1,234", "1,234,567"]);
    }

    #[test]
    fn a_goal_is_met_or_missed_by_the_median() {
        let slow = measured(&[10.0, 10.0, 10.0], &[70.0, 39.0, 20.0]);
        assert_eq!(missed(Figure::Many, &slow), 1);
        assert!(figure(Figure::Many, &slow).contains("MISSED"));
        let fast = measured(&[10.0, 10.0, 10.0], &[70.0, 41.0, 20.0]);
        assert_eq!(missed(Figure::Many, &fast), 0);
    }

    #[test]
    fn the_ratio_is_that_of_pairs() {
        // The medians alone would give 1.
        let measured = measured(&[1.0, 2.0, 4.0], &[2.0, 4.0, 1.0]);
        assert_eq!(Numbers::of(&measured, 0).ratio.median, 2.0);
    }
}
