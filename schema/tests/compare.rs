//! What changes of a contract mean, and how they are told.

use std::collections::HashMap;

use sente_schema::{Change, Contract, Verdict, compare};
use serde::{Deserialize, Serialize};

/// The contract from which all others differ in one thing.
mod base {
    use super::*;

    #[derive(Deserialize, Serialize, sente::Schema)]
    pub(crate) struct Line {
        pub(crate) author: String,
        pub(crate) id: u64,
    }

    #[derive(Deserialize, Serialize, sente::Schema)]
    pub(crate) enum Refusal {
        Muted,
        TooLong { max: u32 },
    }

    #[derive(Deserialize, Serialize, sente::Schema)]
    pub(crate) struct Tree {
        pub(crate) children: Vec<Tree>,
        pub(crate) line: Line,
    }

    #[sente::events(handshake = Line)]
    pub(crate) enum Chat {
        #[to_server(reply = u64, error = Refusal, timeout = "5s")]
        Post { room: String, line: Line },
        #[to_server(delivery = latest)]
        Typing {
            #[key]
            room: String,
        },
        #[to_client]
        Posted {
            lines: Vec<Line>,
            tree: Option<Tree>,
        },
        #[to_client]
        Gone { room: String },
    }
}

/// A module with the base, but for what is given.
macro_rules! changed {
    ($name:ident, $($item:item)*) => {
        mod $name {
            #[allow(unused_imports)]
            use super::base::{Line, Refusal, Tree};
            #[allow(unused_imports)]
            use super::*;
            $($item)*
        }
    };
}

