//! Types that differ in one thing each, with values.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::Bound;
use std::time::Duration;

use sente::Schema;
use serde::{Deserialize, Serialize};

use crate::Sample;

/// Types that derive what a type of a contract does.
macro_rules! types {
    ($($item:item)*) => {
        $(
            #[derive(Deserialize, Schema, Serialize)]
            $item
        )*
    };
}

macro_rules! samples {
    ($($ty:ty => [$($value:expr),* $(,)?];)*) => {
        vec![$(Sample::of::<$ty>(stringify!($ty), &[$($value),*])),*]
    };
}

// ---- structs ----

types! {
    pub(crate) struct Line { from: String, text: String }
    struct Post { from: String, text: String }
    struct Turned { text: String, from: String }
    struct Renamed { from: String, line: String }
    struct RenamedBack { from: String, #[serde(rename = "text", alias = "words")] line: String }
    struct Longer { from: String, text: String, #[serde(default)] likes: u8 }
    struct LongerInTheMiddle { from: String, likes: u8, text: String }
    struct Skipping { from: String, #[serde(skip)] hidden: u8, text: String }
    struct SkippingByHalves {
        from: String,
        #[serde(skip_serializing, skip_deserializing)] hidden: u8,
        text: String,
    }
    #[serde(deny_unknown_fields, rename = "Something", expecting = "a line")]
    struct Strict { from: String, text: Cow<'static, str> }
    #[serde(default)]
    struct Defaulted { from: String, text: String }
    #[serde(rename_all = "camelCase")]
    struct Camel { first_name: String, r#type: u8 }
    #[serde(rename_all(serialize = "camelCase", deserialize = "camelCase"))]
    struct CamelTwice { first_name: String, r#type: u8 }
    struct CamelByHand { #[serde(rename = "firstName")] one: String, r#type: u8 }
    struct Numbers { one: u32, other: u32 }
    struct Wider { one: u64, other: u32 }
    struct Signed { one: i32, other: u32 }
    struct Optional { one: Option<u32>, other: u32 }
    struct InBoxes { one: Box<u32>, other: std::num::Wrapping<u32> }
    struct Empty {}
    struct Unit;
    struct EmptyTuple();
    struct Newtype(Line);
    struct NewtypeOfNumber(u32);
    #[serde(transparent)]
    struct Transparent { marker: PhantomData<Never>, line: Line }
    #[serde(transparent)]
    struct TransparentTuple(Line, #[serde(skip)] u8);
    struct Pair(u32, u32);
    struct PairWithAHiddenOne(u32, #[serde(skip)] u32, u32);
    struct HidesAllButOne(#[serde(skip)] u8, u32);
    struct Generic<T> { one: T, other: T }
    struct Marked<T> { one: u32, other: u32, #[serde(skip)] marker: PhantomData<T> }
    struct WithMarker<T> { one: u32, marker: PhantomData<T>, other: u32 }
    struct Lists { bytes: Vec<u8>, words: [u16; 2] }
    struct Tree { value: u8, children: Vec<Tree> }
    struct Forest { value: u8, children: Vec<Grove> }
    struct Grove { value: u8, children: Vec<Forest> }
    pub(crate) struct Blob { #[serde(with = "serde_bytes")] bytes: Vec<u8> }
    pub(crate) struct BlobByFunctions {
        #[serde(serialize_with = "serde_bytes::serialize", deserialize_with = "::serde_bytes::deserialize")]
        bytes: Box<[u8]>,
    }
    struct BlobPerhaps { #[serde(with = "serde_bytes")] bytes: Option<Vec<u8>> }
    struct BlobAsList { bytes: Vec<u8> }
    #[serde(crate = "serde", bound = "")]
    struct Bounded { one: u32, other: u32 }
}

impl Default for Defaulted {
    fn default() -> Self {
        Self {
            from: "nobody".into(),
            text: "nothing".into(),
        }
    }
}

/// Has no traits.
struct Never;

/// The same names under each of serde's rules.
macro_rules! cases {
    ($($name:ident, $of_enum:ident: $rule:literal;)*) => {
        types! {
            $(
                #[serde(rename_all = $rule)]
                struct $name { first_name: u8, r#type: u8, _x2_y: u8 }
                #[serde(rename_all = $rule)]
                enum $of_enum { FirstName, HTTPError { kept_name: u8 }, X2Y, r#Type }
            )*
        }

        fn of_all_cases() -> Vec<Sample> {
            samples! {
                $(
                    $name => [$name { first_name: 1, r#type: 2, _x2_y: 3 }];
                    $of_enum => [
                        $of_enum::FirstName,
                        $of_enum::HTTPError { kept_name: 1 },
                        $of_enum::X2Y,
                        $of_enum::Type,
                    ];
                )*
            }
        }
    };
}

cases! {
    Lower, LowerEnum: "lowercase";
    Upper, UpperEnum: "UPPERCASE";
    Pascal, PascalEnum: "PascalCase";
    Camels, CamelEnum: "camelCase";
    Snake, SnakeEnum: "snake_case";
    ScreamingSnake, ScreamingSnakeEnum: "SCREAMING_SNAKE_CASE";
    Kebab, KebabEnum: "kebab-case";
    ScreamingKebab, ScreamingKebabEnum: "SCREAMING-KEBAB-CASE";
}

// ---- conversions ----

types! {
    #[serde(from = "Line", into = "Line")]
    #[derive(Clone)]
    struct Converted(String);
    #[serde(try_from = "u32", into = "u32")]
    #[derive(Clone)]
    struct Checked(u32);
    struct Seconds {
        #[serde(with = "seconds")]
        #[schema(as = "u64")]
        after: Duration,
    }
    struct After { after: u64 }
    struct Secret {
        #[serde(with = "seconds")]
        #[schema(opaque = "seconds/1")]
        after: Duration,
    }
    struct OtherSecret {
        #[serde(with = "seconds")]
        #[schema(opaque = "seconds/1")]
        after: Duration,
    }
}

/// Writes itself by hand, as a number.
#[derive(Schema)]
#[schema(as = "u32")]
struct ByHand(u32);

impl Serialize for ByHand {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ByHand {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self)
    }
}

mod seconds {
    use super::{Deserialize, Duration, Serialize};

    pub(super) fn serialize<S: serde::Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.as_secs().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

impl From<Line> for Converted {
    fn from(line: Line) -> Self {
        Self(format!("{}: {}", line.from, line.text))
    }
}

impl From<Converted> for Line {
    fn from(Converted(both): Converted) -> Self {
        let (from, text) = both.split_once(": ").unwrap_or_default();
        line(from, text)
    }
}

impl TryFrom<u32> for Checked {
    type Error = &'static str;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        Ok(Self(number))
    }
}

impl From<Checked> for u32 {
    fn from(Checked(number): Checked) -> Self {
        number
    }
}

// ---- enums ----

types! {
    enum Figure { Point, Circle(u32), Line(u32, u32), Square { side: u32, solid: bool } }
    enum FigureAgain { Point, Circle(Box<u32>), Line(u32, u32), Square { side: u32, solid: bool } }
    enum FigureWithOneAhead {
        None, Point, Circle(u32), Line(u32, u32), Square { side: u32, solid: bool },
    }
    enum FigureWithOneMore {
        Point, Circle(u32), Line(u32, u32), Square { side: u32, solid: bool }, None,
    }
    enum FigureRenamed { Point, Disc(u32), Line(u32, u32), Square { side: u32, solid: bool } }
    enum FigureReordered { Circle(u32), Point, Line(u32, u32), Square { side: u32, solid: bool } }
    enum FigureWithOneSkipped {
        Point, Circle(u32), Line(u32, u32), Square { side: u32, solid: bool }, #[serde(skip)] Hidden,
    }
    enum FigureWithHiddenFields {
        Point, Circle(u32), Line(u32, #[serde(skip)] u8, u32),
        Square { side: u32, #[serde(skip)] hidden: u8, solid: bool },
    }
    #[serde(rename_all = "snake_case", rename_all_fields = "SCREAMING_SNAKE_CASE")]
    enum Cases { OneTwo, Three { four_five: u8 }, #[serde(rename_all = "PascalCase")] Six { seven_eight: u8 } }
    enum CasesByHand {
        #[serde(rename = "one_two")] A,
        #[serde(rename = "three")] B { #[serde(rename = "FOUR_FIVE")] a: u8 },
        #[serde(rename = "six")] C { #[serde(rename = "SevenEight")] a: u8 },
    }
    enum HiddenContent { Empty(#[serde(skip)] u8), Other }
    enum NoContent { Empty, Other }
    enum EmptyContent { Empty(), Other {} }
    enum Fallback { One(u32), #[serde(other)] Unknown }
}

// ---- what only names can tell ----

types! {
    #[schema(self_describing)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent { One(u32), Two(u32, u32) }
    #[schema(self_describing)]
    #[serde(tag = "t", content = "c")]
    enum AdjacentAgain { One(u32), Two(u32, u32) }
    #[schema(self_describing)]
    #[serde(tag = "t", content = "content")]
    enum AdjacentElsewhere { One(u32), Two(u32, u32) }
    #[schema(self_describing)]
    #[serde(tag = "t", content = "c")]
    enum AdjacentUnit { One(u32), Nothing }
    #[schema(self_describing)]
    #[serde(tag = "t", content = "c")]
    enum AdjacentStruct { One(u32), Two { one: u32, other: u32 } }
    #[schema(self_describing)]
    #[serde(tag = "t")]
    enum Internal { One(Numbers), Two { one: u32, other: u32 }, Three }
    #[schema(self_describing)]
    #[serde(tag = "t")]
    enum InternalAgain { One(Numbers), Two { one: u32, other: u32 }, #[serde(other)] Three }
    #[schema(self_describing)]
    #[serde(tag = "kind")]
    enum InternalElsewhere { One(Numbers), Two { one: u32, other: u32 }, Three }
    #[schema(self_describing)]
    #[serde(untagged)]
    enum Untagged { Number(u32), Text(String), Numbers { one: u32, other: u32 } }
    #[schema(self_describing)]
    enum PartlyUntagged { Number(u32), #[serde(untagged)] Text(String) }
    #[schema(self_describing)]
    #[serde(tag = "t")]
    struct Tagged { one: u32 }
    #[schema(self_describing)]
    struct Patch {
        #[serde(skip_serializing_if = "Option::is_none")] title: Option<String>,
        #[serde(default, skip_serializing_if = "is_zero")] likes: u32,
    }
    #[schema(self_describing)]
    struct Flattened { one: u32, #[serde(flatten)] line: Line }
    #[schema(self_describing)]
    struct FlattenedMap { one: u32, #[serde(flatten)] others: BTreeMap<String, u32> }
    struct Around { before: u8, patch: Vec<Patch>, behind: u8 }
    struct AroundAny {
        #[schema(opaque = "any/1", self_describing)] any: serde_json::Value,
        behind: u8,
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn line(from: &str, text: &str) -> Line {
    Line {
        from: from.to_owned(),
        text: text.to_owned(),
    }
}

fn patch() -> Patch {
    Patch {
        title: None,
        likes: 0,
    }
}

/// All of them. Values are such that what is misread shows.
pub(crate) fn all() -> Vec<Sample> {
    let ann = || "ann".to_owned();
    let hi = || "hi".to_owned();
    let mut samples = samples! {
        Line => [line("ann", "hi"), line("", "")];
        Post => [Post { from: ann(), text: hi() }];
        Turned => [Turned { text: hi(), from: ann() }];
        Renamed => [Renamed { from: ann(), line: hi() }];
        RenamedBack => [RenamedBack { from: ann(), line: hi() }];
        Longer => [Longer { from: ann(), text: hi(), likes: 3 }];
        LongerInTheMiddle => [LongerInTheMiddle { from: ann(), likes: 1, text: hi() }];
        Skipping => [Skipping { from: ann(), hidden: 9, text: hi() }];
        SkippingByHalves => [SkippingByHalves { from: ann(), hidden: 9, text: hi() }];
        Strict => [Strict { from: ann(), text: "hi".into() }];
        Defaulted => [Defaulted { from: ann(), text: hi() }];
        Camel => [Camel { first_name: ann(), r#type: 1 }];
        CamelTwice => [CamelTwice { first_name: ann(), r#type: 1 }];
        CamelByHand => [CamelByHand { one: ann(), r#type: 1 }];
        Numbers => [Numbers { one: 1, other: 70_000 }];
        Wider => [Wider { one: 1 << 40, other: 2 }, Wider { one: 1, other: 2 }];
        Signed => [Signed { one: -1, other: 2 }];
        Optional => [Optional { one: None, other: 2 }, Optional { one: Some(1), other: 2 }];
        InBoxes => [InBoxes { one: Box::new(1), other: std::num::Wrapping(2) }];
        Empty => [Empty {}];
        Unit => [Unit];
        EmptyTuple => [EmptyTuple()];
        () => [()];
        Newtype => [Newtype(line("ann", "hi"))];
        NewtypeOfNumber => [NewtypeOfNumber(7)];
        Transparent => [Transparent { marker: PhantomData, line: line("ann", "hi") }];
        TransparentTuple => [TransparentTuple(line("ann", "hi"), 7)];
        Pair => [Pair(1, 2)];
        PairWithAHiddenOne => [PairWithAHiddenOne(1, 9, 2)];
        HidesAllButOne => [HidesAllButOne(9, 2)];
        (u32,) => [(7,)];
        (u32, u32) => [(1, 2)];
        [u32; 2] => [[1, 2]];
        u32 => [0, 7, 70_000];
        u64 => [7, 1 << 40];
        Generic<u32> => [Generic { one: 1, other: 2 }];
        Marked<Never> => [Marked { one: 1, other: 2, marker: PhantomData }];
        WithMarker<Never> => [WithMarker { one: 1, marker: PhantomData, other: 2 }];
        Lists => [Lists { bytes: vec![1, 2, 200], words: [1, 2] }];
        Tree => [Tree { value: 1, children: vec![Tree { value: 2, children: vec![] }] }];
        Forest => [Forest { value: 1, children: vec![Grove { value: 2, children: vec![] }] }];
        Blob => [Blob { bytes: vec![1, 2, 200] }];
        BlobByFunctions => [BlobByFunctions { bytes: vec![1, 2, 200].into() }];
        BlobPerhaps => [BlobPerhaps { bytes: None }, BlobPerhaps { bytes: Some(vec![1, 2, 200]) }];
        BlobAsList => [BlobAsList { bytes: vec![1, 2, 200] }];
        Bounded => [Bounded { one: 1, other: 2 }];
        Converted => [Converted("ann: hi".to_owned())];
        Checked => [Checked(7)];
        ByHand => [ByHand(7)];
        Seconds => [Seconds { after: Duration::from_secs(9) }];
        After => [After { after: 9 }];
        Secret => [Secret { after: Duration::from_secs(9) }];
        OtherSecret => [OtherSecret { after: Duration::from_secs(9) }];
        Figure => [
            Figure::Point,
            Figure::Circle(3),
            Figure::Line(3, 4),
            Figure::Square { side: 5, solid: true },
        ];
        FigureAgain => [
            FigureAgain::Point,
            FigureAgain::Circle(Box::new(3)),
            FigureAgain::Line(3, 4),
            FigureAgain::Square { side: 5, solid: true },
        ];
        FigureWithOneAhead => [FigureWithOneAhead::None, FigureWithOneAhead::Circle(3)];
        FigureWithOneMore => [FigureWithOneMore::None, FigureWithOneMore::Circle(3)];
        FigureRenamed => [FigureRenamed::Point, FigureRenamed::Disc(3)];
        FigureReordered => [FigureReordered::Point, FigureReordered::Circle(3)];
        FigureWithOneSkipped => [
            FigureWithOneSkipped::Point,
            FigureWithOneSkipped::Circle(3),
            FigureWithOneSkipped::Square { side: 5, solid: true },
        ];
        FigureWithHiddenFields => [
            FigureWithHiddenFields::Point,
            FigureWithHiddenFields::Line(3, 9, 4),
            FigureWithHiddenFields::Square { side: 5, hidden: 9, solid: true },
        ];
        Cases => [Cases::OneTwo, Cases::Three { four_five: 1 }, Cases::Six { seven_eight: 1 }];
        CasesByHand => [CasesByHand::A, CasesByHand::B { a: 1 }, CasesByHand::C { a: 1 }];
        HiddenContent => [HiddenContent::Empty(9), HiddenContent::Other];
        NoContent => [NoContent::Empty, NoContent::Other];
        EmptyContent => [EmptyContent::Empty(), EmptyContent::Other {}];
        Adjacent => [Adjacent::One(1), Adjacent::Two(1, 2)];
        AdjacentAgain => [AdjacentAgain::One(1), AdjacentAgain::Two(1, 2)];
        AdjacentElsewhere => [AdjacentElsewhere::One(1), AdjacentElsewhere::Two(1, 2)];
        Fallback => [Fallback::One(1), Fallback::Unknown];
        AdjacentUnit => [AdjacentUnit::One(1), AdjacentUnit::Nothing];
        AdjacentStruct => [AdjacentStruct::One(1), AdjacentStruct::Two { one: 1, other: 2 }];
        Internal => [
            Internal::One(Numbers { one: 1, other: 2 }),
            Internal::Two { one: 1, other: 2 },
            Internal::Three,
        ];
        InternalAgain => [
            InternalAgain::One(Numbers { one: 1, other: 2 }),
            InternalAgain::Two { one: 1, other: 2 },
            InternalAgain::Three,
        ];
        InternalElsewhere => [InternalElsewhere::Three, InternalElsewhere::Two { one: 1, other: 2 }];
        Untagged => [
            Untagged::Number(1),
            Untagged::Text(hi()),
            Untagged::Numbers { one: 1, other: 2 },
        ];
        PartlyUntagged => [PartlyUntagged::Number(1), PartlyUntagged::Text(hi())];
        Tagged => [Tagged { one: 1 }];
        Patch => [patch(), Patch { title: Some(hi()), likes: 2 }];
        Flattened => [Flattened { one: 1, line: line("ann", "hi") }];
        FlattenedMap => [FlattenedMap { one: 1, others: BTreeMap::from([(hi(), 2)]) }];
        Around => [Around { before: 1, patch: vec![patch()], behind: 2 }];
        AroundAny => [AroundAny { any: serde_json::json!({"a": [1, null]}), behind: 2 }];
        Vec<u32> => [vec![], vec![1, 2]];
        Vec<u8> => [vec![1, 2, 200]];
        HashMap<String, u32> => [HashMap::from([(hi(), 1)])];
        BTreeMap<String, u32> => [BTreeMap::from([(ann(), 2)])];
        BTreeMap<u32, String> => [BTreeMap::from([(1, hi()), (2, ann())])];
        Result<u32, String> => [Ok(1), Err(hi())];
        Bound<u32> => [Bound::Unbounded, Bound::Included(1), Bound::Excluded(2)];
        std::ops::Range<u32> => [1..2];
        std::ops::RangeInclusive<u32> => [1..=2];
        std::ops::RangeFrom<u32> => [1..];
        std::ops::RangeTo<u32> => [..2];
        Duration => [Duration::new(1, 2)];
        std::time::SystemTime => [std::time::SystemTime::UNIX_EPOCH + Duration::new(1, 2)];
        IpAddr => [IpAddr::from([127, 0, 0, 1])];
        std::net::SocketAddr => [std::net::SocketAddr::from(([127, 0, 0, 1], 80))];
        std::path::PathBuf => ["a/b".into()];
        String => [hi()];
        Box<str> => ["hi".into()];
        char => ['é'];
        bool => [true];
        f32 => [1.5];
        f64 => [1.5];
        i8 => [-1];
        i128 => [-1 << 100];
        u128 => [1 << 100];
        usize => [7];
        std::num::NonZeroU32 => [std::num::NonZeroU32::MIN];
        std::cmp::Reverse<u32> => [std::cmp::Reverse(7)];
        std::cell::RefCell<u32> => [std::cell::RefCell::new(7)];
        std::sync::Mutex<u32> => [std::sync::Mutex::new(7)];
        std::collections::VecDeque<u32> => [std::collections::VecDeque::from([1, 2])];
        std::collections::LinkedList<u32> => [std::collections::LinkedList::from([1, 2])];
        std::collections::BinaryHeap<u16> => [std::collections::BinaryHeap::from([2, 1])];
        std::collections::BTreeSet<u32> => [std::collections::BTreeSet::from([1, 2])];
        std::collections::HashSet<i16> => [std::collections::HashSet::from([1])];
    };
    samples.extend(of_all_cases());
    samples
}
