//! The tasks of the house: `cargo xtask <task>`. One file a task; `cargo xtask --help` lists them.

mod bench;
mod book;
mod browser;
mod check;
mod demo;
mod downstream;
mod fuzz;
mod markdown;
mod mutants;
mod netns;
mod page;
mod parts;
mod process;
mod promises;
mod sim;
mod size;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

use process::{Failure, Result};

/// One task: its name, what it does in a line, its help, and the function that does it.
struct Task {
    name: &'static str,
    about: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Result,
}

/// All tasks, in the order of the help. A new task is a file of its own and an entry here.
const TASKS: &[Task] = &[
    Task {
        name: "demo",
        about: "Start the chat, with its page, and tell where it is",
        help: demo::HELP,
        run: demo::run,
    },
    Task {
        name: "test",
        about: "Run every test there is",
        help: test::HELP,
        run: test::run,
    },
    Task {
        name: "browser",
        about: "Run the tests of the client in a browser",
        help: browser::HELP,
        run: browser::run,
    },
    Task {
        name: "page",
        about: "Run the tests of the chat's page, in a browser",
        help: page::HELP,
        run: page::run,
    },
    Task {
        name: "check",
        about: "Formatting, lints, documentation, licences, advisories",
        help: check::HELP,
        run: check::run,
    },
    Task {
        name: "book",
        about: "Build the book and check its samples and links",
        help: book::HELP,
        run: book::run,
    },
    Task {
        name: "size",
        about: "Print how large pages are, and fail if they have grown",
        help: size::HELP,
        run: size::run,
    },
    Task {
        name: "sim",
        about: "Simulate clients and a server on bad networks, by fresh seeds",
        help: sim::HELP,
        run: sim::run,
    },
    Task {
        name: "mutants",
        about: "Make the machine wrong on purpose, and see that the simulator notices",
        help: mutants::HELP,
        run: mutants::run,
    },
    Task {
        name: "fuzz",
        about: "Give any bytes to all that reads bytes, and to the machines",
        help: fuzz::HELP,
        run: fuzz::run,
    },
    Task {
        name: "netns",
        about: "Let programs count over links that fail, in network namespaces; as root",
        help: netns::HELP,
        run: netns::run,
    },
    Task {
        name: "bench",
        about: "Run the benchmarks, beside the peers they are compared with",
        help: bench::HELP,
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Because(reason)) => {
            eprintln!("\nerror: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result {
    let Some((name, rest)) = arguments.split_first() else {
        print!("{}", overview());
        return Ok(());
    };
    let task = |name: &str| TASKS.iter().find(|task| task.name == name);
    match (name.as_str(), rest) {
        ("-h" | "--help", _) | ("help", []) => print!("{}", overview()),
        ("help", [name, ..]) => match task(name) {
            Some(task) => print!("{}", task.help),
            None => return Err(unknown(name)),
        },
        (name, rest) => {
            let task = task(name).ok_or_else(|| unknown(name))?;
            // What follows `--` belongs to the program that the task starts.
            let mut own = rest.iter().take_while(|argument| *argument != "--");
            if own.any(|it| it == "-h" || it == "--help") {
                print!("{}", task.help);
            } else {
                return (task.run)(rest);
            }
        }
    }
    Ok(())
}

fn overview() -> String {
    let mut text = String::from("Usage: cargo xtask <task> [options]\n\nTasks:\n");
    for task in TASKS {
        text += &format!("  {:<8}{}\n", task.name, task.about);
    }
    text + "\n`cargo xtask <task> --help` says more about one of them. Tools that a task needs are\n\
            installed the first time, with a word about it.\n"
}

fn unknown(name: &str) -> Failure {
    Failure::because(format!(
        "there is no task `{name}`; `cargo xtask --help` lists the tasks"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_task_is_in_the_overview_and_has_a_help_that_names_it() {
        let overview = overview();
        for task in TASKS {
            assert!(overview.contains(task.name), "{}", task.name);
            let usage = format!("Usage: cargo xtask {}", task.name);
            assert!(task.help.starts_with(&usage), "{}", task.name);
            assert!(task.help.ends_with('\n'), "{}", task.name);
        }
    }

    #[test]
    fn an_unknown_task_is_an_error_that_names_it() {
        for line in ["tset", "help tset"] {
            let Err(Failure::Because(reason)) = dispatch(&arguments(line)) else {
                panic!("`{line}` was accepted");
            };
            assert!(reason.contains("`tset`"), "{reason}");
        }
    }

    #[test]
    fn help_is_shown_without_running_the_task() {
        for line in ["", "--help", "help", "help test", "test --help", "demo -h"] {
            assert!(dispatch(&arguments(line)).is_ok(), "{line}");
        }
    }
}
