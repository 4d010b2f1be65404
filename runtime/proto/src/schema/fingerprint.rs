//! One number for all that a type looks like.
//!
//! A type is a graph, since it may contain itself. The fingerprint is that of the endless tree to
//! which the graph unfolds, so it does not matter which types a program has given names to, nor
//! where a cycle is entered. It is computed as graphs are compared elsewhere: each type starts with
//! the same number; in every round, it gets that of its own form and of what its parts had in the
//! round before. When the numbers no longer tell more types apart, there are `k` kinds. Two graphs
//! of `k` kinds each that agree for 2·k rounds agree for ever. No step is taken twice, so types that
//! share parts, or that all contain each other, are no more work than others.

use std::hash::Hasher;
use std::ptr;

use super::{Content, Field, Presence, Shape, Tagging, Type};
use crate::fnv::Fnv;
use crate::sorted::Sorted;

/// What both sides compare of a type, and what keeps a codec from carrying it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Print {
    /// The fingerprint: equal if and only if the types look the same on the wire.
    pub fingerprint: u64,
    /// Whether it can be read only from a codec that writes names.
    pub self_describing: bool,
}

/// The types that one contains, itself the first.
struct Graph {
    shapes: Vec<&'static Shape>,
    /// For each, its parts in the order in which its shape names them.
    parts: Vec<Vec<usize>>,
}

impl Type {
    /// The number that both sides compare. It is computed anew each time.
    #[must_use]
    pub fn fingerprint(self) -> u64 {
        self.print().fingerprint
    }

    /// All that both sides compare.
    #[must_use]
    pub fn print(self) -> Print {
        let graph = Graph::of(self);
        Print {
            fingerprint: graph.fingerprint(),
            self_describing: graph.shapes.iter().any(|shape| shape.is_self_describing()),
        }
    }

    /// What both sides compare, computed once for each type.
    pub(crate) fn print_once(self, known: &mut Known) -> Print {
        let address = address(self.shape());
        if let Some(place) = known.places.get(&address) {
            return known.prints[*place];
        }
        let print = self.print();
        known.places.insert(address, known.prints.len());
        known.prints.push(print);
        print
    }
}

/// What has been computed, with its places by the addresses of shapes.
#[derive(Default)]
pub(crate) struct Known {
    places: Places,
    prints: Vec<Print>,
}

/// One type, for what is found by numbers and for what is found by addresses, keeps pages small.
type Places = Sorted<u64, usize>;

fn address(shape: &Shape) -> u64 {
    ptr::from_ref(shape).addr() as u64
}

impl Graph {
    fn of(root: Type) -> Self {
        let mut places = Places::default();
        places.insert(address(root.shape()), 0);
        let mut graph = Self {
            shapes: vec![root.shape()],
            parts: Vec::new(),
        };
        while let Some(&shape) = graph.shapes.get(graph.parts.len()) {
            let mut parts = Vec::new();
            let shapes = &mut graph.shapes;
            shape.write(&mut Fnv::default(), &mut |part| {
                // The compiler may have made several copies of one shape, or one of several that are
                // the same. Neither changes the tree.
                let address = address(part.shape());
                let place = places.get(&address).copied().unwrap_or_else(|| {
                    places.insert(address, shapes.len());
                    shapes.push(part.shape());
                    shapes.len() - 1
                });
                parts.push(place);
                0
            });
            graph.parts.push(parts);
        }
        graph
    }

    fn fingerprint(&self) -> u64 {
        let mut numbers = vec![0; self.shapes.len()];
        let (mut kinds, mut rounds) = (1, 0);
        loop {
            numbers = self.round(&numbers);
            rounds += 1;
            let mut different = Places::default();
            for number in &numbers {
                different.insert(*number, 0);
            }
            let now = different.len();
            if now == kinds {
                break;
            }
            kinds = now;
        }
        for _ in rounds..2 * kinds {
            numbers = self.round(&numbers);
        }
        let mut hasher = Fnv::default();
        hasher.write_u32(kinds as u32);
        hasher.write_u64(numbers[0]);
        hasher.finish()
    }

