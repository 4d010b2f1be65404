//! Contracts of sente as text: printed, locked in a file that is committed, and compared before a
//! deploy.
//!
//! The handshake finds out which events still fit between two programs. This crate says so before
//! either of them runs. A contract's crate has a small program of its own, for instance
//! `examples/schema.rs`:
//!
//! ```no_run
//! #[sente::events]
//! pub enum Chat {
//!     #[to_server]
//!     Post { room: String, text: String },
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     sente_schema::Command::new().namespace::<Chat>().run()
//! }
//! ```
//!
//! `cargo run --example schema -- lock` writes the file `sente.lock.json`, and `-- check`
//! fails where the contract no longer fits programs that were built from it. Those who prefer a test
//! to a program compare with [`Contract::read`] and [`compare`].
//!
//! The program `sente-schema` compares two such files, for instance of two releases.
//!
//! # Layout
//! * [`Contract`]: a contract as text, read from an enum or from a file
//! * [`compare`] and [`Comparison`]: what has changed, and what that breaks
//! * [`Command`]: the program

mod command;
mod compare;
mod contract;
mod print;
mod types;

pub use command::{Command, of_files};
pub use compare::{Change, Comparison, Verdict, compare};
pub use contract::{
    Contract, ContractBuilder, Event, Field, LOCK_FILE, Namespace, ReadError, Sent, Typed, VERSION,
};
pub use types::{Definition, Kind};
