//! Hostile bytes for the positional codecs, byte by byte.

use std::collections::{BTreeMap, HashMap};

use sente_proto::codec::Codec;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::hostile::{Chain, Endless, Nested, Tree};

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
