//! Names: of events on the wire, of methods in Rust, and what a misspelt one was meant to be.

use proc_macro2::{Ident, Span};

/// `PostLine` as `post_line`. A run of capitals is one word: `HTTPError` is `http_error`.
pub(crate) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        if letter.is_uppercase() && at > 0 {
            let before = letters[at - 1];
            let word_ends = before.is_lowercase() || before.is_numeric();
            let word_starts = before.is_uppercase()
                && letters
                    .get(at + 1)
                    .is_some_and(|after| after.is_lowercase());
            if word_ends || word_starts {
                snake.push('_');
            }
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Why a name cannot be that of a namespace or an event; `None` if it can.
pub(crate) fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a name cannot be empty".into());
    }
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let stranger = name.chars().find(|c| !allowed(c))?;
    Some(format!(
        "`{stranger}` cannot be in a name: use ASCII letters, digits, `_`, `-` and `.`"
    ))
}

/// The method of a variant, as a raw identifier where it would be a keyword. `None` for the four
/// words that cannot even be raw.
pub(crate) fn method(name: &str, span: Span) -> Option<Ident> {
    match name {
        "self" | "super" | "crate" | "_" => None,
        _ if KEYWORDS.contains(&name) => Some(Ident::new_raw(name, span)),
        _ => Some(Ident::new(name, span)),
    }
}

/// The keywords of every edition, because the expansion is read in the edition of its user.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// The known name that a misspelt one is close to.
pub(crate) fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, nearest) = known
        .iter()
        .map(|known| (distance(name, known), *known))
        .min()?;
    (distance <= 2 && distance * 2 < nearest.len()).then_some(nearest)
}

/// How many letters have to be inserted, removed or replaced to get from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in to.chars().enumerate() {
            let replaced = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_become_snake_case() {
        for (name, expected) in [
            ("Post", "post"),
            ("PostLine", "post_line"),
            ("HTTPError", "http_error"),
            ("Room2Door", "room2_door"),
            ("Foo_Bar", "foo_bar"),
            ("X", "x"),
            ("AB", "ab"),
            ("Größe", "größe"),
        ] {
            assert_eq!(snake_case(name), expected);
        }
    }

    #[test]
    fn names_have_few_letters() {
        assert_eq!(fault("chat-v2.post_line"), None);
        assert!(fault("").is_some_and(|fault| fault.contains("empty")));
        assert!(fault("chat/post").is_some_and(|fault| fault.starts_with("`/` cannot")));
        assert!(fault("größe").is_some_and(|fault| fault.starts_with("`ö` cannot")));
    }

    #[test]
    fn keywords_become_raw_methods() {
        let method = |name| method(name, Span::call_site()).map(|ident| ident.to_string());
        assert_eq!(method("post").as_deref(), Some("post"));
        assert_eq!(method("type").as_deref(), Some("r#type"));
        assert_eq!(method("gen").as_deref(), Some("r#gen"));
        assert_eq!(method("super"), None);
    }

    #[test]
    fn close_names_are_suggested_and_far_ones_are_not() {
        let known = ["reply", "error", "timeout", "delivery"];
        assert_eq!(meant("tmeout", &known), Some("timeout"));
        assert_eq!(meant("repyl", &known), Some("reply"));
        assert_eq!(meant("deadline", &known), None);
        assert_eq!(meant("to", &known), None);
    }
}
