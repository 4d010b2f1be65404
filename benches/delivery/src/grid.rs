//! Long polling without any fault: round trips beside rates.

use std::fmt::Write;
use std::time::Duration;

use futures_util::future::try_join_all;
use sente_client::CarrierChoice;
use tokio::time::sleep;

use super::cell::{Cell, Outcome};
use super::{APART, told};
use crate::Result;

/// How long each cell sends.
const LASTS: Duration = Duration::from_secs(60);

/// Milliseconds of a round trip; then what the original lost there, in hundredths, of single events
/// every 1,000, 200, 100 and 20 ms.
const ROUND_TRIPS: [(u64, [&str; 4]); 6] = [
    (40, ["0", "0", "0", "0"]),
    (80, ["0", "0", "0", "0"]),
    (120, ["0", "0", "9", "26"]),
    (160, ["0", "0", "19", "39"]),
    (240, ["0", "23", "40", "56"]),
    (400, ["0", "46", "60", "72"]),
];
const PERIODS: [u64; 4] = [1_000, 200, 100, 20];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    round_trip: u64,
    period: u64,
    /// What the original lost, in hundredths.
    original: &'static str,
}

pub(crate) async fn measure() -> Result<Vec<(Place, Outcome)>> {
    let places = ROUND_TRIPS.iter().flat_map(|(round_trip, original)| {
        PERIODS
            .iter()
            .zip(original)
            .map(|(period, original)| Place {
                round_trip: *round_trip,
                period: *period,
                original,
            })
    });
    let runs = places.enumerate().map(async |(seed, place)| {
        let cell = Cell {
            carrier: CarrierChoice::Poll,
            round_trip: Duration::from_millis(place.round_trip),
            events: (LASTS.as_millis() / u128::from(place.period)) as usize,
            period: Duration::from_millis(place.period),
            variation: 0.2,
            fault: None,
        };
        sleep(APART * seed as u32).await;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((place, cell.run(seed as u64).await?))
    });
    try_join_all(runs).await
}

pub(crate) fn table(cells: &[(Place, Outcome)]) -> String {
    let mut text = String::from(
        "Long polling without any fault; milliseconds beyond one way\n\n\
         | round trip | one event each | delivered | lost | reordered | repeated | p50 | p99 | \
         the original lost |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (place, outcome) in cells {
        let one_way = place.round_trip as f64 / 2.0;
        let _ = writeln!(
            text,
            "| {} ms | {} ms | {} | {:.1} | {:.1} | {} % |",
            place.round_trip,
            place.period,
            told(outcome),
            outcome.percentile(50) - one_way,
            outcome.percentile(99) - one_way,
            place.original,
        );
    }
    text
}
