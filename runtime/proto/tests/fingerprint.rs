//! Fingerprints of types: what they see, what they do not see, and that they never change.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use sente_proto::schema::{Content, Field, Presence, Schema, Shape, Tagging, Type, Variant};

fn print<T: Schema + ?Sized>() -> u64 {
    Type::of::<T>().fingerprint()
}

/// A struct of these fields.
macro_rules! described {
    ($(struct $name:ident { $($field:ident: $ty:ty),* })*) => {
        $(
            struct $name;

            impl Schema for $name {
                const SHAPE: &'static Shape = &Shape::Struct {
                    name: stringify!($name),
                    fields: &[$(Field::new(stringify!($field), Type::of::<$ty>())),*],
                };
            }
        )*
    };
}

described! {
    struct Line { from: String, text: String }
    struct Post { from: String, text: String }
    struct Turned { text: String, from: String }
    struct Renamed { from: String, line: String }
    struct Retyped { from: String, text: u64 }
    struct Shorter { from: String }
    struct Page { lines: Vec<Line> }
    struct PageOfPosts { lines: Vec<Post> }
    struct PageOfTurned { lines: Vec<Turned> }
}

#[test]
fn the_fields_count_and_the_name_of_the_type_does_not() {
    assert_eq!(print::<Line>(), print::<Post>());
    assert_eq!(print::<Page>(), print::<PageOfPosts>());
    let others = [
        print::<Turned>(),
        print::<Renamed>(),
        print::<Retyped>(),
        print::<Shorter>(),
        print::<(String, String)>(),
        print::<[String; 2]>(),
        print::<BTreeMap<String, String>>(),
    ];
    let all: HashSet<u64> = others.into_iter().chain([print::<Line>()]).collect();
    assert_eq!(all.len(), others.len() + 1);
    assert_ne!(
        print::<Page>(),
        print::<PageOfTurned>(),
        "nested ones count"
    );
}

#[test]
fn what_serde_writes_alike_looks_alike() {
    assert_eq!(print::<Box<Rc<str>>>(), print::<String>());
    assert_eq!(print::<[u8]>(), print::<std::collections::VecDeque<u8>>());
    assert_eq!(print::<HashMap<u8, u16>>(), print::<BTreeMap<u8, u16>>());
    assert_eq!(print::<usize>(), print::<u64>());
    assert_ne!(print::<usize>(), print::<isize>());
    assert_ne!(print::<()>(), print::<PhantomData<u8>>());
    assert_ne!(print::<Option<Option<u8>>>(), print::<Option<u8>>());
    assert_ne!(print::<(u8,)>(), print::<u8>());
}

// ---- types that contain themselves ----

described! {
    struct Node { value: u8, next: Option<Box<Node>> }
    struct SmallNode { value: u8, next: Option<Box<SmallNode>> }
    struct WideNode { value: u16, next: Option<Box<WideNode>> }
    // The same list, with a name for every second element.
    struct Even { value: u8, next: Option<Box<Odd>> }
    struct Odd { value: u8, next: Option<Box<Even>> }
    // The same, but for one deep within.
    struct First { value: u8, next: Option<Second> }
    struct Second { value: u8, next: Option<Third> }
    struct Third { value: u8, next: Option<Box<Fourth>> }
    struct Fourth { value: u16, next: Option<Box<First>> }
    struct Start { value: u8, next: Option<Middle> }
    struct Middle { value: u8, next: Option<Last> }
    struct Last { value: u16, next: Option<Box<End>> }
    struct End { value: u8, next: Option<Box<Start>> }
}

/// A type that is its own only content.
struct Never;

impl Schema for Never {
    const SHAPE: &'static Shape = &Shape::Same(Type::of::<Never>());
}

#[test]
fn types_may_contain_themselves() {
    assert_eq!(print::<Node>(), print::<SmallNode>());
    assert_ne!(print::<Node>(), print::<WideNode>());
    assert_eq!(
        print::<Node>(),
        print::<Even>(),
        "they hold the same values"
    );
    assert_eq!(print::<Odd>(), print::<Even>());
    assert_ne!(print::<Node>(), print::<First>());
    assert_ne!(print::<First>(), print::<Start>());
    assert_ne!(print::<First>(), print::<Second>());
    assert_ne!(print::<Never>(), print::<()>());
}

// ---- many types ----

