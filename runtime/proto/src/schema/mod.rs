//! What types look like on the wire, as data, so that two programs can compare theirs.

mod bytes;
mod fingerprint;
mod std_types;

use std::fmt;

pub use bytes::Bytes;
pub(crate) use fingerprint::Known;
pub use fingerprint::Print;

use crate::codec::MAX_DEPTH;

/// A type whose form on the wire is known. Types in events, replies and errors have it.
///
/// Derive it beside serde's traits, whose attributes it understands:
///
/// ```
/// use sente_proto::schema::{Schema, Shape, Type};
///
/// // What `#[derive(sente::Schema)] struct Receipt { id: u64 }` writes.
/// struct Receipt { id: u64 }
///
/// impl Schema for Receipt {
///     const SHAPE: &'static Shape = &Shape::Struct {
///         name: "Receipt",
///         fields: &[sente_proto::schema::Field::new("id", Type::of::<u64>())],
///     };
/// }
/// # let _ = Receipt { id: 1 }.id;
/// ```
///
/// Write it by hand for a type whose serde implementation is written by hand: it says what that
/// one does, and nobody checks it.
#[diagnostic::on_unimplemented(
    message = "nobody knows what `{Self}` looks like on the wire",
    label = "`{Self}` has no `sente::Schema`",
    note = "both sides compare the types of an event when they connect: put `#[derive(sente::Schema)]` on `{Self}`",
    note = "for a type of another crate see the features of `sente`, or name its form on the field that holds it: `#[schema(opaque = \"name/1\")]`"
)]
pub trait Schema {
    /// What it looks like.
    const SHAPE: &'static Shape;
}

/// A type within a shape. It is looked up when it is needed, so that types may contain themselves.
///
/// ```
/// use sente_proto::schema::Type;
///
/// let line = Type::of::<(u64, String)>();
/// assert_eq!(line.fingerprint(), Type::of::<(u64, Box<str>)>().fingerprint());
/// assert_ne!(line.fingerprint(), Type::of::<(u32, String)>().fingerprint());
/// ```
#[derive(Clone, Copy)]
pub struct Type(fn() -> &'static Shape);

/// What a type looks like on the wire.
///
/// The names of types are for people alone: serde writes none of them. Those of fields and
/// variants count.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "written by the derive, and by hand"
)]
pub enum Shape {
    /// A value without parts.
    Primitive(Primitive),
    /// A value that may be absent.
    Option(Type),
    /// Any number of values.
    Sequence(Type),
    /// Any number of keys, each with a value.
    Map(Type, Type),
    /// So many values.
    Array(Type, usize),
    /// One value after the other. A struct without names of fields, too.
    Tuple(&'static [Type]),
    /// Values with names.
    Struct {
        /// The type's own name.
        name: &'static str,
        /// Its fields, in order.
        fields: &'static [Field],
    },
    /// One of several.
    Enum {
        /// The type's own name.
        name: &'static str,
        /// How the variant is told.
        tagging: Tagging,
        /// The variants, in order.
        variants: &'static [Variant],
    },
    /// Whatever that type looks like: a box, a newtype, a conversion.
    Same(Type),
    /// Nobody looks into it; whoever changes its form changes the name.
    Opaque {
        /// What the form is called, for instance `money/1`.
        name: &'static str,
        /// Whether it can be read only from a codec that says what is written.
        self_describing: bool,
    },
}

/// A value without parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "they are Rust's")]
#[expect(clippy::exhaustive_enums, reason = "serde has no others")]
pub enum Primitive {
    Bool,
    U8,
    U16,
    U32,
    U64,
    U128,
    I8,
    I16,
    I32,
    I64,
    I128,
    F32,
    F64,
    Char,
    /// A text.
    Str,
    /// A string of bytes; a list of `u8` is another thing to serde.
    Bytes,
    /// `()`
    Unit,
    /// A struct without fields, which is not always written as `()` is.
    UnitStruct,
}

/// A field of a struct.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// How it is written.
    pub presence: Presence,
}

/// How a field is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "serde has no others")]
pub enum Presence {
    /// Always, under its name.
    #[default]
    Always,
    /// Left out at times (`skip_serializing_if`): only names tell whether it is there.
    Sometimes,
    /// Without its own name, as if its fields were those of the struct (`flatten`).
    Flattened,
}

/// A variant of an enum.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "written by the derive, and by hand"
)]
pub struct Variant {
    /// Its name on the wire.
    pub name: &'static str,
    /// What comes with it.
    pub content: Content,
    /// Whether its name is not written, though those of others are.
    pub untagged: bool,
}

/// What comes with a variant.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "Rust has no others")]
pub enum Content {
    /// Nothing.
    Unit,
    /// One value.
    Newtype(Type),
    /// One value after the other.
    Tuple(&'static [Type]),
    /// Values with names.
    Struct(&'static [Field]),
}

/// How the variant of an enum is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "serde has no others")]
pub enum Tagging {
    /// By its number or name ahead of the rest: serde's own way.
    External,
    /// In a field of that name, among those of the variant.
    Internal(&'static str),
    /// In the first of two fields with these names; the second holds the rest.
    Adjacent(&'static str, &'static str),
    /// Not at all.
    Untagged,
}

impl Type {
    /// That of `T`.
    #[must_use]
    pub const fn of<T: Schema + ?Sized>() -> Self {
        Self(|| T::SHAPE)
    }

    /// One that looks like this and need not be a type of Rust's.
    #[must_use]
    pub const fn new(shape: fn() -> &'static Shape) -> Self {
        Self(shape)
    }

    /// What it looks like. Boxes, newtypes and the like are seen through.
    #[must_use]
    pub fn shape(self) -> &'static Shape {
        /// Of a type that is its own only content, so that there is no value of it.
        static ENDLESS: Shape = Shape::Opaque {
            name: "endless",
            self_describing: false,
        };
        let mut shape = (self.0)();
        for _ in 0..MAX_DEPTH {
            let Shape::Same(inner) = shape else {
                return shape;
            };
            shape = (inner.0)();
        }
        &ENDLESS
    }
}

impl fmt::Debug for Type {
    /// The fingerprint: a type may contain itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Type({:016x})", self.fingerprint())
    }
}

impl Field {
    /// One that is always written, under this name.
    #[must_use]
    pub const fn new(name: &'static str, ty: Type) -> Self {
        Self {
            name,
            ty,
            presence: Presence::Always,
        }
    }

    /// The same, written like that.
    #[must_use]
    pub const fn written(mut self, presence: Presence) -> Self {
        self.presence = presence;
        self
    }
}

impl Primitive {
    /// Its name, as in Rust.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::U128 => "u128",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::I128 => "i128",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::Str => "str",
            Self::Bytes => "bytes",
            Self::Unit => "unit",
            Self::UnitStruct => "unit struct",
        }
    }
}
