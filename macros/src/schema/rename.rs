//! Serde's rules for names: `rename` and `rename_all`.

use proc_macro2::Ident;
use syn::LitStr;
use syn::ext::IdentExt;

use super::attr::{Item, Serde};
use crate::errors::Errors;

/// What a `rename_all` makes of names.
#[derive(Clone, Default)]
pub(super) struct Rules(Option<Case>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Rules {
    pub(super) fn of(serde: &Serde, name: &str, errors: &mut Errors) -> Self {
        let literal = serde.get(name).and_then(|item| one(item, errors));
        Self(literal.and_then(|literal| Case::named(&literal.value())))
    }

    /// These, or others where there are none.
    pub(super) fn or(self, others: &Self) -> Self {
        Self(self.0.or(others.0))
    }

    pub(super) fn field(&self, ident: &Ident, serde: &Serde, errors: &mut Errors) -> String {
        renamed(serde, errors).unwrap_or_else(|| {
            let name = ident.unraw().to_string();
            self.0.map_or(name.clone(), |case| case.of_field(&name))
        })
    }

    pub(super) fn variant(&self, ident: &Ident, serde: &Serde, errors: &mut Errors) -> String {
        renamed(serde, errors).unwrap_or_else(|| {
            let name = ident.unraw().to_string();
            self.0.map_or(name.clone(), |case| case.of_variant(&name))
        })
    }
}

fn renamed(serde: &Serde, errors: &mut Errors) -> Option<String> {
    one(serde.get("rename")?, errors).map(|literal| literal.value())
}

/// The one name for writing and for reading.
fn one(item: &Item, errors: &mut Errors) -> Option<LitStr> {
    match &item.split {
        None => item.text.clone(),
        Some((Some(serialize), Some(deserialize))) if serialize.value() == deserialize.value() => {
            Some(serialize.clone())
        }
        Some(_) => {
            errors.span(
                item.span,
                "what is written has to be what is read: give one name for both. What older \
                 programs write can be read by `alias`",
            );
            None
        }
    }
}

impl Case {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "snake_case" => Self::Snake,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            // Serde says so.
            _ => return None,
        })
    }

    /// Of a field, which is written in snake case.
    fn of_field(self, name: &str) -> String {
        match self {
            Self::Lower | Self::Snake => name.to_owned(),
            Self::Upper | Self::ScreamingSnake => name.to_ascii_uppercase(),
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
            Self::Pascal => {
                let mut pascal = String::new();
                let mut starts = true;
                for letter in name.chars() {
                    match letter {
                        '_' => starts = true,
                        letter if std::mem::take(&mut starts) => {
                            pascal.push(letter.to_ascii_uppercase());
                        }
                        letter => pascal.push(letter),
                    }
                }
                pascal
            }
            Self::Camel => first_lower(&Self::Pascal.of_field(name)),
        }
    }

    /// Of a variant, which is written in Pascal case.
    fn of_variant(self, name: &str) -> String {
        match self {
            Self::Pascal => name.to_owned(),
            Self::Lower => name.to_ascii_lowercase(),
            Self::Upper => name.to_ascii_uppercase(),
            Self::Camel => first_lower(name),
            Self::Snake => {
                let mut snake = String::new();
                for (at, letter) in name.char_indices() {
                    if at > 0 && letter.is_uppercase() {
                        snake.push('_');
                    }
                    snake.push(letter.to_ascii_lowercase());
                }
                snake
            }
            Self::ScreamingSnake => Self::Snake.of_variant(name).to_ascii_uppercase(),
            Self::Kebab => Self::Snake.of_variant(name).replace('_', "-"),
            Self::ScreamingKebab => Self::ScreamingSnake.of_variant(name).replace('_', "-"),
        }
    }
}

fn first_lower(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
