//! Codecs: what goes in comes out, and hostile bytes do no harm.

use std::collections::{BTreeMap, HashMap};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use sente_proto::codec::Codec;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Everything {
    flag: bool,
    letter: char,
    small: (u8, u16, i8, i16),
    large: (u32, u64, i32, i64),
    huge: (u128, i128),
    real: (f32, f64),
    text: String,
    list: Vec<Option<u32>>,
    map: BTreeMap<String, Vec<u8>>,
    unit: (),
    newtype: Newtype,
    variants: Vec<Variant>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Newtype(Box<[u16]>);

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Variant {
    Unit,
    Newtype(String),
    Tuple(i8, Option<Box<Variant>>),
    Struct { room: String, count: u64 },
}

fn variant() -> impl Strategy<Value = Variant> {
    let leaf = prop_oneof![
        Just(Variant::Unit),
        any::<String>().prop_map(Variant::Newtype),
        any::<(String, u64)>().prop_map(|(room, count)| Variant::Struct { room, count }),
    ];
    leaf.prop_recursive(8, 16, 1, |inner| {
        (any::<i8>(), proptest::option::of(inner.prop_map(Box::new)))
            .prop_map(|(n, inner)| Variant::Tuple(n, inner))
    })
}

fn everything() -> impl Strategy<Value = Everything> {
    let finite = (-1.0e6_f32..1.0e6, -1.0e9_f64..1.0e9);
    let first = (
        any::<bool>(),
        any::<char>(),
        any::<(u8, u16, i8, i16)>(),
        any::<(u32, u64, i32, i64)>(),
    );
    let second = (
        any::<(u128, i128)>(),
        finite,
        any::<String>(),
        vec(any::<Option<u32>>(), 0..8),
    );
    let third = (
        btree_map(any::<String>(), vec(any::<u8>(), 0..8), 0..4),
        vec(any::<u16>(), 0..8).prop_map(|list| Newtype(list.into())),
        vec(variant(), 0..4),
    );
    (first, second, third).prop_map(
        |((flag, letter, small, large), (huge, real, text, list), (map, newtype, variants))| {
            Everything {
                flag,
                letter,
                small,
                large,
                huge,
                real,
                text,
                list,
                map,
                unit: (),
                newtype,
                variants,
            }
        },
    )
}

proptest! {
    #[test]
    fn values_come_back(value in everything()) {
        for &codec in Codec::ALL {
            let bytes = codec.encode(&value).unwrap();
            prop_assert_eq!(&codec.decode::<Everything>(&bytes).unwrap(), &value);

            let mut writer = codec.writer();
            writer.field(&value).unwrap();
            writer.field("second").unwrap();
            writer.field(&value.list).unwrap();
            let payload = writer.finish();
            let mut reader = codec.reader(&payload);
            prop_assert_eq!(&reader.field::<Everything>().unwrap(), &value);
            prop_assert_eq!(reader.field::<String>().unwrap(), "second");
            prop_assert_eq!(&reader.field_or_default::<Vec<Option<u32>>>().unwrap(), &value.list);
            reader.finish(true).unwrap();
        }
    }

    #[test]
    fn a_part_of_a_value_is_an_error(value in everything(), at in any::<proptest::sample::Index>()) {
        for &codec in Codec::ALL {
            let bytes = codec.encode(&value).unwrap();
            prop_assert!(codec.decode::<Everything>(&bytes[..at.index(bytes.len())]).is_err());
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>()) {
        for &codec in Codec::ALL {
            let _ = codec.decode::<Everything>(&bytes);
            let _ = codec.decode::<Vec<Variant>>(&bytes);
            let mut reader = codec.reader(&bytes);
            while reader.field::<Option<Variant>>().is_ok_and(|value| value.is_some()) {}
            let _ = reader.field_or_default::<String>();
            let _ = reader.finish(true);
        }
    }
}

#[test]
fn fields_that_an_old_sender_lacks_take_their_default() {
    for &codec in Codec::ALL {
        let mut writer = codec.writer();
        writer.field("lobby").unwrap();
        let payload = writer.finish();

        let mut reader = codec.reader(&payload);
        assert_eq!(reader.field::<String>().unwrap(), "lobby");
        assert_eq!(reader.field_or_default::<u32>().unwrap(), 0);
        assert_eq!(reader.field_or_default::<Option<String>>().unwrap(), None);
        reader.finish(true).unwrap();
    }
}

#[test]
fn fields_that_only_a_new_sender_has_are_an_error_if_they_may_not_be() {
    for &codec in Codec::ALL {
        let mut writer = codec.writer();
        writer.field("lobby").unwrap();
        writer.field(&7_u32).unwrap();
        let payload = writer.finish();

        for exact in [false, true] {
            let mut reader = codec.reader(&payload);
            assert_eq!(reader.field::<String>().unwrap(), "lobby");
            assert_eq!(reader.finish(exact).is_err(), exact);
        }
    }
}

#[test]
fn an_event_without_fields_is_empty() {
    assert_eq!(Codec::Bincode.writer().finish(), b"");
    Codec::Bincode.reader(b"").finish(true).unwrap();
    assert!(Codec::Bincode.reader(b"").field::<u8>().is_err());
}

#[cfg(feature = "json")]
#[test]
fn an_event_without_fields_is_an_empty_array_in_json() {
    assert_eq!(Codec::Json.writer().finish(), b"[]");
    Codec::Json.reader(b"[]").finish(true).unwrap();
    Codec::Json.reader(b" [ ] ").finish(true).unwrap();
    assert!(Codec::Json.reader(b"[]").field::<u8>().is_err());
    assert_eq!(
        Codec::Json.reader(b"[]").field_or_default::<u8>().unwrap(),
        0
    );
}

#[cfg(feature = "json")]
#[test]
fn json_fields_need_an_array_with_commas() {
    for wrong in [
        "", "1", "{}", "[", "[1", "[1 2]", "[1,]", "[,1]", "[1]]", "[1] 2", "[1x]", "null",
    ] {
        let mut reader = Codec::Json.reader(wrong.as_bytes());
        let read = (|| {
            reader.field::<u8>()?;
            reader.field_or_default::<u8>()?;
            reader.finish(true)
        })();
        assert!(read.is_err(), "{wrong}");
    }
    let mut reader = Codec::Json.reader(b" [ 1 , \"a b\" , [ 2 ] ] ");
    assert_eq!(reader.field::<u8>().unwrap(), 1);
    assert_eq!(reader.field::<String>().unwrap(), "a b");
    assert_eq!(reader.field::<Vec<u8>>().unwrap(), [2]);
    reader.finish(true).unwrap();
}

#[test]
fn a_field_that_cannot_be_written_leaves_nothing_behind() {
    /// Fails after it has written something.
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::{Error, SerializeSeq};
            let mut seq = serializer.serialize_seq(Some(2))?;
            seq.serialize_element("half")?;
            Err(S::Error::custom("broken on purpose"))
        }
    }

    for &codec in Codec::ALL {
        let mut writer = codec.writer();
        writer.field(&1_u8).unwrap();
        let error = writer.field(&Broken).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{} cannot encode the value: broken on purpose",
                codec.name()
            )
        );
        writer.field(&2_u8).unwrap();
        let payload = writer.finish();
        let mut reader = codec.reader(&payload);
        assert_eq!(
            (reader.field::<u8>().unwrap(), reader.field::<u8>().unwrap()),
            (1, 2)
        );
        reader.finish(true).unwrap();
    }
}

