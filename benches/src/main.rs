//! The benchmarks of sente: a harness that starts a server and a generator of load, each in a process
//! of its own, for sente and for a raw WebSocket in turn, and compares them pair by pair.

mod arguments;
mod figure;
mod harness;
mod load;
mod machine;
mod ours;
mod process;
mod program;
mod raw;
mod report;
mod side;
mod statistics;

use std::process::ExitCode;

use arguments::Arguments;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((role, rest)) if role == "serve" => program::serve(rest).map(|()| true),
        Some((role, rest)) if role == "generate" => program::generate(rest).map(|()| true),
        _ => run(arguments),
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

/// Returns whether all is well: goals count with `--check` only.
fn run(arguments: Vec<String>) -> Result<bool> {
    let arguments = Arguments::parse(arguments)?;
    if arguments.help {
        print!("{}", arguments::help());
        return Ok(true);
    }
    println!("{}", report::HEAD);
    let mut missed = 0;
    for figure in &arguments.figures {
        let measured = harness::measure(*figure, arguments.pairs, arguments.window)?;
        print!("{}", report::figure(*figure, &measured));
        missed += report::missed(*figure, &measured);
    }
    match missed {
        0 => println!("\nAll goals are met."),
        1 => println!("\nA goal is missed."),
        _ => println!("\n{missed} goals are missed."),
    }
    Ok(missed == 0 || !arguments.check)
}