    fn round(&self, before: &[u64]) -> Vec<u64> {
        let each = self.shapes.iter().zip(&self.parts);
        each.map(|(shape, parts)| {
            let mut parts = parts.iter();
            let mut hasher = Fnv::default();
            shape.write(&mut hasher, &mut |_| {
                parts.next().map_or(0, |place| before[*place])
            });
            hasher.finish()
        })
        .collect()
    }
}

impl Shape {
    /// Writes what it is, with a number for each of its parts.
    fn write(&self, out: &mut Fnv, part: &mut dyn FnMut(Type) -> u64) {
        match *self {
            Self::Primitive(primitive) => out.text(primitive.name()),
            Self::Option(ty) => {
                out.text("option");
                out.write_u64(part(ty));
            }
            Self::Sequence(ty) => {
                out.text("sequence");
                out.write_u64(part(ty));
            }
            Self::Map(key, value) => {
                out.text("map");
                out.write_u64(part(key));
                out.write_u64(part(value));
            }
            Self::Array(ty, length) => {
                out.text("array");
                out.write_u64(length as u64);
                out.write_u64(part(ty));
            }
            Self::Tuple(types) => write_tuple(types, out, part),
            Self::Struct { fields, .. } => write_struct(fields, out, part),
            Self::Enum {
                tagging, variants, ..
            } => {
                out.text("enum");
                match tagging {
                    Tagging::External => out.text("external"),
                    Tagging::Internal(tag) => {
                        out.text("internal");
                        out.text(tag);
                    }
                    Tagging::Adjacent(tag, content) => {
                        out.text("adjacent");
                        out.text(tag);
                        out.text(content);
                    }
                    Tagging::Untagged => out.text("untagged"),
                }
                out.write_u32(variants.len() as u32);
                for variant in variants {
                    out.text(variant.name);
                    if variant.untagged {
                        out.text("untagged");
                    }
                    match variant.content {
                        Content::Unit => out.text("unit"),
                        Content::Newtype(ty) => {
                            out.text("newtype");
                            out.write_u64(part(ty));
                        }
                        Content::Tuple(types) => write_tuple(types, out, part),
                        Content::Struct(fields) => write_struct(fields, out, part),
                    }
                }
            }
            // Seen through before it comes here.
            Self::Same(ty) => out.write_u64(part(ty)),
            Self::Opaque { name, .. } => {
                out.text("opaque");
                out.text(name);
            }
        }
    }

    /// Whether it is, by itself, something that only names can tell.
    fn is_self_describing(&self) -> bool {
        let by_name = |fields: &[Field]| {
            fields
                .iter()
                .any(|field| field.presence != Presence::Always)
        };
        match self {
            Self::Struct { fields, .. } => by_name(fields),
            Self::Enum {
                tagging, variants, ..
            } => {
                // Beside a tag serde finds out by names, or by asking the codec what is there.
                *tagging != Tagging::External
                    || variants.iter().any(|variant| match variant.content {
                        _ if variant.untagged => true,
                        Content::Struct(fields) => by_name(fields),
                        Content::Unit | Content::Newtype(_) | Content::Tuple(_) => false,
                    })
            }
            Self::Opaque {
                self_describing, ..
            } => *self_describing,
            _ => false,
        }
    }
}

fn write_tuple(types: &[Type], out: &mut Fnv, part: &mut dyn FnMut(Type) -> u64) {
    out.text("tuple");
    out.write_u32(types.len() as u32);
    for ty in types {
        out.write_u64(part(*ty));
    }
}

fn write_struct(fields: &[Field], out: &mut Fnv, part: &mut dyn FnMut(Type) -> u64) {
    out.text("struct");
    out.write_u32(fields.len() as u32);
    for field in fields {
        out.text(field.name);
        match field.presence {
            Presence::Always => {}
            Presence::Sometimes => out.text("sometimes"),
            Presence::Flattened => out.text("flattened"),
        }
        out.write_u64(part(field.ty));
    }
}
