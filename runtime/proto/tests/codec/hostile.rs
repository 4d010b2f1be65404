//! Bytes that are made to do harm, for every codec.

use std::collections::BTreeMap;

use sente_proto::codec::Codec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codecs;

#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Nested {
    Deeper(Box<Nested>),
    End,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Chain(pub(crate) Option<Box<Chain>>);

/// Nobody can make one, but whoever reads one goes on for ever without a byte.
#[derive(Debug, Deserialize)]
#[allow(dead_code)]
pub(crate) struct Endless(Box<Endless>);

#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Tree {
    pub(crate) name: String,
    pub(crate) children: Vec<Tree>,
}

pub(crate) fn nested(levels: usize) -> Nested {
    (1..levels).fold(Nested::End, |inner, _| Nested::Deeper(Box::new(inner)))
}

fn tree(levels: usize) -> Tree {
    (1..levels).fold(Tree::default(), |inner, _| Tree {
        name: String::new(),
        children: vec![inner],
    })
}

pub(crate) fn refused<T: DeserializeOwned>(codec: Codec, bytes: &[u8]) -> String {
    match codec.decode::<T>(bytes) {
        Ok(_) => panic!("{codec:?} has read hostile bytes"),
        Err(error) => error.to_string(),
    }
}

/// `serde_json` stops by itself where brackets nest too deep, and says it so.
fn assert_too_deep(codec: Codec, error: &str) {
    let known = [
        "nest deeper than 128",
        "recursion limit",
        "Recursion limit",
        "depth",
    ];
    assert!(
        known.iter().any(|known| error.contains(known)),
        "{codec:?}: {error}"
    );
}

#[test]
fn values_nest_as_deep_in_every_codec() {
    for codec in codecs() {
        for (levels, fits) in [(128, true), (129, false), (1000, false)] {
            let bytes = codec.encode(&nested(levels)).unwrap();
            let read = codec.decode::<Nested>(&bytes);
            assert_eq!(
                read.is_ok(),
                fits,
                "{codec:?}, {levels} levels: {:?}",
                read.err()
            );
            // As deep as a field as alone.
            let mut writer = codec.writer();
            writer.field(&nested(levels)).unwrap();
            let payload = writer.finish();
            assert_eq!(codec.reader(&payload).field::<Nested>().is_ok(), fits);
        }
        // A struct within a list is two levels.
        for (levels, fits) in [(63, true), (65, false)] {
            let bytes = codec.encode(&tree(levels)).unwrap();
            assert_eq!(
                codec.decode::<Tree>(&bytes).is_ok(),
                fits,
                "{codec:?}, {levels} levels"
            );
        }
        // What was deep does not count for what follows it.
        let twice = codec.encode(&(nested(100), nested(100))).unwrap();
        assert!(codec.decode::<(Nested, Nested)>(&twice).is_ok());
    }
}

#[test]
fn types_that_recurse_without_bytes_end() {
    for codec in codecs() {
        // The first byte of anything, so that each codec begins.
        for byte in 0..=255 {
            for length in [1, 2, 300] {
                let bytes = vec![byte; length];
                assert!(codec.decode::<Endless>(&bytes).is_err());
                let _ = codec.decode::<Chain>(&bytes);
                let _ = codec.reader(&bytes).field::<Chain>();
            }
        }
        if let Ok(bytes) = codec.encode(&1_u8) {
            assert_too_deep(codec, &refused::<Endless>(codec, &bytes));
        }
    }
}

#[test]
fn floods_of_elements_without_bytes_are_bounded() {
    #[derive(Debug, Deserialize, Serialize)]
    struct Nothing;

    for codec in codecs() {
        // Some are nobody's harm.
        let some: Vec<()> = vec![(); 4000];
        let bytes = codec.encode(&some).unwrap();
        assert_eq!(codec.decode::<Vec<()>>(&bytes).unwrap().len(), 4000);
        let many = codec.encode(&vec![(); 1 << 20]).unwrap();
        let read = codec.decode::<Vec<()>>(&many);
        // Where nothing has no bytes, a few bytes could ask for much; where it has, it pays.
        assert_eq!(read.is_err(), many.len() < 10_000, "{codec:?}");
        let many: Vec<_> = (0..1 << 20).map(|_| Nothing).collect();
        let many = codec.encode(&many).unwrap();
        assert_eq!(
            codec.decode::<Vec<Nothing>>(&many).is_err(),
            many.len() < 10_000
        );
    }
}

