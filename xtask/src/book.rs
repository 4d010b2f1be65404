//! `cargo xtask book`: builds the book, after checking what mdbook itself lets pass.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::markdown::{Block, anchors, blocks, links};
use crate::process::{Context, Failure, Result, expect_none, root, run as run_command};
use crate::promises;
use crate::tools::MDBOOK;

pub(crate) const HELP: &str = "\
Usage: cargo xtask book

Checks the book and builds it into book/build; open book/build/index.html.

What is checked: every Rust sample is included from code that the tests compile; every included
file and anchor is there; every page is in SUMMARY.md; every relative link, in the book and in
the pages at the root of the repository, leads somewhere; what the tables of promises name is there.
";

pub(crate) fn run(arguments: &[String]) -> Result {
    expect_none(arguments, "book")?;
    let mut problems = check(&root().join("book/src"))?;
    problems.extend(promises::check()?);
    for page in pages(&root(), false)? {
        check_links(&Page::read(page)?, &mut problems);
    }
    if !problems.is_empty() {
        return Err(Failure::because(format!(
            "the book is not in order\n  {}",
            problems.join("\n  ")
        )));
    }
    let mdbook = MDBOOK.ensure()?;
    run_command(
        Command::new(mdbook)
            .args(["build", "book"])
            .current_dir(root()),
    )?;
    eprintln!("\nThe book is in book/build/index.html.");
    Ok(())
}

struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: PathBuf) -> Result<Self> {
        let text = read(&path)?;
        Ok(Self { path, text })
    }

    /// A problem of this page, as `path:line: what`.
    fn problem(&self, line: usize, what: &str) -> String {
        let path = self.path.strip_prefix(root()).unwrap_or(&self.path);
        format!("{}:{line}: {what}", path.display())
    }

    /// The file that a path in this page means.
    fn beside(&self, path: &str) -> PathBuf {
        match path {
            "" => self.path.clone(),
            path => self.path.with_file_name("").join(path),
        }
    }
}

/// What is wrong with the book whose sources are in `source`, a line each.
fn check(source: &Path) -> Result<Vec<String>> {
    let summary = Page::read(source.join("SUMMARY.md"))?;
    let listed: Vec<PathBuf> = links(&summary.text)
        .iter()
        .map(|link| summary.beside(link.path))
        .collect();
    let mut problems = Vec::new();
    check_links(&summary, &mut problems);
    for path in pages(source, true)? {
        if path == summary.path {
            continue;
        }
        let page = Page::read(path)?;
        if !listed.contains(&page.path) {
            problems.push(page.problem(1, "this page is not in SUMMARY.md"));
        }
        check_links(&page, &mut problems);
        check_includes(&page, &mut problems);
        for block in blocks(&page.text) {
            if block.is_rust() && !is_included(&block) {
                problems.push(page.problem(
                    block.line,
                    "a Rust sample has to be an {{#include file.rs:anchor}} of compiled code, \
                     or a `text` block if it cannot compile",
                ));
            }
        }
    }
    Ok(problems)
}

fn check_links(page: &Page, problems: &mut Vec<String>) {
    for link in links(&page.text) {
        let target = page.beside(link.path);
        if !target.exists() {
            problems.push(page.problem(link.line, &format!("there is no {}", link.path)));
        } else if let Some(fragment) = link.fragment
            && target.extension().is_some_and(|it| it == "md")
            && let Ok(text) = std::fs::read_to_string(&target)
            && !anchors(&text).iter().any(|anchor| anchor == fragment)
        {
            let what = format!("there is no heading #{fragment} in {}", target.display());
            problems.push(page.problem(link.line, &what));
        }
    }
}

fn check_includes(page: &Page, problems: &mut Vec<String>) {
    for (at, line) in page.text.lines().enumerate() {
        let Some(include) = include(line) else {
            continue;
        };
        let (path, anchor) = include.split_once(':').unwrap_or((include, ""));
        let problem = match std::fs::read_to_string(page.beside(path)) {
            Err(error) => Some(format!("cannot include {path}: {error}")),
            Ok(text) => check_anchor(&text, anchor).map(|what| format!("{path}: {what}")),
        };
        problems.extend(problem.map(|what| page.problem(at + 1, &what)));
    }
}

