//! Forged lengths, for the codecs that say themselves what their bytes are.

use std::collections::{BTreeMap, HashMap};

use sente_proto::codec::Codec;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::codecs;
use crate::hostile::{Nested, Tree, refused};

/// What a sequence or map says about its length before its elements are read: what a collection
/// would allocate.
struct Hint(Option<usize>);

impl<'de> Deserialize<'de> for Hint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HintVisitor;
        impl<'de> Visitor<'de> for HintVisitor {
            type Value = Hint;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a sequence or a map")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Hint, A::Error> {
                let hint = seq.size_hint();
                while seq.next_element::<u8>()?.is_some() {}
                Ok(Hint(hint))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hint, A::Error> {
                let hint = map.size_hint();
                while map.next_entry::<u8, u8>()?.is_some() {}
                Ok(Hint(hint))
            }
        }
        deserializer.deserialize_any(HintVisitor)
    }
}

/// A length of almost 2^32 before little, as each codec writes it for texts, bytes, lists and maps.
fn forged(codec: Codec) -> [Vec<u8>; 4] {
    let kinds = match codec.name() {
        "msgpack" => [0xdb, 0xc6, 0xdd, 0xdf],
        "cbor" => [0x7a, 0x5a, 0x9a, 0xba],
        other => panic!("no forgeries for {other}"),
    };
    kinds.map(|kind| vec![kind, 0xff, 0xff, 0xff, 0xf0, 1, 2, 3])
}

#[test]
fn forged_lengths_are_refused_before_anything_is_allocated() {
    let codecs = codecs()
        .into_iter()
        .filter(|codec| !crate::is_positional(*codec) && !codec.is_text());
    for codec in codecs {
        let [text, bytes, list, map] = forged(codec);
        for forged in [&text, &bytes, &list, &map] {
            refused::<String>(codec, forged);
            refused::<serde_bytes::ByteBuf>(codec, forged);
            refused::<bytes::Bytes>(codec, forged);
            refused::<Vec<u8>>(codec, forged);
            refused::<Vec<String>>(codec, forged);
            refused::<BTreeMap<u8, u8>>(codec, forged);
            refused::<HashMap<u64, u64>>(codec, forged);
            refused::<Tree>(codec, forged);
            refused::<Nested>(codec, forged);
        }
        assert!(refused::<Vec<u64>>(codec, &list).contains("more than the bytes can hold"));
        assert!(refused::<BTreeMap<u8, u8>>(codec, &map).contains("more than the bytes can hold"));
        // What is true is passed on, and no more.
        let honest = codec.encode(&vec![1_u8, 2, 3]).unwrap();
        assert_eq!(codec.decode::<Hint>(&honest).unwrap().0, Some(3));
    }
}

#[cfg(feature = "msgpack")]
#[test]
fn many_lists_together_claim_no_more_than_the_bytes_can_hold() {
    // Each claims what is left of the 1,000 bytes, and holds the next.
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Lists(Vec<Lists>);

    let mut bytes = Vec::new();
    while bytes.len() < 999 {
        let left = 1000 - bytes.len() - 3;
        bytes.extend([0xdc, (left >> 8) as u8, left as u8]);
    }
    bytes.resize(1000, 0xc0);
    let error = refused::<Lists>(Codec::MsgPack, &bytes);
    assert!(
        error.contains("994 elements are more than the bytes can hold"),
        "{error}"
    );
}
