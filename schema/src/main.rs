//! `sente-schema`: compares two locked contracts.

use std::process::ExitCode;

fn main() -> ExitCode {
    sente_schema::of_files(std::env::args_os().skip(1))
}
