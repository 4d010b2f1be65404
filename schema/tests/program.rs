//! The programs: what they print, and how they end.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use sente_schema::Contract;

mod before {
    #[sente::events]
    pub(crate) enum Chat {
        #[to_server]
        Post { text: String },
    }
}

mod grown {
    #[sente::events]
    pub(crate) enum Chat {
        #[to_server]
        Post { text: String },
        #[to_server]
        Leave,
    }
}

mod broken {
    #[sente::events]
    pub(crate) enum Chat {
        #[to_server]
        Post { text: u8 },
    }
}

/// A directory of a test's own, which is removed with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn file<E: sente::Events>(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, Contract::of::<E>().to_json()).expect("a file");
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run<E: sente::Events>(word: &str, file: &Path, more: &[&str]) -> ExitCode {
    let mut arguments: Vec<OsString> = vec![word.into(), "--file".into(), file.into()];
    arguments.extend(more.iter().map(Into::into));
    sente_schema::Command::new()
        .namespace::<E>()
        .run_with(arguments)
}

#[test]
fn a_contract_is_locked_and_checked() {
    let directory = Directory::new("locked");
    let file = directory.0.join("lock.json");
    let (fits, broken, unknown) = (ExitCode::SUCCESS, ExitCode::FAILURE, ExitCode::from(2));
    assert_eq!(
        run::<before::Chat>("check", &file, &[]),
        unknown,
        "there is no file"
    );
    assert_eq!(run::<before::Chat>("lock", &file, &[]), fits);
    assert_eq!(run::<before::Chat>("check", &file, &["--locked"]), fits);
    assert_eq!(run::<grown::Chat>("check", &file, &[]), fits);
    assert_eq!(run::<grown::Chat>("check", &file, &["--locked"]), broken);
    assert_eq!(run::<broken::Chat>("check", &file, &[]), broken);
    assert_eq!(run::<broken::Chat>("lock", &file, &[]), fits);
    assert_eq!(run::<broken::Chat>("check", &file, &[]), fits);
    assert_eq!(run::<broken::Chat>("chek", &file, &[]), unknown);
}

fn sente_schema(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sente-schema"))
        .args(arguments)
        .output()
        .expect("the program runs")
}

#[test]
fn two_files_are_compared() {
    let directory = Directory::new("compared");
    let before = directory.file::<before::Chat>("before.json");
    let grown = directory.file::<grown::Chat>("grown.json");
    let broken = directory.file::<broken::Chat>("broken.json");
    let compare = Path::new("compare");

    let output = sente_schema(&[compare, &before, &grown]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(text, "new        chat/leave\n           `leave()` is new\n");

    let output = sente_schema(&[compare, &before, &broken]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        text,
        "BREAKING   chat/post\n           field 1, `text`, was `String` and is `u8` now\n"
    );

    let output = sente_schema(&[compare, &before, &before]);
    assert_eq!(output.status.code(), Some(0));

    let output = sente_schema(&[compare, &before, &directory.0.join("nowhere.json")]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.contains("nowhere.json"), "{text}");
}
