//! Values of every kind that serde knows.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use sente_proto::codec::Codec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One of each kind.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Everything {
    flag: bool,
    letter: char,
    small: (u8, u16, i8, i16),
    large: (u32, u64, i32, i64),
    huge: (u128, i128),
    real: (f32, f64),
    text: String,
    list: Vec<Option<u32>>,
    map: BTreeMap<String, Vec<u8>>,
    bytes: Bytes,
    unit: (),
    nothing: Nothing,
    newtype: Newtype,
    variants: Vec<Variant>,
    #[serde(default)]
    tree: Tree,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Nothing;

#[derive(Debug, Default, Deserialize, Serialize)]
struct Newtype(Box<[u16]>);

#[derive(Debug, Deserialize, Serialize)]
enum Variant {
    Unit,
    Newtype(String),
    Tuple(i8, Option<Box<Variant>>),
    Struct { room: String, count: u64 },
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Chain(Option<Box<Chain>>);

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Endless(Box<Endless>);

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Lists(Vec<Lists>);

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code)]
enum Any {
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Any>),
    Map(HashMap<String, Any>),
}

/// Reads the bytes as many things, alone and as fields.
pub fn values(codec: Codec, bytes: &[u8]) {
    if let Ok(value) = codec.decode::<Everything>(bytes) {
        again(codec, &value);
    }
    read::<Vec<Everything>>(codec, bytes);
    read::<Tree>(codec, bytes);
    read::<Chain>(codec, bytes);
    read::<Lists>(codec, bytes);
    read::<Any>(codec, bytes);
    read::<Vec<()>>(codec, bytes);
    read::<Vec<Nothing>>(codec, bytes);
    read::<Vec<[u64; 16]>>(codec, bytes);
    read::<HashMap<u64, String>>(codec, bytes);
    read::<Vec<Vec<Vec<u64>>>>(codec, bytes);
    assert!(codec.decode::<Endless>(bytes).is_err());

    let mut reader = codec.reader(bytes);
    while reader
        .field::<Option<Variant>>()
        .is_ok_and(|field| field.is_some())
    {}
    let _ = reader.field_or_default::<Everything>();
    let _ = reader.field_or_default::<Bytes>();
    let _ = reader.field_or_default::<String>();
    let _ = reader.finish(true);
}

fn read<T: DeserializeOwned>(codec: Codec, bytes: &[u8]) {
    let _ = codec.decode::<T>(bytes);
}

/// What was read can be written and read again, and is then the same.
fn again(codec: Codec, value: &Everything) {
    let once = codec.encode(value).expect("a value that was read");
    // A number that is not finite is `null` in JSON, and that is no number.
    let Ok(value) = codec.decode::<Everything>(&once) else {
        assert!(codec.is_text() && !(value.real.0.is_finite() && value.real.1.is_finite()));
        return;
    };
    assert_eq!(codec.encode(&value).expect("the same value"), once);
}

/// Values to begin with.
pub fn seeds(codec: Codec) -> Vec<Bytes> {
    let full = Everything {
        flag: true,
        letter: 'ß',
        small: (250, 251, -1, -300),
        large: (70_000, u64::MAX, -1, i64::MIN),
        huge: (u128::MAX, i128::MIN),
        real: (1.5, -2.25e100),
        text: "lobby".to_owned(),
        list: vec![Some(1), None],
        map: BTreeMap::from([("a".to_owned(), vec![1, 2, 255])]),
        bytes: Bytes::from_static(b"\x00\xff bytes"),
        newtype: Newtype(Box::new([1, 1000])),
        variants: vec![
            Variant::Unit,
            Variant::Newtype("text".to_owned()),
            Variant::Tuple(-3, Some(Box::new(Variant::Unit))),
            Variant::Struct {
                room: "lobby".to_owned(),
                count: 7,
            },
        ],
        tree: Tree {
            name: "root".to_owned(),
            children: vec![Tree::default(), Tree::default()],
        },
        ..Everything::default()
    };
    let mut writer = codec.writer();
    let fields: [&str; 2] = ["lobby", "hello"];
    for field in fields {
        writer.field(field).expect("a text");
    }
    vec![
        codec.encode(&full).expect("one of each kind"),
        codec
            .encode(&Everything::default())
            .expect("one of each kind"),
        codec
            .encode(&vec![vec![vec![1_u64, 1 << 40]]])
            .expect("lists"),
        writer.finish(),
    ]
}