changed! {other_type,
    #[sente::events(handshake = Line)]
    pub(crate) enum Chat {
        #[to_server(reply = u64, error = Refusal, timeout = "5s")]
        Post { room: u32, line: Line },
        #[to_server(delivery = latest)]
        Typing { #[key] room: String },
        #[to_client]
        Posted { lines: Vec<Line>, tree: Option<Tree> },
        #[to_client]
        Gone { room: String },
    }
}

changed! {within,
    pub(crate) mod types {
        use super::*;

        #[derive(Deserialize, Serialize, sente::Schema)]
        pub(crate) struct Line {
            pub(crate) author: u32,
            pub(crate) id: u64,
        }

        #[derive(Deserialize, Serialize, sente::Schema)]
        pub(crate) struct Tree {
            pub(crate) children: Vec<Tree>,
            pub(crate) line: Line,
        }
    }

    #[sente::events(handshake = types::Line)]
    pub(crate) enum Chat {
        #[to_server(reply = u64, error = Refusal, timeout = "5s")]
        Post { room: String, line: types::Line },
        #[to_server(delivery = latest)]
        Typing { #[key] room: String },
        #[to_client]
        Posted { lines: Vec<types::Line>, tree: Option<types::Tree> },
        #[to_client]
        Gone { room: String },
    }
}

changed! {grown,
    /// With a comment, in another order, with other timeouts and classes, and more of everything
    /// that may be left out.
    #[sente::events(handshake = Line)]
    pub(crate) enum Chat {
        #[to_client]
        Gone { room: String, #[default] why: String },
        #[to_server]
        Typing { room: String },
        #[to_server(reply = u64, error = Refusal, timeout = "7s")]
        Post { room: String, line: Line },
        #[to_client]
        #[to_server]
        Posted { lines: Vec<Line>, tree: Option<Tree> },
        #[to_server]
        Leave,
    }
}

changed! {broken,
    #[derive(Deserialize, Serialize, sente::Schema)]
    pub(crate) enum Other {
        TooLong { max: u32 },
        Muted,
    }

    #[sente::events]
    pub(crate) enum Chat {
        #[to_server(reply = u64, error = Other, timeout = "5s")]
        Post { channel: String, line: Line },
        #[to_client]
        Typing { room: String },
        #[to_client]
        Posted { lines: Vec<Line>, tree: Option<Tree>, loud: bool },
    }
}

fn changes_of<E: sente::Events>() -> HashMap<String, Change> {
    let comparison = compare(&Contract::of::<base::Chat>(), &Contract::of::<E>());
    let changes = comparison.changes.into_iter();
    changes
        .map(|change| (change.name.clone(), change))
        .collect()
}

#[track_caller]
fn assert_change(change: Option<&Change>, verdict: Verdict, reasons: &[&str]) {
    let change = change.expect("it has changed");
    assert_eq!(change.verdict, verdict);
    assert_eq!(change.reasons, reasons);
}

#[test]
fn nothing_has_changed_between_a_contract_and_itself() {
    let contract = Contract::of::<base::Chat>();
    let comparison = compare(&contract, &contract);
    assert_eq!(comparison.verdict(), None);
    let read = Contract::parse(&contract.to_json()).expect("what was written is read");
    assert_eq!(compare(&contract, &read).verdict(), None);
    assert_eq!(read.to_json(), contract.to_json());
}

#[test]
fn another_type_breaks_its_event_alone() {
    let changes = changes_of::<other_type::Chat>();
    assert_eq!(changes.len(), 1);
    assert_change(
        changes.get("chat/post"),
        Verdict::Breaking,
        &["field 1, `room`, was `String` and is `u32` now"],
    );
    let place = changes["chat/post"].place.as_deref().expect("it is known");
    let (file, line) = place.rsplit_once(':').expect("file and line");
    assert!(file.ends_with("compare.rs"), "{file}");
    let line: usize = line.parse().expect("a number");
    let source = include_str!("compare.rs").lines().nth(line - 1);
    assert_eq!(
        source.map(str::trim),
        Some("Post { room: u32, line: Line },")
    );
}

#[test]
fn what_changed_within_a_type_is_found() {
    let changes = changes_of::<within::Chat>();
    for (name, reasons) in [
        (
            "chat",
            &["the handshake: in `Line`, `author: String` became `author: u32`"][..],
        ),
        (
            "chat/post",
            &["field 2, `line`: in `Line`, `author: String` became `author: u32`"],
        ),
        (
            "chat/posted",
            &[
                "field 1, `lines`: in `Line`, `author: String` became `author: u32`",
                "field 2, `tree`: in `Line`, `author: String` became `author: u32`",
            ],
        ),
    ] {
        assert_change(changes.get(name), Verdict::Breaking, reasons);
    }
    assert_eq!(changes.len(), 3);
}

#[test]
fn what_may_grow_breaks_nothing() {
    let changes = changes_of::<grown::Chat>();
    assert_change(
        changes.get("chat/gone"),
        Verdict::Compatible,
        &["field 2, `why: String`, was added with `#[default]`"],
    );
    assert_change(
        changes.get("chat/typing"),
        Verdict::Compatible,
        &[
            "sent by clients, it was `latest` and is `reliable` now",
            "field 1, `room`, is no longer a `#[key]`",
        ],
    );
    assert_change(
        changes.get("chat/post"),
        Verdict::Compatible,
        &["sent by clients, it has another timeout"],
    );
    assert_change(
        changes.get("chat/posted"),
        Verdict::New,
        &["clients send it, too"],
    );
    assert_change(
        changes.get("chat/leave"),
        Verdict::New,
        &["`leave()` is new"],
    );
    assert_eq!(changes.len(), 5);
}

#[test]
fn what_old_programs_rely_on_must_stay() {
    let changes = changes_of::<broken::Chat>();
    assert_change(
        changes.get("chat"),
        Verdict::Breaking,
        &["the handshake, `Line`, was removed"],
    );
    assert_change(
        changes.get("chat/post"),
        Verdict::Breaking,
        &[
            "field 1 was called `room` and is called `channel` now",
            "the error was `Refusal` and is `Other` now",
        ],
    );
    assert_change(
        changes.get("chat/typing"),
        Verdict::Breaking,
        &[
            "clients no longer send it",
            "servers send it, too",
            "field 1, `room`, is no longer a `#[key]`",
        ],
    );
    assert_change(
        changes.get("chat/posted"),
        Verdict::Breaking,
        &["field 3, `loud: bool`, was added without `#[default]`"],
    );
    assert_change(
        changes.get("chat/gone"),
        Verdict::Breaking,
        &["`gone(room: String)` was removed"],
    );
    assert_eq!(changes.len(), 5);
}

/// What the book shows is what is printed.
#[test]
fn contracts_and_changes_are_printed_as_shown() {
    let base = Contract::of::<base::Chat>();
    assert_eq!(base.to_string(), include_str!("shown/print.txt"));
    // From a file, as `sente-schema compare` has it: without the lines of the source.
    let broken = Contract::parse(&Contract::of::<broken::Chat>().to_json());
    let comparison = compare(&base, &broken.expect("what was written is read"));
    assert_eq!(comparison.to_string(), include_str!("shown/compare.txt"));
}

#[test]
fn a_file_of_something_else_is_no_contract() {
    let error = Contract::parse(r#"{"sente_schema": 99}"#).expect_err("another form");
    assert!(error.to_string().contains("form 99"), "{error}");
    let error = Contract::parse("{}").expect_err("no contract");
    assert!(error.to_string().contains("lock"), "{error}");
}
