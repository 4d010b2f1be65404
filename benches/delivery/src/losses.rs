//! Lines that are lost in the middle: cut, or dead without a word.

use std::fmt::Write;
use std::time::Duration;

use futures_util::future::try_join_all;
use sente_client::CarrierChoice;
use tokio::time::sleep;

use super::cell::{Cell, Fault, Outcome};
use super::{APART, told};
use crate::Result;

/// How often each is run.
const TIMES: u64 = 5;
/// A short way.
const ROUND_TRIP: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    carrier: CarrierChoice,
    /// How many events, and how many milliseconds each.
    events: (usize, u64),
    /// At which of them, for how many milliseconds dead, and then gone.
    fault: (usize, u64, u64),
    /// What became of the original's.
    original: &'static str,
}

/// 100 events, one each 20 ms, cut at the 28th.
const fn cut(carrier: CarrierChoice, away: u64, original: &'static str) -> Case {
    Case {
        carrier,
        events: (100, 20),
        fault: (28, 0, away),
        original,
    }
}

/// The same, but nobody is told until the client comes back by another connection.
const fn dead(carrier: CarrierChoice, dead: u64, original: &'static str) -> Case {
    Case {
        carrier,
        events: (100, 20),
        fault: (28, dead, 0),
        original,
    }
}

use CarrierChoice::{Poll, WebSocket};

const CASES: [Case; 19] = [
    cut(WebSocket, 300, "0 lost, 1–21 out of order"),
    cut(WebSocket, 1_000, "0 lost, 1–21 out of order"),
    cut(WebSocket, 2_000, "0 lost, 1–21 out of order"),
    cut(WebSocket, 3_000, "0–10 lost, reordered"),
    cut(WebSocket, 5_000, "66–73 lost"),
    cut(WebSocket, 10_000, "of 40, none came after 4.3 s"),
    cut(WebSocket, 30_000, "of 40, none came after 4.3 s"),
    cut(WebSocket, 60_000, "of 40, none came after 4.3 s"),
    dead(WebSocket, 100, "4–6 lost"),
    dead(WebSocket, 500, "24 lost"),
    dead(WebSocket, 1_000, "48 lost"),
    dead(WebSocket, 2_000, "70–72 lost"),
    Case {
        carrier: WebSocket,
        events: (300, 10),
        fault: (100, 500, 200),
        original: "about 50 of 300 lost, reordered in 20 of 20 runs",
    },
    cut(Poll, 0, "0 lost"),
    cut(Poll, 500, "5–6 lost, reordered"),
    cut(Poll, 2_000, "5–6 lost, reordered"),
    cut(Poll, 3_000, "5–15 lost, reordered"),
    cut(Poll, 4_500, "65–74 lost"),
    cut(Poll, 6_000, "74–75 lost"),
];

pub(crate) async fn measure() -> Result<Vec<(Case, Vec<Outcome>)>> {
    let runs = (0_u32..).zip(&CASES).map(async |(place, case)| {
        let (events, period) = case.events;
        let (at, dead, away) = case.fault;
        let cell = Cell {
            carrier: case.carrier,
            round_trip: ROUND_TRIP,
            events,
            period: Duration::from_millis(period),
            variation: 0.0,
            fault: Some(Fault {
                at,
                dead: Duration::from_millis(dead),
                away: Duration::from_millis(away),
            }),
        };
        let outcomes = try_join_all((0..TIMES).map(async |seed| {
            sleep(APART * (place * TIMES as u32 + seed as u32)).await;
            cell.run(seed).await
        }))
        .await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((*case, outcomes))
    });
    try_join_all(runs).await
}

pub(crate) fn table(cases: &[(Case, Vec<Outcome>)]) -> String {
    let mut text = format!(
        "A line that is lost in the middle, {TIMES} times each; milliseconds beyond one way, and from \
         the line's return until all that had waited was there, the longest\n\n\
         | carrier | dead | then gone | delivered | lost | reordered | repeated | p50 | p99 | \
         caught up | the original, of 100 |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
    );
    for (case, outcomes) in cases {
        let (_, dead, away) = case.fault;
        let all = Outcome::all(outcomes);
        let one_way = ROUND_TRIP.as_secs_f64() * 1e3 / 2.0;
        let caught_up = outcomes.iter().filter_map(|outcome| outcome.caught_up);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.1} | {:.0} | {:.0} | {} |",
            match case.carrier {
                CarrierChoice::Poll => "polling",
                _ => "WebSocket",
            },
            seconds(dead),
            seconds(away),
            told(&all),
            all.percentile(50) - one_way,
            all.percentile(99) - one_way,
            caught_up.fold(f64::NAN, f64::max),
            case.original,
        );
    }
    text
}

fn seconds(ms: u64) -> String {
    match ms {
        0 => String::from("–"),
        ms => format!("{} s", ms as f64 / 1e3),
    }
}
