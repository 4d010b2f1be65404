//! The program: of one contract, where its enums are at hand, or of files alone.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::{Arg, Parser};
use sente::Events;

use crate::compare::{Comparison, compare};
use crate::contract::{Contract, ContractBuilder, LOCK_FILE, ReadError};

const HELP: &str = "\
Usage: schema print              the contract, as people read it
       schema json               the contract, as programs read it
       schema lock               writes the contract to the file, to be committed
       schema check [--locked]   compares the contract with the file

Ends with 0 if programs that were built from the file still fit, with 1 if some do not, and with 2
if that cannot be said.

  --file PATH   the locked contract [sente.lock.json in the package]
  --locked      the file must also be up to date: end with 1 where `lock` would change it
  --help        shows this
";

const HELP_OF_FILES: &str = "\
Usage: sente-schema compare OLD NEW   compares two locked contracts
       sente-schema print FILE        a locked contract, as people read it

Ends with 0 if programs of OLD fit those of NEW, with 1 if some events do not, and with 2 if that
cannot be said. The contract's own package writes such files: see the documentation of the crate.
";

/// The program of one contract: prints it, locks it, and checks it.
///
/// ```no_run
/// # #[sente::events] pub enum Chat { #[to_server] Post { text: String } }
/// fn main() -> std::process::ExitCode {
///     sente_schema::Command::new().namespace::<Chat>().run()
/// }
/// ```
///
/// Run without arguments it says how it is used.
#[derive(Debug, Default)]
#[must_use = "it does something when it is run"]
pub struct Command {
    contract: ContractBuilder,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Usage(#[from] lexopt::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("cannot write `{}`: {error}", path.display())]
    Write {
        path: PathBuf,
        error: std::io::Error,
    },
}

impl Command {
    /// A program of no namespace yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the namespace that is the enum `E`.
    pub fn namespace<E: Events>(mut self) -> Self {
        self.contract = self.contract.namespace::<E>();
        self
    }

    /// Does what the program's arguments say.
    #[must_use]
    pub fn run(self) -> ExitCode {
        self.run_with(std::env::args_os().skip(1))
    }

    /// Does what these arguments say.
    #[must_use]
    pub fn run_with(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        conclude(self.execute(Parser::from_args(arguments)), HELP)
    }

    fn execute(self, mut arguments: Parser) -> Result<Option<ExitCode>, Failure> {
        let (mut word, mut file, mut locked) = (None, None, false);
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Value(value) if word.is_none() => word = Some(value),
                Arg::Long("file") => file = Some(PathBuf::from(arguments.value()?)),
                Arg::Long("locked") => locked = true,
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        let contract = self.contract.build();
        let file = file.unwrap_or_else(lock_file);
        match word.as_ref().and_then(|word| word.to_str()) {
            Some("print") => say(&contract.to_string()),
            Some("json") => say(&contract.to_json()),
            Some("lock") => {
                fs::write(&file, contract.to_json()).map_err(|error| Failure::Write {
                    path: file.clone(),
                    error,
                })?;
                say(&format!("locked in {}\n", file.display()));
            }
            Some("check") => return check(&contract, &file, locked).map(Some),
            Some(other) => {
                return Err(Failure::Usage(
                    format!("`{other}` means nothing here").into(),
                ));
            }
            None => return Ok(None),
        }
        Ok(Some(ExitCode::SUCCESS))
    }
}

/// Beside the package's manifest where cargo runs the program, and where one stands otherwise.
fn lock_file() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package.unwrap_or_default().join(LOCK_FILE)
}

fn check(contract: &Contract, file: &Path, locked: bool) -> Result<ExitCode, Failure> {
    let before = Contract::read(file)?;
    let comparison = compare(&before, contract);
    say(&comparison.to_string());
    if comparison.is_breaking() {
        say(
            "\nPrograms that were built from the locked contract no longer fit. Put a new event beside\n\
             the old one, or give a new field `#[default]`. If none of those programs is left, `lock`\n\
             accepts the change.\n",
        );
        return Ok(ExitCode::FAILURE);
    }
    if before.to_json() == contract.to_json() {
        say("the contract is as it was locked\n");
    } else {
        say("all that was locked still fits; `lock` takes the changes in\n");
        if locked {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The program without a contract of its own: it reads files.
#[must_use]
pub fn of_files(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let execute = |mut arguments: Parser| -> Result<Option<ExitCode>, Failure> {
        let mut words = Vec::new();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Value(value) => words.push(value),
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        match &words[..] {
            [word, old, new] if word == "compare" => {
                let comparison = compare(&Contract::read(old)?, &Contract::read(new)?);
                say(&comparison.to_string());
                Ok(Some(code_of(&comparison)))
            }
            [word, file] if word == "print" => {
                say(&Contract::read(file)?.to_string());
                Ok(Some(ExitCode::SUCCESS))
            }
            [] => Ok(None),
            _ => Err(Failure::Usage("these arguments mean nothing here".into())),
        }
    };
    conclude(execute(Parser::from_args(arguments)), HELP_OF_FILES)
}

fn code_of(comparison: &Comparison) -> ExitCode {
    if comparison.is_breaking() {
        ExitCode::FAILURE
    } else {
        if comparison.changes.is_empty() {
            say("both are the same\n");
        }
        ExitCode::SUCCESS
    }
}

/// Prints. Whoever reads it may have read enough.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn conclude(outcome: Result<Option<ExitCode>, Failure>, help: &str) -> ExitCode {
    match outcome {
        Ok(Some(code)) => code,
        Ok(None) => {
            say(help);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            if matches!(failure, Failure::Usage(_)) {
                eprint!("\n{help}");
            }
            ExitCode::from(2)
        }
    }
}