/// What is wrong with including the part called `anchor` of `text`.
fn check_anchor(text: &str, anchor: &str) -> Option<String> {
    if anchor.is_empty() {
        return None;
    }
    if anchor.starts_with(|it: char| it.is_ascii_digit() || it == ':') {
        return Some("include by ANCHOR, not by line numbers, which move".to_owned());
    }
    let has = |mark: &str| {
        text.lines().any(|line| {
            line.split_once(mark)
                .is_some_and(|(_, name)| name.trim() == anchor)
        })
    };
    match (has("ANCHOR:"), has("ANCHOR_END:")) {
        (true, true) => None,
        (true, false) => Some(format!("`ANCHOR: {anchor}` has no `ANCHOR_END: {anchor}`")),
        (false, _) => Some(format!("there is no `ANCHOR: {anchor}`")),
    }
}

fn is_included(block: &Block<'_>) -> bool {
    let mut lines = block.lines.iter().filter(|line| !line.trim().is_empty());
    lines.all(|line| include(line).is_some())
}

/// What a line includes, if it does.
fn include(line: &str) -> Option<&str> {
    let line = line.trim();
    ["{{#include ", "{{#rustdoc_include "]
        .iter()
        .find_map(|start| line.strip_prefix(start))
        .and_then(|line| line.strip_suffix("}}"))
        .map(str::trim)
}

/// The Markdown files in a directory, and below it if `deep`, in a fixed order.
fn pages(directory: &Path, deep: bool) -> Result<Vec<PathBuf>> {
    let doing = || format!("cannot read {}", directory.display());
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(directory).context(doing())? {
        let path = entry.context(doing())?.path();
        if path.is_dir() && deep {
            pages.extend(self::pages(&path, deep)?);
        } else if path.extension().is_some_and(|it| it == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    Ok(pages)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).context(format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for one test, gone when the test ends.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str, files: &[(&str, &str)]) -> Self {
            let name = format!("sente-xtask-{}-{test}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&directory).unwrap();
            for (path, text) in files {
                std::fs::write(directory.join(path), text).unwrap();
            }
            Self(directory)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn problems(test: &str, page: &str) -> String {
        let scratch = Scratch::new(
            test,
            &[
                ("SUMMARY.md", "# Summary\n\n- [Page](page.md)\n"),
                ("page.md", page),
                (
                    "code.rs",
                    "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\n",
                ),
            ],
        );
        check(&scratch.0).unwrap().join("\n")
    }

    #[test]
    fn a_page_in_order_has_no_problems() {
        let page = "# Page\n## Part\n[here](#part) [there](page.md#page)\n\
                    ```rust\n{{#include code.rs:a}}\n```\n";
        assert_eq!(problems("order", page), "");
    }

    #[test]
    fn includes_need_their_file_and_their_whole_anchor() {
        let page = "{{#include gone.rs:a}}\n{{#include code.rs:c}}\n\
                    {{#include code.rs:b}}\n{{#include code.rs:1:2}}\n";
        let problems = problems("includes", page);
        for expected in [
            "page.md:1: cannot include gone.rs",
            "page.md:2: code.rs: there is no `ANCHOR: c`",
            "page.md:3: code.rs: `ANCHOR: b` has no `ANCHOR_END: b`",
            "page.md:4: code.rs: include by ANCHOR",
        ] {
            assert!(
                problems.contains(expected),
                "{expected}\nnot in\n{problems}"
            );
        }
    }

    #[test]
    fn links_need_their_page_and_heading() {
        let problems = problems("links", "# Page\n[a](gone.md)\n[b](#nothing)\n");
        assert!(
            problems.contains("page.md:2: there is no gone.md"),
            "{problems}"
        );
        assert!(
            problems.contains("page.md:3: there is no heading #nothing"),
            "{problems}"
        );
    }

    #[test]
    fn rust_samples_are_included_and_not_typed_in() {
        let problems = problems("samples", "```rust\nfn main() {}\n```\n");
        assert!(
            problems.contains("page.md:1: a Rust sample has to be"),
            "{problems}"
        );
    }

    #[test]
    fn a_page_that_is_not_in_the_summary_is_a_problem() {
        let scratch = Scratch::new(
            "orphan",
            &[("SUMMARY.md", "# Summary\n"), ("a.md", "# A\n")],
        );
        let problems = check(&scratch.0).unwrap().join("\n");
        assert!(
            problems.contains("a.md:1: this page is not in SUMMARY.md"),
            "{problems}"
        );
    }
}
