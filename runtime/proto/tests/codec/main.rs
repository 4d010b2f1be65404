//! Codecs: what goes in comes out, types grow as the book says, and hostile bytes do no harm.

mod bytes;
#[cfg(feature = "custom")]
mod cbor;
#[cfg(any(feature = "msgpack", feature = "custom"))]
mod claims;
mod evolution;
mod hostile;
mod positional;

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use sente_proto::codec::Codec;
use serde::{Deserialize, Serialize};

/// All that are built in, and one of a program's own.
fn codecs() -> Vec<Codec> {
    let codecs = Codec::ALL.iter().copied();
    #[cfg(feature = "custom")]
    let codecs = codecs.chain([Codec::Custom(&cbor::Cbor)]);
    codecs.collect()
}

/// Whether values are written without any names.
fn is_positional(codec: Codec) -> bool {
    matches!(codec.name(), "bincode" | "postcard")
}

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
        for codec in codecs() {
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
        for codec in codecs() {
            let bytes = codec.encode(&value).unwrap();
            prop_assert!(codec.decode::<Everything>(&bytes[..at.index(bytes.len())]).is_err());
        }
    }

    #[test]
    fn a_flipped_bit_is_read_without_a_panic(value in everything(), at in any::<proptest::sample::Index>()) {
        for codec in codecs() {
            let mut bytes = codec.encode(&value).unwrap().to_vec();
            let bit = at.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = codec.decode::<Everything>(&bytes) {
                // Whatever it is now, it is a value.
                codec.encode(&other).unwrap();
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>()) {
        for codec in codecs() {
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
    for codec in codecs() {
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
    for codec in codecs() {
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
    assert!(Codec::Bincode.writer().finish().is_empty());
    Codec::Bincode.reader(b"").finish(true).unwrap();
    assert!(Codec::Bincode.reader(b"").field::<u8>().is_err());
}

#[cfg(feature = "json")]
#[test]
fn an_event_without_fields_is_an_empty_array_in_json() {
    assert_eq!(Codec::Json.writer().finish(), b"[]"[..]);
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

    for codec in codecs() {
        let mut writer = codec.writer();
        writer.field(&1_u8).unwrap();
        let error = writer.field(&Broken).unwrap_err();
        // Postcard keeps no messages.
        let why = match codec.name() {
            "postcard" => "the `Serialize` of the value failed",
            _ => "broken on purpose",
        };
        let start = format!("{} cannot encode the value: ", codec.name());
        let error = error.to_string();
        assert!(error.starts_with(&start) && error.contains(why), "{error}");
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
fn every_codec_has_a_name_of_its_own_by_which_it_is_found() {
    for (at, codec) in codecs().into_iter().enumerate() {
        assert!(
            codecs()[..at]
                .iter()
                .all(|other| other.name() != codec.name())
        );
        assert!(codecs()[..at].iter().all(|other| *other != codec));
        let is_built_in = Codec::ALL.contains(&codec);
        assert_eq!(Codec::named(codec.name()), is_built_in.then_some(codec));
    }
    assert_eq!(Codec::named("morse"), None);
    assert_eq!(Codec::default().name(), "bincode");
}

#[test]
fn an_option_that_holds_nothing_is_kept_by_positional_codecs_only() {
    for codec in codecs() {
        let bytes = codec.encode(&(Some(None::<u8>), Some(()))).unwrap();
        let read: (Option<Option<u8>>, Option<()>) = codec.decode(&bytes).unwrap();
        let kept = read == (Some(None), Some(()));
        assert_eq!(kept, is_positional(codec), "{codec:?}");
    }
}

#[cfg(feature = "msgpack")]
#[test]
fn values_look_in_msgpack_as_the_book_says() {
    let encoded = |variant: &Variant| Codec::MsgPack.encode(variant).unwrap();
    assert_eq!(encoded(&Variant::Unit), b"\xa4Unit"[..]);
    let text = encoded(&Variant::Newtype("a".to_owned()));
    assert_eq!(text, b"\x81\xa7Newtype\xa1a"[..]);
    assert_eq!(
        encoded(&Variant::Tuple(1, None)),
        b"\x81\xa5Tuple\x92\x01\xc0"[..]
    );
    let fields = encoded(&Variant::Struct {
        room: "a".to_owned(),
        count: 300,
    });
    assert_eq!(
        fields,
        b"\x81\xa6Struct\x82\xa4room\xa1a\xa5count\xcd\x01\x2c"[..]
    );
    assert_eq!(
        Codec::MsgPack.encode(&((), true)).unwrap(),
        [0x92, 0xc0, 0xc3][..]
    );
    let bytes = serde_bytes::Bytes::new(b"ab");
    assert_eq!(
        Codec::MsgPack.encode(bytes).unwrap(),
        [0xc4, 2, b'a', b'b'][..]
    );
}

#[cfg(feature = "msgpack")]
#[test]
fn fields_are_one_array_in_msgpack() {
    let payload = |fields: u8| {
        let mut writer = Codec::MsgPack.writer();
        for field in 0..fields {
            writer.field(&field).unwrap();
        }
        writer.finish()
    };
    assert_eq!(payload(0), [0x90][..]);
    assert_eq!(payload(2), [0x92, 0, 1][..]);
    assert_eq!(payload(15)[..2], [0x9f, 0]);
    assert_eq!(payload(16)[..4], [0xdc, 0, 16, 0]);
    for fields in [0, 1, 15, 16, 100] {
        let payload = payload(fields);
        let mut reader = Codec::MsgPack.reader(&payload);
        for field in 0..fields {
            assert_eq!(reader.field::<u8>().unwrap(), field);
        }
        assert_eq!(reader.field_or_default::<Option<u8>>().unwrap(), None);
        reader.finish(true).unwrap();
        // And any reader of MessagePack sees an array.
        assert_eq!(
            Codec::MsgPack.decode::<Vec<u8>>(&payload).unwrap(),
            (0..fields).collect::<Vec<_>>()
        );
    }
    // No array; fewer than it says; something behind it.
    for wrong in [
        &[][..],
        &[1],
        &[0x81, 0, 0],
        &[0x92, 1],
        &[0xdc, 0],
        &[0x92, 1, 2, 3],
    ] {
        let mut reader = Codec::MsgPack.reader(wrong);
        let read = (|| {
            reader.field_or_default::<u8>()?;
            reader.field_or_default::<u8>()?;
            reader.finish(true)
        })();
        assert!(read.is_err(), "{wrong:?}");
    }
}

#[test]
fn types_that_need_names_are_refused_by_positional_codecs_and_say_so() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Either {
        Number(u8),
        Text(String),
    }
    for codec in codecs() {
        let bytes = codec.encode("three").unwrap();
        match codec.decode::<Either>(&bytes) {
            Ok(Either::Text(text)) => {
                assert_eq!(text, "three");
                assert!(!is_positional(codec), "{codec:?}");
            }
            Ok(Either::Number(_)) => panic!("{codec:?} took a text for a number"),
            Err(error) => {
                assert!(is_positional(codec), "{error}");
                assert!(
                    error
                        .to_string()
                        .contains("needs a codec that writes names"),
                    "{error}"
                );
            }
        }
    }
}
