//! Types as people write them, and what the named ones among them consist of.

use std::collections::BTreeMap;

use sente::schema::{Content, Field, Presence, Primitive, Shape, Tagging, Type, Variant};
use serde::{Deserialize, Serialize};

use crate::contract::Typed;

/// What a type with a name consists of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Definition {
    /// Whether it is a struct or an enum.
    pub kind: Kind,
    /// Its fields or variants, one a line, in order: `id: u64`, `TooLong { max: u32 }`.
    pub parts: Vec<String>,
    /// How the variant of an enum is told, where that is not serde's own way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagging: Option<String>,
}

/// What kind of type it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "Rust has no others with names")]
pub enum Kind {
    /// Values with names.
    Struct,
    /// One of several.
    Enum,
}

/// Gives types their texts, and collects what those with names consist of.
#[derive(Default)]
pub(crate) struct Types {
    pub(crate) definitions: BTreeMap<String, Definition>,
    /// Which name stands for the types of that fingerprint.
    names: BTreeMap<(&'static str, u64), String>,
}

impl Types {
    /// A type with its fingerprint.
    pub(crate) fn typed(&mut self, ty: Type) -> Typed {
        let print = ty.print();
        Typed {
            ty: self.text(ty),
            fingerprint: format!("{:016x}", print.fingerprint),
            self_describing: print.self_describing,
        }
    }

    fn text(&mut self, ty: Type) -> String {
        match *ty.shape() {
            Shape::Primitive(primitive) => match primitive {
                Primitive::Str => "String".to_owned(),
                Primitive::Bytes => "Bytes".to_owned(),
                Primitive::Unit => "()".to_owned(),
                Primitive::UnitStruct => "struct".to_owned(),
                primitive => primitive.name().to_owned(),
            },
            Shape::Option(inner) => format!("Option<{}>", self.text(inner)),
            Shape::Sequence(inner) => format!("Vec<{}>", self.text(inner)),
            Shape::Map(key, value) => {
                format!("Map<{}, {}>", self.text(key), self.text(value))
            }
            Shape::Array(inner, length) => format!("[{}; {length}]", self.text(inner)),
            Shape::Tuple(types) => self.tuple(types),
            Shape::Struct { name, .. } | Shape::Enum { name, .. } => self.named(ty, name),
            Shape::Opaque { name, .. } => format!("opaque {name:?}"),
            Shape::Same(inner) => self.text(inner),
        }
    }

    fn tuple(&mut self, types: &[Type]) -> String {
        let types: Vec<String> = types.iter().map(|ty| self.text(*ty)).collect();
        match &types[..] {
            [only] => format!("({only},)"),
            _ => format!("({})", types.join(", ")),
        }
    }

    /// The name of a struct or an enum, which is taken apart the first time it is met. Types may
    /// have the same name and be different: generic ones, or those of two modules.
    fn named(&mut self, ty: Type, name: &'static str) -> String {
        let key = (name, ty.fingerprint());
        if let Some(known) = self.names.get(&key) {
            return known.clone();
        }
        let others = self.names.keys().filter(|known| known.0 == name).count();
        let unique = match others {
            0 => name.to_owned(),
            others => format!("{name}_{}", others + 1),
        };
        // Before it is taken apart: it may contain itself.
        self.names.insert(key, unique.clone());
        if let Some(definition) = self.definition(ty.shape()) {
            self.definitions.insert(unique.clone(), definition);
        }
        unique
    }

    fn definition(&mut self, shape: &Shape) -> Option<Definition> {
        match *shape {
            Shape::Struct { fields, .. } => Some(Definition {
                kind: Kind::Struct,
                parts: self.fields(fields),
                tagging: None,
            }),
            Shape::Enum {
                tagging, variants, ..
            } => Some(Definition {
                kind: Kind::Enum,
                parts: variants
                    .iter()
                    .map(|variant| self.variant(variant))
                    .collect(),
                tagging: match tagging {
                    Tagging::External => None,
                    Tagging::Internal(tag) => Some(format!("tag = {tag:?}")),
                    Tagging::Adjacent(tag, content) => {
                        Some(format!("tag = {tag:?}, content = {content:?}"))
                    }
                    Tagging::Untagged => Some("untagged".to_owned()),
                },
            }),
            _ => None,
        }
    }

    fn fields(&mut self, fields: &[Field]) -> Vec<String> {
        let text = |types: &mut Self, field: &Field| {
            let ty = types.text(field.ty);
            let presence = match field.presence {
                Presence::Always => "",
                Presence::Sometimes => " (skipped at times)",
                Presence::Flattened => " (flattened)",
            };
            format!("{}: {ty}{presence}", field.name)
        };
        fields.iter().map(|field| text(self, field)).collect()
    }

    fn variant(&mut self, variant: &Variant) -> String {
        let content = match variant.content {
            Content::Unit => String::new(),
            Content::Newtype(ty) => format!("({})", self.text(ty)),
            Content::Tuple(types) => self.tuple(types),
            Content::Struct(fields) => format!(" {{ {} }}", self.fields(fields).join(", ")),
        };
        let untagged = if variant.untagged { " (untagged)" } else { "" };
        format!("{}{content}{untagged}", variant.name)
    }
}

/// The definitions that a text names, and those that they name, each once.
pub(crate) fn named_in<'a>(
    definitions: &'a BTreeMap<String, Definition>,
    text: &str,
) -> BTreeMap<&'a str, &'a Definition> {
    let mut found = BTreeMap::new();
    let mut texts = vec![text.to_owned()];
    while let Some(text) = texts.pop() {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        for (name, definition) in words.filter_map(|word| definitions.get_key_value(word)) {
            if found.insert(name.as_str(), definition).is_none() {
                texts.extend(definition.parts.iter().cloned());
            }
        }
    }
    found
}
