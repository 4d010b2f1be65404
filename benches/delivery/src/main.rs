//! What arrives over slow lines and after absences, and how late. Beside it stand
//! the figures of the Clojure library of the same name.

mod cell;
mod grid;
mod losses;

use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;

use cell::Outcome;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long after each other conversations begin, so that not all are lost at the same moment.
const APART: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let done = match std::env::args().nth(1) {
        Some(unexpected) => {
            Err(format!("`delivery` has no options, so `{unexpected}` means nothing").into())
        }
        None => run(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all cells and prints the tables. Returns whether everything arrived, once and in order.
fn run() -> Result<bool> {
    let runtime = Runtime::new()?;
    let (grid, losses) =
        runtime.block_on(async { (grid::measure().await, losses::measure().await) });
    let (grid, losses) = (grid?, losses?);
    print!("{}\n{}", grid::table(&grid), losses::table(&losses));
    let outcomes = grid.iter().map(|(_, outcome)| outcome);
    let outcomes = outcomes.chain(losses.iter().flat_map(|(_, outcomes)| outcomes));
    let faulty = outcomes.filter(|outcome| !outcome.is_perfect()).count();
    match faulty {
        0 => println!("\nEverything arrived, once and in order."),
        faulty => println!("\nNOT everything arrived, once and in order: see {faulty} runs."),
    }
    Ok(faulty == 0)
}

/// How many of all events arrived, and what became of the others.
fn told(outcome: &Outcome) -> String {
    format!(
        "{} of {} | {} | {} | {}",
        outcome.delivered,
        outcome.sent,
        outcome.sent - outcome.delivered,
        outcome.reordered,
        outcome.repeated,
    )
}
