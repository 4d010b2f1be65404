//! Strings of bytes: in one piece, not one by one.

use bytes::Bytes;
use sente_proto::codec::Codec;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;

use crate::codecs;

/// Is written as bytes, and notes how it is read.
#[derive(Debug, PartialEq)]
enum Piece {
    /// Where in the payload it lies: nothing was copied before the type itself did.
    Within(std::ops::Range<usize>),
    Whole(usize),
    OneByOne(usize),
}

struct Sent<'a>(&'a [u8]);

impl Serialize for Sent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PieceVisitor;
        impl<'de> Visitor<'de> for PieceVisitor {
            type Value = Piece;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Piece, E> {
                let start = bytes.as_ptr() as usize;
                Ok(Piece::Within(start..start + bytes.len()))
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Piece, E> {
                Ok(Piece::Whole(bytes.len()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Piece, A::Error> {
                let mut length = 0;
                while seq.next_element::<u8>()?.is_some() {
                    length += 1;
                }
                Ok(Piece::OneByOne(length))
            }
        }
        // As `Bytes` and `ByteBuf` do.
        deserializer.deserialize_byte_buf(PieceVisitor)
    }
}

#[test]
fn bytes_are_handed_over_in_one_piece_by_binary_codecs() {
    let sent = [0xe5; 1000];
    for codec in codecs() {
        let mut writer = codec.writer();
        writer.field(&Sent(&sent)).unwrap();
        let payload = writer.finish();
        let piece: Piece = codec.reader(&payload).field().unwrap();
        match piece {
            Piece::Within(place) => {
                let whole = payload.as_ptr_range();
                let whole = whole.start as usize..whole.end as usize;
                assert!(
                    whole.start < place.start && place.end <= whole.end,
                    "{codec:?}"
                );
                assert_eq!(place.len(), sent.len());
                // Their length before them, and nothing else.
                assert!(payload.len() <= sent.len() + 8, "{codec:?}");
            }
            // JSON has no bytes.
            other => {
                assert_eq!(other, Piece::OneByOne(sent.len()));
                assert_eq!(codec.name(), "json");
            }
        }
    }
}

// ANCHOR: bytes
#[derive(Deserialize, Serialize)]
struct Picture {
    name: String,
    /// With `bytes = { version = "1", features = ["serde"] }`.
    data: Bytes,
    /// With `serde_bytes = "0.11"`, for those who want a `Vec`.
    #[serde(with = "serde_bytes")]
    thumbnail: Vec<u8>,
}
// ANCHOR_END: bytes

#[test]
fn a_struct_with_bytes_is_little_more_than_its_bytes() {
    let picture = Picture {
        name: "tea".to_owned(),
        data: Bytes::from(vec![0xff; 1000]),
        thumbnail: vec![0xff; 100],
    };
    for codec in codecs() {
        let bytes = codec.encode(&picture).unwrap();
        // JSON writes `255,` for each.
        let limit = if codec.name() == "json" { 4500 } else { 1140 };
        assert!(bytes.len() < limit, "{codec:?}: {}", bytes.len());
        let read: Picture = codec.decode(&bytes).unwrap();
        assert_eq!(read.name, picture.name);
        assert_eq!(
            (read.data, read.thumbnail),
            (picture.data.clone(), picture.thumbnail.clone())
        );
    }
}

#[test]
fn bytes_come_back_from_every_codec() {
    let sent: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    for codec in codecs() {
        for length in [0, 1, 31, 32, 255, 256, 65_535, 65_536, 70_000] {
            let sent = &sent[..length];
            let bytes = codec.encode(&Bytes::copy_from_slice(sent)).unwrap();
            assert_eq!(codec.decode::<Bytes>(&bytes).unwrap(), sent);
            assert_eq!(codec.decode::<ByteBuf>(&bytes).unwrap(), sent);
        }
    }
}

#[test]
fn vec_and_bytes_are_the_same_to_all_but_msgpack_and_cbor() {
    let sent: Vec<u8> = (0..=255).collect();
    for codec in codecs() {
        let list = codec.encode(&sent).unwrap();
        let bytes = codec.encode(&Bytes::from(sent.clone())).unwrap();
        // So a field may change from the one to the other without a new event.
        let are_same = !matches!(codec.name(), "msgpack" | "cbor");
        assert_eq!(list == bytes, are_same, "{codec:?}");
        if codec == Codec::Bincode {
            assert_eq!(list.len(), 256 + 3);
        }
        // A list can be read as bytes, and bytes as a list, by all that are built in.
        if Codec::ALL.contains(&codec) {
            assert_eq!(codec.decode::<Bytes>(&list).unwrap(), sent, "{codec:?}");
            assert_eq!(codec.decode::<Vec<u8>>(&bytes).unwrap(), sent, "{codec:?}");
        }
    }
}