#[cfg(feature = "custom")]
#[test]
fn floods_within_a_codec_of_ones_own_are_bounded() {
    use sente_proto::codec::{CustomCodec, CustomError, CustomSlot, CustomValue};
    use serde::de::DeserializeSeed;
    use serde::de::value::{Error, SeqDeserializer};

    /// Makes a million empty values out of no bytes, and says so beforehand or not.
    struct Flood {
        says_so: bool,
    }

    impl CustomCodec for Flood {
        fn name(&self) -> &'static str {
            "flood"
        }
        fn encode(&self, _: CustomValue<'_>, _: &mut Vec<u8>) -> Result<(), CustomError> {
            Ok(())
        }
        fn decode(&self, _: &[u8], slot: CustomSlot<'_>) -> Result<(), CustomError> {
            let (all, some) = ((0..1_000_000).map(|_| ()), |(): &()| true);
            if self.says_so {
                slot.deserialize(SeqDeserializer::<_, Error>::new(all))?;
            } else {
                slot.deserialize(SeqDeserializer::<_, Error>::new(all.filter(some)))?;
            }
            Ok(())
        }
    }

    for codec in [&Flood { says_so: true }, &Flood { says_so: false }] {
        let error = Codec::Custom(codec).decode::<Vec<()>>(&[]).unwrap_err();
        let claim = if codec.says_so { "1000000" } else { "1" };
        assert!(
            error.to_string().contains(&format!(
                "{claim} elements are more than the bytes can hold"
            )),
            "{error}"
        );
    }
}

#[test]
fn every_prefix_of_a_value_is_an_error() {
    let value = (
        tree(3),
        nested(4),
        vec![Some(1_u64), None, Some(u64::MAX)],
        BTreeMap::from([("a".to_owned(), -1.5_f64), ("b".to_owned(), 2.25)]),
        'ß',
        300_u16,
    );
    for codec in codecs() {
        let bytes = codec.encode(&value).unwrap();
        let mut writer = codec.writer();
        writer.field(&value).unwrap();
        writer.field("last").unwrap();
        let payload = writer.finish();
        for length in 0..bytes.len() {
            same_type(&value, codec.decode(&bytes[..length]));
        }
        for length in 0..payload.len() {
            let mut reader = codec.reader(&payload[..length]);
            let read = (|| {
                let first = reader.field();
                let second = reader.field::<String>();
                reader.finish(true)?;
                Ok((first?, second?))
            })();
            let _: &Result<(_, String), sente_proto::codec::DecodeError> = &read;
            same_type(&value, read.map(|(first, _)| first));
        }
    }

    fn same_type<T: DeserializeOwned>(_: &T, read: Result<T, sente_proto::codec::DecodeError>) {
        assert!(read.is_err(), "a part of a value was read");
    }
}

#[test]
fn bytes_behind_a_value_are_an_error() {
    for codec in codecs() {
        for more in [&b"\x00"[..], b"\xff", b"1", b"null"] {
            let bytes = [&codec.encode(&7_u8).unwrap(), more].concat();
            // Behind a 7 a 1 makes it 71 in JSON.
            let is_number = codec.is_text() && more == b"1";
            assert_eq!(
                codec.decode::<u8>(&bytes).is_ok(),
                is_number,
                "{codec:?} {more:?}"
            );
        }
    }
}

#[cfg(feature = "json")]
#[test]
fn nesting_is_bounded_in_json() {
    let deep = "[".repeat(65_536);
    refused::<Vec<Tree>>(Codec::Json, deep.as_bytes());
    let deep = format!(
        "{}\"End\"{}",
        "{\"Deeper\":".repeat(10_000),
        "}".repeat(10_000)
    );
    assert_too_deep(
        Codec::Json,
        &refused::<Nested>(Codec::Json, deep.as_bytes()),
    );
    let payload = format!("[{deep}]");
    let error = Codec::Json
        .reader(payload.as_bytes())
        .field::<Nested>()
        .unwrap_err();
    assert_too_deep(Codec::Json, &error.to_string());
    // Unknown fields are passed over without recursion, however deep.
    let unknown = format!("{{\"x\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    refused::<Tree>(Codec::Json, unknown.as_bytes());
}

#[cfg(feature = "msgpack")]
#[test]
fn nesting_is_bounded_in_msgpack() {
    for deep in [
        vec![0x91; 65_536],
        [0x81, 0xa6, b'D', b'e', b'e', b'p', b'e', b'r'].repeat(10_000),
        [0x81, 0xa1, b'x'].repeat(10_000),
    ] {
        refused::<Tree>(Codec::MsgPack, &deep);
        refused::<Nested>(Codec::MsgPack, &deep);
        refused::<Chain>(Codec::MsgPack, &deep);
        refused::<Vec<Tree>>(Codec::MsgPack, &deep);
    }
    let deep = [0x81, 0xa6, b'D', b'e', b'e', b'p', b'e', b'r'].repeat(10_000);
    assert_too_deep(Codec::MsgPack, &refused::<Nested>(Codec::MsgPack, &deep));
}
