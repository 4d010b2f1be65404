//! The derive: what it says of a type.

#![expect(dead_code, reason = "described, never made")]

use std::borrow::Cow;
use std::marker::PhantomData;

use sente::Schema;
use sente::schema::{Shape, Type};
use serde::{Deserialize, Serialize};

fn print<T: Schema + ?Sized>() -> u64 {
    Type::of::<T>().fingerprint()
}

#[derive(Deserialize, Schema, Serialize)]
struct Line {
    from: String,
    r#type: u8,
}

#[derive(Deserialize, Schema, Serialize)]
struct Pair(u8, String);

#[derive(Deserialize, Schema, Serialize)]
struct Wrapped(Line);

#[derive(Deserialize, Schema, Serialize)]
struct Nothing;

#[derive(Deserialize, Schema, Serialize)]
enum Figure {
    Unit,
    Newtype(Line),
    Tuple(u8, u8),
    Struct { of: Option<Box<Figure>> },
}

#[test]
fn each_form_of_a_type_is_described() {
    let Shape::Struct { name, fields } = Line::SHAPE else {
        panic!("{:?}", Line::SHAPE)
    };
    assert_eq!(*name, "Line");
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["from", "type"]);
    assert_eq!(print::<Pair>(), print::<(u8, String)>());
    assert_eq!(print::<Wrapped>(), print::<Line>());
    assert_eq!(print::<Nothing>(), print::<PhantomData<u8>>());
    let Shape::Enum { variants, .. } = Figure::SHAPE else {
        panic!("{:?}", Figure::SHAPE)
    };
    let names: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
    assert_eq!(names, ["Unit", "Newtype", "Tuple", "Struct"]);
}

/// Has no `Schema`.
struct Undescribed;

trait Kind {
    type Value;
}

impl Kind for Undescribed {
    type Value = u8;
}

#[derive(Schema)]
struct Generic<'a, T: ?Sized, U: Kind, V, W, const N: usize>
where
    W: Clone,
{
    text: Cow<'a, str>,
    of_t: Box<T>,
    of_u: U::Value,
    also_of_u: Vec<<U as Kind>::Value>,
    no_v: PhantomData<V>,
    of_w: [Vec<W>; N],
}

#[derive(Schema)]
struct Concrete {
    text: String,
    of_t: String,
    of_u: u8,
    also_of_u: Vec<u8>,
    no_v: PhantomData<()>,
    of_w: [Vec<u16>; 3],
}

#[test]
fn parameters_are_described_where_they_are_used_and_nowhere_else() {
    assert_eq!(
        print::<Generic<'_, str, Undescribed, Undescribed, u16, 3>>(),
        print::<Concrete>()
    );
    assert_ne!(
        print::<Generic<'_, str, Undescribed, Undescribed, u16, 4>>(),
        print::<Concrete>()
    );
}

#[derive(Schema)]
struct Tree<T> {
    value: T,
    children: Vec<Tree<T>>,
}

#[test]
fn generic_types_may_contain_themselves() {
    assert_eq!(print::<Tree<Box<u8>>>(), print::<Tree<u8>>());
    assert_ne!(print::<Tree<u16>>(), print::<Tree<u8>>());
}