#[test]
fn types_that_need_names_are_refused_by_bincode_and_say_so() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Either {
        Number(u8),
        Text(String),
    }
    let error = Codec::Bincode.decode::<Either>(&[1, 2, 3]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("needs a codec that writes names"),
        "{error}"
    );
}

// What follows is hostile.

/// A length of 2^40 as bincode writes it, and little behind it.
const FORGED: &[u8] = &[253, 0, 0, 0, 0, 0, 1, 0, 0, b'a', b'b'];

fn refused<T: DeserializeOwned>(bytes: &[u8]) -> String {
    match Codec::Bincode.decode::<T>(bytes) {
        Ok(_) => panic!("hostile bytes were read"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn forged_lengths_are_refused_before_anything_is_allocated() {
    // Longer than any value may be, and longer than what is there.
    assert!(refused::<String>(FORGED).contains("larger than any may be"));
    assert!(refused::<String>(&[252, 0, 0, 0, 1, b'a']).contains("end early"));
    assert!(refused::<String>(&[3, b'a', b'b']).contains("end early"));
    refused::<Box<str>>(FORGED);
    refused::<std::path::PathBuf>(FORGED);
    refused::<std::ffi::CString>(FORGED);
    assert!(refused::<Vec<u8>>(FORGED).contains("more than the bytes can hold"));
    assert!(refused::<Vec<String>>(FORGED).contains("more than the bytes can hold"));
    assert!(refused::<HashMap<u64, u64>>(FORGED).contains("more than the bytes can hold"));
    assert!(refused::<BTreeMap<u8, ()>>(FORGED).contains("more than the bytes can hold"));
    // The largest length there is.
    refused::<Vec<u8>>(&[253, 255, 255, 255, 255, 255, 255, 255, 255]);
    refused::<String>(&[253, 255, 255, 255, 255, 255, 255, 255, 255]);
}

/// What a sequence says about its length before its elements are read: what a `Vec` would allocate.
struct Hint(Option<usize>);

impl<'de> Deserialize<'de> for Hint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HintVisitor;
        impl<'de> Visitor<'de> for HintVisitor {
            type Value = Hint;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a sequence")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Hint, A::Error> {
                let hint = seq.size_hint();
                while seq.next_element::<()>()?.is_some() {}
                Ok(Hint(hint))
            }
        }
        deserializer.deserialize_seq(HintVisitor)
    }
}

