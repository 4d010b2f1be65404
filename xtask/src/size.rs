//! `cargo xtask size`: how large pages are that use the client, and whether they grow.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Context, Failure, Result, root};
use crate::tools::NODE;
use crate::wasm::{self, Profile};
use crate::{page, parts};

pub(crate) const HELP: &str = "\
Usage: cargo xtask size [--parts | --update]

Builds pages as they are served and prints the size of what they load, in bytes: as it is, and
compressed as servers do:

  plain-page   the smallest client: one enum, connect, one call, the default codec alone
  chat-web     the chat's page, all of its files together

Fails if one is more than 5 % larger, by brotli, than xtask/sizes.txt says. --update writes that
file. --parts prints instead whose code the module of plain-page is, before it is compressed.
";

/// How much a page may grow before somebody has to look, in parts of a hundred.
const MORE: u64 = 5;

/// Prints the sizes of a file: as it is, by gzip and by brotli. Node has both.
const COMPRESS: &str = "\
const fs = require('fs'), z = require('zlib');
const file = fs.readFileSync(process.argv[1]);
const params = { [z.constants.BROTLI_PARAM_QUALITY]: 11 };
console.log(file.length, z.gzipSync(file, { level: 9 }).length, z.brotliCompressSync(file, { params }).length);";

pub(crate) fn run(arguments: &[String]) -> Result {
    let updates = match arguments {
        [] => false,
        [update] if update == "--update" => true,
        [parts] if parts == "--parts" => return print_parts(),
        _ => {
            return Err(Failure::because(
                "see `cargo xtask size --help` for its arguments",
            ));
        }
    };
    NODE.ensure()?;
    let pages = [
        (
            "plain-page",
            wasm::build("plain-page", Profile::Web)?.directory,
        ),
        ("chat-web", page::build(Profile::Web)?),
    ];
    println!("\n{:<22} {:>9} {:>9} {:>9}", "", "raw", "gzip", "brotli");
    let mut now = Vec::new();
    for (page, directory) in pages {
        let files = files(&directory)?;
        let all = files
            .iter()
            .fold(Sizes::default(), |all, (_, one)| all + *one);
        println!("{page:<22} {all}");
        for (file, sizes) in files {
            println!("  {file:<20} {sizes}");
        }
        now.push((page.to_owned(), all.brotli));
    }
    if updates {
        return write(&now);
    }
    let known = fs::read_to_string(path()).context(format!("cannot read {}", path().display()))?;
    let grown = grown(&now, &parse(&known));
    if grown.is_empty() {
        return Ok(());
    }
    Err(Failure::because(format!(
        "{}\nLook for what makes it larger; if that is worth it, `cargo xtask size --update`.",
        grown.join("\n")
    )))
}

fn print_parts() -> Result {
    const PAGE: &str = "plain-page";
    NODE.ensure()?;
    wasm::build(PAGE, Profile::Web)?;
    let module = wasm::with_names(PAGE)?;
    let bytes = fs::read(&module).context(format!("cannot read {}", module.display()))?;
    println!();
    for (part, size) in parts::of(&bytes)? {
        println!("{size:>9}  {part}");
    }
    Ok(())
}

/// What a page loads, by name.
fn files(directory: &Path) -> Result<Vec<(String, Sizes)>> {
    let unreadable = || format!("cannot read {}", directory.display());
    let mut files = Vec::new();
    for file in fs::read_dir(directory).context(unreadable())? {
        let file = file.context(unreadable())?;
        let name = file.file_name().to_string_lossy().into_owned();
        files.push((name, Sizes::of(&file.path())?));
    }
    files.sort_by_key(|(_, sizes)| std::cmp::Reverse(sizes.brotli));
    Ok(files)
}

/// The sizes of a file, or of several, in bytes.
#[derive(Clone, Copy, Default)]
struct Sizes {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl Sizes {
    fn of(file: &Path) -> Result<Self> {
        let output = Command::new("node")
            .args(["-e", COMPRESS])
            .arg(file)
            .output()
            .context("cannot start node")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().map(str::parse);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(raw)), Some(Ok(gzip)), Some(Ok(brotli))) => Ok(Self { raw, gzip, brotli }),
            _ => Err(Failure::because(format!(
                "node cannot compress {}: {}",
                file.display(),
                String::from_utf8_lossy(&output.stderr)
            ))),
        }
    }
}

impl std::ops::Add for Sizes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            raw: self.raw + other.raw,
            gzip: self.gzip + other.gzip,
            brotli: self.brotli + other.brotli,
        }
    }
}

impl std::fmt::Display for Sizes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { raw, gzip, brotli } = self;
        write!(f, "{raw:>9} {gzip:>9} {brotli:>9}")
    }
}

/// Where the sizes are kept.
fn path() -> PathBuf {
    root().join("xtask/sizes.txt")
}

fn write(sizes: &[(String, u64)]) -> Result {
    let mut text = String::from("# Bytes by brotli that each page loads: `cargo xtask size`.\n");
    for (page, size) in sizes {
        text += &format!("{page} {size}\n");
    }
    fs::write(path(), text).context(format!("cannot write {}", path().display()))
}

fn parse(text: &str) -> Vec<(String, u64)> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(page, size)| Some((page.to_owned(), size.parse().ok()?)))
        .collect()
}

/// What has grown too much, in words.
fn grown(now: &[(String, u64)], known: &[(String, u64)]) -> Vec<String> {
    let mut grown = Vec::new();
    for (page, size) in now {
        match known.iter().find(|(known, _)| known == page) {
            Some((_, before)) if size * 100 > before * (100 + MORE) => grown.push(format!(
                "{page} has grown from {before} to {size} bytes, by more than {MORE} %."
            )),
            Some(_) => {}
            None => grown.push(format!("xtask/sizes.txt does not say how large {page} is.")),
        }
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_grow_a_little() {
        let known = parse("# sizes\nplain-page 1000\n");
        let now = |size| [("plain-page".to_owned(), size)];
        assert!(grown(&now(900), &known).is_empty());
        assert!(grown(&now(1050), &known).is_empty());
        assert_eq!(grown(&now(1051), &known).len(), 1);
        assert_eq!(grown(&[("other".to_owned(), 1)], &known).len(), 1);
    }
}
