//! The tables of the book that say for each promise which tests fail without it: read, and held to
//! what there is.

use std::path::Path;

use crate::mutants;
use crate::process::{Context, Result, root};

/// A line of the table of mutations.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Row {
    /// What is done wrong.
    pub(crate) mutation: String,
    /// The tests of the machine that notice.
    pub(crate) tests: Vec<String>,
}

/// The page with the tables.
const PAGE: &str = "book/src/delivery.md";
/// The first words of their heads.
const MUTATIONS: &str = "| what is promised | done wrong |";
const TESTS: &str = "| what is promised | with sockets |";

/// The table of mutations.
pub(crate) fn table() -> Result<Vec<Row>> {
    let page = std::fs::read_to_string(root().join(PAGE)).context(PAGE)?;
    Ok(rows(&page))
}

fn rows(page: &str) -> Vec<Row> {
    let row = |line: &str| {
        let mut cells = cells(line).skip(1);
        Some(Row {
            mutation: names(cells.next()?).next()?.to_owned(),
            tests: names(cells.next()?).map(str::to_owned).collect(),
        })
    };
    lines(page, MUTATIONS).filter_map(row).collect()
}

/// What is wrong with the tables: mutations that are in none, or that there are not, and tests that
/// there are not.
pub(crate) fn check() -> Result<Vec<String>> {
    let page = std::fs::read_to_string(root().join(PAGE)).context(PAGE)?;
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).context("Cargo.toml")?;
    let listed = mutants::listed(&manifest);
    let rows = rows(&page);
    let mut problems = Vec::new();
    if rows.is_empty() || lines(&page, TESTS).next().is_none() {
        problems.push(format!(
            "{PAGE}: a table of what fails without each promise is missing"
        ));
    }
    for mutation in &listed {
        if !rows.iter().any(|row| row.mutation == *mutation) {
            problems.push(format!("{PAGE}: the mutation `{mutation}` is in no table"));
        }
    }
    for row in &rows {
        if !listed.contains(&row.mutation) {
            problems.push(format!("{PAGE}: there is no mutation `{}`", row.mutation));
        }
    }
    let with_sockets = lines(&page, TESTS)
        .filter_map(|line| cells(line).nth(1))
        .flat_map(|tests| names(tests).map(str::to_owned));
    let named = rows.iter().flat_map(|row| row.tests.clone());
    let sources = sources()?;
    for test in named.chain(with_sockets) {
        if !sources.contains(&format!("fn {test}(")) {
            problems.push(format!("{PAGE}: there is no test `{test}`"));
        }
    }
    Ok(problems)
}

/// The lines of the table with that head.
fn lines<'a>(page: &'a str, head: &'a str) -> impl Iterator<Item = &'a str> {
    let mut lines = page.lines();
    lines.by_ref().find(|line| line.starts_with(head));
    lines.skip(1).take_while(|line| line.starts_with('|'))
}

/// The cells of a line.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split('|').skip(1).map(str::trim)
}

/// What stands between backticks.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// All Rust code where tests may be.
fn sources() -> Result<String> {
    let mut text = String::new();
    for directory in ["runtime", "client", "e2e", "macros", "examples"] {
        read_all(&root().join(directory), &mut text)?;
    }
    Ok(text)
}

pub(crate) fn read_all(directory: &Path, text: &mut String) -> Result {
    let entries = std::fs::read_dir(directory).context(directory.display())?;
    for entry in entries {
        let path = entry.context(directory.display())?.path();
        if path.is_dir() {
            read_all(&path, text)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            *text += &std::fs::read_to_string(&path).context(path.display())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_mutations_is_read() {
        let page = "text\n\n| what is promised | done wrong | then fail |\n|---|---|---|\n\
                    | order | `send-newest-first`: the last first | `a_test`, `b_test` |\n\ntext\n";
        let row = Row {
            mutation: "send-newest-first".to_owned(),
            tests: vec!["a_test".to_owned(), "b_test".to_owned()],
        };
        assert_eq!(rows(page), [row]);
    }

    #[test]
    fn the_tables_of_the_book_name_what_there_is() {
        assert_eq!(check().unwrap(), Vec::<String>::new());
    }
}