#[test]
fn no_more_is_allocated_ahead_than_there_are_bytes() {
    // A claim of 4,000 elements with three bytes behind it.
    let bytes = [251, 0xa0, 0x0f, 1, 2, 3];
    let mut reader = Codec::Bincode.reader(&bytes);
    assert_eq!(reader.field::<Hint>().unwrap().0, Some(3));
}

#[test]
fn floods_of_elements_without_bytes_are_bounded() {
    #[derive(Debug, Deserialize)]
    struct Nothing;

    // 2^26 of them, which bincode itself would read one by one.
    let flood = [252, 0, 0, 0, 4];
    assert!(refused::<Vec<()>>(&flood).contains("67108864 elements"));
    assert!(refused::<Vec<Nothing>>(&flood).contains("67108864 elements"));
    assert!(refused::<BTreeMap<(), ()>>(&flood).contains("67108864 elements"));
    // Some are nobody's harm, but all sequences of a payload share what is allowed.
    let some = [251, 0xd0, 0x07]; // 2,000
    assert_eq!(Codec::Bincode.decode::<Vec<()>>(&some).unwrap().len(), 2000);
    let thrice = [some, some, some].concat();
    refused::<(Vec<()>, Vec<()>, Vec<()>)>(&thrice);
    let mut reader = Codec::Bincode.reader(&thrice);
    assert!(reader.field::<Vec<()>>().is_ok());
    assert!(reader.field::<Vec<()>>().is_ok());
    assert!(reader.field::<Vec<()>>().is_err());
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
enum Nested {
    Deeper(Box<Nested>),
    End,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Chain(Option<Box<Chain>>);

/// Nobody can make one, but whoever reads one goes on for ever without a byte.
#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Endless(Box<Endless>);

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[test]
fn nesting_is_bounded() {
    let deep = vec![0; 65_536];
    assert!(refused::<Nested>(&deep).contains("nest deeper than 128"));
    assert!(refused::<Chain>(&vec![1; 65_536]).contains("nest deeper than 128"));
    assert!(refused::<Endless>(&deep).contains("nest deeper than 128"));
    assert!(refused::<Tree>(&[0, 1].repeat(32_768)).contains("nest deeper than 128"));
}

#[test]
fn values_may_nest_as_deep_as_is_said() {
    let depth = |levels: usize| [vec![0; levels - 1], vec![1]].concat();
    assert!(Codec::Bincode.decode::<Nested>(&depth(128)).is_ok());
    assert!(Codec::Bincode.decode::<Nested>(&depth(129)).is_err());
    // What was deep does not count for what follows it.
    let twice = [depth(100), depth(100)].concat();
    assert!(Codec::Bincode.decode::<(Nested, Nested)>(&twice).is_ok());
}

#[cfg(feature = "json")]
#[test]
fn nesting_is_bounded_in_json() {
    let deep = "[".repeat(65_536);
    assert!(Codec::Json.decode::<Vec<Tree>>(deep.as_bytes()).is_err());
    let deep = format!(
        "{}\"End\"{}",
        "{\"Deeper\":".repeat(10_000),
        "}".repeat(10_000)
    );
    let error = Codec::Json.decode::<Nested>(deep.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
    let payload = format!("[{deep}]");
    assert!(
        Codec::Json
            .reader(payload.as_bytes())
            .field::<Nested>()
            .is_err()
    );
}
