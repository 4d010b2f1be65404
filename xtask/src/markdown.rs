//! As much of Markdown as the checks of the book and of the README need.

use std::collections::HashMap;

/// A fenced block of code.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Block<'a> {
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
    /// What follows the opening fence, for instance `rust,ignore`.
    pub(crate) info: &'a str,
    /// The comment above it, without `<!--` and `-->`, if there is one.
    pub(crate) comment: Option<&'a str>,
    /// The lines between the fences.
    pub(crate) lines: Vec<&'a str>,
}

impl Block<'_> {
    /// Whether the block is shown as Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.info.split([',', ' ']).next() == Some("rust")
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// A link to a place in the same repository or page.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Link<'a> {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// The path before `#`; empty for a place in the same page.
    pub(crate) path: &'a str,
    /// What follows `#`.
    pub(crate) fragment: Option<&'a str>,
}

/// The fenced blocks of a page.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut comment = None;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if let Some(fence) = fence(line) {
            let body = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| !closes(line.trim(), fence));
            blocks.push(Block {
                line: at + 1,
                info: line[fence.len()..].trim(),
                comment: comment.take(),
                lines: body.collect(),
            });
        } else if !line.is_empty() {
            comment = line
                .strip_prefix("<!--")
                .and_then(|line| line.strip_suffix("-->"))
                .map(str::trim);
        }
    }
    blocks
}

/// The relative links of a page, `[text](target)` and `[name]: target`, outside of code.
pub(crate) fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for (at, line) in prose(text) {
        let mut rest = line;
        while let Some(start) = rest.find("](") {
            let before = &rest[..start];
            rest = &rest[start + 2..];
            let in_code = before.matches('`').count() % 2 == 1;
            if let Some(end) = rest.find(')').filter(|_| !in_code) {
                links.extend(link(at, &rest[..end]));
            }
        }
        if let Some((_, target)) = line.split_once("]: ").filter(|_| line.starts_with('[')) {
            links.extend(link(at, target));
        }
    }
    links
}

/// The names that a page's headings can be linked by.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut anchors = Vec::new();
    let mut seen = HashMap::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter_map(|it| match it {
                ' ' => Some('-'),
                it if it.is_alphanumeric() || it == '-' || it == '_' => Some(it),
                _ => None,
            })
            .collect();
        let before = seen.entry(anchor.clone()).or_insert(0);
        anchors.push(match *before {
            0 => anchor,
            before => format!("{anchor}-{before}"),
        });
        *before += 1;
    }
    anchors
}

/// The lines that are not in a fenced block, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut open: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let trimmed = line.trim();
        match open {
            Some(fence) => {
                if closes(trimmed, fence) {
                    open = None;
                }
                None
            }
            None => {
                open = fence(trimmed);
                open.is_none().then_some((at + 1, line))
            }
        }
    })
}

fn fence(line: &str) -> Option<&str> {
    let marks = line.len() - line.trim_start_matches('`').len();
    (marks >= 3).then(|| &line[..marks])
}

fn closes(line: &str, fence: &str) -> bool {
    line.len() >= fence.len() && line.chars().all(|it| it == '`')
}

fn link(line: usize, target: &str) -> Option<Link<'_>> {
    let target = target.split_whitespace().next()?;
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, fragment) = match target.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (target, None),
    };
    Some(Link {
        line,
        path,
        fragment,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# A title, with `code`

See [one](one.md), [two](two.md#part) and [three](https://example.org/).
Not `[this](code.md)`.

<!-- file: a/src/lib.rs -->

```rust
let link = \"[no](link.md)\";
```

## Again
````text
```
````
## Again
[ref]: ref.md
";

    #[test]
    fn blocks_carry_the_comment_above_them() {
        let blocks = blocks(PAGE);
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].line, 8);
        assert_eq!(blocks[0].comment, Some("file: a/src/lib.rs"));
        assert!(blocks[0].is_rust());
        assert_eq!(blocks[0].text(), "let link = \"[no](link.md)\";\n");
        assert_eq!(blocks[1].comment, None);
        assert_eq!(blocks[1].lines, ["```"]);
    }

    #[test]
    fn links_are_found_outside_of_code() {
        let links = links(PAGE);
        let found: Vec<_> = links
            .iter()
            .map(|it| (it.line, it.path, it.fragment))
            .collect();
        assert_eq!(
            found,
            [
                (3, "one.md", None),
                (3, "two.md", Some("part")),
                (17, "ref.md", None)
            ]
        );
    }

    #[test]
    fn headings_give_the_anchors_that_mdbook_gives() {
        assert_eq!(anchors(PAGE), ["a-title-with-code", "again", "again-1"]);
    }
}