/// Two of the next, 40 levels down: 2^40 paths.
struct Diamond<const LEVEL: usize>;

macro_rules! diamond {
    ($($level:literal of $next:literal;)*) => {
        $(
            impl Schema for Diamond<$level> {
                const SHAPE: &'static Shape = &Shape::Tuple(&[
                    Type::of::<Diamond<$next>>(),
                    Type::of::<Box<Diamond<$next>>>(),
                ]);
            }
        )*
    };
}

impl Schema for Diamond<0> {
    const SHAPE: &'static Shape = u8::SHAPE;
}

diamond! {
    1 of 0; 2 of 1; 3 of 2; 4 of 3; 5 of 4; 6 of 5; 7 of 6; 8 of 7; 9 of 8; 10 of 9;
    11 of 10; 12 of 11; 13 of 12; 14 of 13; 15 of 14; 16 of 15; 17 of 16; 18 of 17; 19 of 18;
    20 of 19; 21 of 20; 22 of 21; 23 of 22; 24 of 23; 25 of 24; 26 of 25; 27 of 26; 28 of 27;
    29 of 28; 30 of 29; 31 of 30; 32 of 31; 33 of 32; 34 of 33; 35 of 34; 36 of 35; 37 of 36;
    38 of 37; 39 of 38; 40 of 39;
}

/// One of 24 types each of which contains all of them: more ways through them than one can walk.
struct Tangled<const N: usize>;

macro_rules! tangled {
    ($($n:literal)*) => {
        const ALL: &[Type] = &[$(Type::of::<Option<Box<Tangled<$n>>>>()),*];

        $(
            impl Schema for Tangled<$n> {
                const SHAPE: &'static Shape = &Shape::Enum {
                    name: "Tangled",
                    tagging: Tagging::External,
                    variants: &[Variant {
                        name: concat!("V", $n),
                        content: Content::Tuple(ALL),
                        untagged: false,
                    }],
                };
            }
        )*
    };
}

tangled!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23);

#[test]
fn many_ways_to_a_type_are_no_more_work_than_one() {
    assert_ne!(print::<Diamond<40>>(), print::<Diamond<39>>());
    assert_ne!(print::<Tangled<0>>(), print::<Tangled<1>>());
}

// ---- what only names can tell ----

struct Patch;

impl Schema for Patch {
    const SHAPE: &'static Shape = &Shape::Struct {
        name: "Patch",
        fields: &[
            Field::new("title", Type::of::<Option<String>>()).written(Presence::Sometimes),
            Field::new("body", Type::of::<Option<String>>()),
        ],
    };
}

#[test]
fn whatever_contains_a_type_that_needs_names_needs_them() {
    assert!(Type::of::<Patch>().print().self_describing);
    assert!(Type::of::<Vec<(u8, Box<Patch>)>>().print().self_describing);
    assert!(!Type::of::<Tangled<3>>().print().self_describing);
}

// ---- for ever ----

/// The values are on the wire between programs of different ages, on all kinds of machines.
#[test]
fn fingerprints_never_change() {
    for (name, found, expected) in [
        // ANCHOR: golden
        ("u8", print::<u8>(), 0x7da3_a055_10e0_83f9),
        ("String", print::<String>(), 0xe6ed_6307_8563_fa61),
        ("()", print::<()>(), 0xf231_b432_583e_7def),
        (
            "Vec<Option<u64>>",
            print::<Vec<Option<u64>>>(),
            0xbe1d_bf98_f227_1eea,
        ),
        (
            "(i8, [f32; 3])",
            print::<(i8, [f32; 3])>(),
            0xa77d_1e79_1c3a_405a,
        ),
        (
            "HashMap<String, bool>",
            print::<HashMap<String, bool>>(),
            0x9f36_db1a_dcbb_4f1b,
        ),
        (
            "Result<(), Line>",
            print::<Result<(), Line>>(),
            0xa0dc_5453_248d_f97c,
        ),
        ("Duration", print::<Duration>(), 0x4476_c086_9215_736f),
        ("IpAddr", print::<std::net::IpAddr>(), 0x5ac9_6692_6336_8226),
        ("Node", print::<Node>(), 0xceed_a045_540c_6d66),
        ("Patch", print::<Patch>(), 0x4af4_218b_911e_5f29),
        // ANCHOR_END: golden
    ] {
        assert_eq!(found, expected, "{name}: {found:#018x}");
    }
}
