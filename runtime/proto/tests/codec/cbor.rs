//! A codec of a program's own: CBOR, by a crate that knows nothing of sente.

use cbor4ii::core::dec::Read;
use cbor4ii::core::utils::{BufWriter, SliceReader};
use cbor4ii::serde::{Deserializer, Serializer};
use sente_proto::codec::{Codec, CustomCodec, CustomError, CustomSlot, CustomValue};
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};

pub(crate) struct Cbor;

impl CustomCodec for Cbor {
    fn name(&self) -> &'static str {
        "cbor"
    }

    fn encode(&self, value: CustomValue<'_>, out: &mut Vec<u8>) -> Result<(), CustomError> {
        let mut serializer = Serializer::new(BufWriter::new(std::mem::take(out)));
        let result = value.serialize(&mut serializer);
        *out = serializer.into_inner().into_inner();
        Ok(result?)
    }

    fn decode(&self, bytes: &[u8], slot: CustomSlot<'_>) -> Result<(), CustomError> {
        let mut deserializer = Deserializer::new(SliceReader::new(bytes));
        slot.deserialize(&mut deserializer)?;
        match deserializer.into_inner().fill(1)?.as_ref() {
            [] => Ok(()),
            _ => Err("something follows the value".into()),
        }
    }
}

#[test]
fn each_field_stands_behind_its_length() {
    let codec = Codec::Custom(&Cbor);
    let mut writer = codec.writer();
    writer.field(&7_u8).unwrap();
    writer.field(&vec![0_u8; 200]).unwrap();
    let payload = writer.finish();
    // Seven; then an array of 200 zeros, whose two bytes of header make it 202 bytes long.
    assert_eq!(payload[..6], [1, 7, 0xca, 0x01, 0x98, 200]);
    assert_eq!(payload.len(), 4 + 202);

    let mut reader = codec.reader(&payload);
    assert_eq!(reader.field::<u8>().unwrap(), 7);
    assert_eq!(reader.field::<Vec<u8>>().unwrap(), [0; 200]);
    reader.finish(true).unwrap();
}

#[test]
fn lengths_of_fields_are_not_believed() {
    let codec = Codec::Custom(&Cbor);
    let forged = [
        &[2, 7][..],
        &[0x80],
        &[0xff; 9],
        &[0xff; 20],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 7],
    ];
    for bytes in forged {
        let error = codec.reader(bytes).field::<u8>().unwrap_err();
        assert!(error.to_string().contains("end early"), "{error}");
    }
}

/// A library for a positional format without any wall, as it comes.
struct Positional;

impl CustomCodec for Positional {
    fn name(&self) -> &'static str {
        "positional"
    }

    fn encode(&self, value: CustomValue<'_>, out: &mut Vec<u8>) -> Result<(), CustomError> {
        postcard::to_io(&value, out)?;
        Ok(())
    }

    fn decode(&self, bytes: &[u8], slot: CustomSlot<'_>) -> Result<(), CustomError> {
        Ok(slot.deserialize(&mut postcard::Deserializer::from_bytes(bytes))?)
    }
}

#[test]
fn what_a_type_itself_asks_for_is_no_flood() {
    // Such formats hand over tuples and structs as lists. They cost a program what it wrote down.
    type Empty = ((), (), (), (), (), (), (), ());
    #[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
    struct Wide(Empty, [(); 8], u8);
    #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
    enum Either {
        Tuple(u8, (), (), (), (), (), ()),
        Struct { a: (), b: (), c: (), d: u8 },
    }
    let codec = Codec::Custom(&Positional);
    let wide = vec![Wide::default(); 10_000];
    let bytes = codec.encode(&wide).unwrap();
    assert_eq!(codec.decode::<Vec<Wide>>(&bytes).unwrap(), wide);
    let tuples = vec![Either::Tuple(1, (), (), (), (), (), ()); 10_000];
    let bytes = codec.encode(&tuples).unwrap();
    assert_eq!(codec.decode::<Vec<Either>>(&bytes).unwrap(), tuples);
    let fields = Either::Struct {
        a: (),
        b: (),
        c: (),
        d: 1,
    };
    let structs = vec![fields; 10_000];
    let bytes = codec.encode(&structs).unwrap();
    assert_eq!(codec.decode::<Vec<Either>>(&bytes).unwrap(), structs);

    // But a flood is one, and so is a claim.
    let flood = codec.encode(&vec![(); 1 << 20]).unwrap();
    assert!(codec.decode::<Vec<()>>(&flood).is_err());
    assert!(codec.decode::<Vec<u64>>(&flood).is_err());
    let deep = codec.encode(&crate::hostile::nested(129)).unwrap();
    assert!(codec.decode::<crate::hostile::Nested>(&deep).is_err());
}

#[test]
fn a_codec_that_reads_nothing_is_told_off() {
    struct Lazy;
    impl CustomCodec for Lazy {
        fn name(&self) -> &'static str {
            "lazy"
        }
        fn encode(&self, _: CustomValue<'_>, _: &mut Vec<u8>) -> Result<(), CustomError> {
            Ok(())
        }
        fn decode(&self, _: &[u8], _: CustomSlot<'_>) -> Result<(), CustomError> {
            Ok(())
        }
    }
    let error = Codec::Custom(&Lazy).decode::<u8>(&[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "lazy cannot decode the bytes: the codec says that it read a value and has not"
    );
}

#[test]
fn errors_do_not_grow_on_their_way_up() {
    // cbor4ii shows errors by their `Debug`, so each level would double the backslashes.
    let codec = Codec::Custom(&Cbor);
    let deep = (0..100).fold(vec![0x61, b'x'], |inner, _| [vec![0x81], inner].concat());
    let error = codec.decode::<crate::hostile::Chain>(&deep).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
    let deep = codec.encode(&crate::hostile::nested(100)).unwrap();
    let cut = &deep[..deep.len() - 1];
    let error = codec.decode::<crate::hostile::Nested>(cut).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn codecs_are_the_same_by_name() {
    assert_eq!(Codec::Custom(&Cbor), Codec::Custom(&Cbor));
    assert_ne!(Codec::Custom(&Cbor), Codec::Bincode);
    assert_eq!(format!("{:?}", Codec::Custom(&Cbor)), "Custom(cbor)");
}
