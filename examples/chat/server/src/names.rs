//! What people and rooms may be called.

const MAX: usize = 20;

/// Whether a person or a room may have this name: short, and nothing in it that a terminal or a
/// reader could take for something else.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX).contains(&name.chars().count())
        && name
            .chars()
            .all(|it| it.is_alphanumeric() || matches!(it, '-' | '_'))
}

/// The text without what a terminal would obey, and without space around it.
pub(crate) fn clean(text: &str) -> String {
    text.trim()
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_words() {
        for good in ["a", "ann", "Jürgen", "r2-d2", "x_y", "いろは"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "a\x1b[2J", "#lobby", &"x".repeat(21)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn terminals_are_not_commanded() {
        assert_eq!(clean("  hi\x1b[2J\nthere "), "hi [2J there");
    }
}
