//! The derive against what serde and the codecs really do.
//!
//! Each type below is compared with each: where the fingerprints are equal, what one wrote is read
//! as the other, by every codec that may carry it, and is the same value. Where they differ anything
//! may come of it, and what does come of it shows what the fingerprints are for.

#![expect(dead_code, reason = "of many types only some values are made")]

mod fits;
mod types;

use std::collections::BTreeSet;

use sente::schema::{Primitive, Print, Shape, Type};
use sente::{Codec, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Values of a type, in every form.
struct Sample {
    name: &'static str,
    ty: Type,
    print: Print,
    values: Vec<Written>,
    /// Reads a value of this type and says what it is, as text.
    read: fn(Codec, &[u8]) -> Option<String>,
}

/// One value: what it is, and its bytes in each codec that can write it.
struct Written {
    text: String,
    bytes: Vec<(Codec, Vec<u8>)>,
}

impl Sample {
    fn of<T: Schema + Serialize + DeserializeOwned>(name: &'static str, values: &[T]) -> Self {
        let written = |value: &T| Written {
            text: text(value),
            bytes: Codec::ALL
                .iter()
                .filter_map(|codec| Some((*codec, codec.encode(value).ok()?.to_vec())))
                .collect(),
        };
        Self {
            name,
            ty: Type::of::<T>(),
            print: Type::of::<T>().print(),
            values: values.iter().map(written).collect(),
            read: |codec, bytes| codec.decode::<T>(bytes).ok().as_ref().map(text),
        }
    }
}

/// A value as readable text: the same for types that look the same.
fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("JSON has all of these")
}

fn is_self_describing(codec: Codec) -> bool {
    matches!(codec, Codec::Json | Codec::MsgPack)
}

#[test]
fn equal_fingerprints_mean_that_values_are_read_as_they_were_written() {
    let samples = types::all();
    let mut equal = 0;
    for from in &samples {
        for to in samples.iter().filter(|to| to.print == from.print) {
            equal += 1;
            for written in &from.values {
                for codec in Codec::ALL {
                    if from.print.self_describing && !is_self_describing(*codec) {
                        continue;
                    }
                    let bytes = written.bytes.iter().find(|(of, _)| of == codec);
                    let (_, bytes) = bytes.unwrap_or_else(|| {
                        panic!("{codec:?} cannot write {}: {}", from.name, written.text)
                    });
                    assert_eq!(
                        (to.read)(*codec, bytes).as_ref(),
                        Some(&written.text),
                        "{} read as {} by {codec:?}: {bytes:02x?}",
                        from.name,
                        to.name,
                    );
                }
            }
        }
    }
    assert!(equal > samples.len(), "some types look like others");
}

#[test]
fn what_is_written_is_what_was_described() {
    for sample in types::all() {
        for written in &sample.values {
            let value = serde_json::from_str(&written.text).expect("it is JSON");
            let misfit = fits::misfit(sample.ty, &value);
            assert_eq!(misfit, None, "{}", sample.name);
        }
    }
}

#[test]
fn what_is_refused_to_a_codec_could_not_be_carried_by_it() {
    for sample in types::all() {
        if !sample.print.self_describing {
            continue;
        }
        for codec in [Codec::Bincode, Codec::Postcard] {
            let comes_back = |written: &Written| {
                let bytes = written.bytes.iter().find(|(of, _)| *of == codec);
                let read = bytes.and_then(|(_, bytes)| (sample.read)(codec, bytes));
                read.as_ref() == Some(&written.text)
            };
            assert!(
                !sample.values.iter().all(comes_back),
                "{codec:?} can carry {}",
                sample.name
            );
        }
    }
}

/// What the fingerprints are for: without them, these would be given to handlers.
#[test]
fn types_that_differ_are_misread_without_a_word() {
    let samples = types::all();
    let mut misread = BTreeSet::new();
    for from in &samples {
        for to in samples.iter().filter(|to| to.print != from.print) {
            for written in &from.values {
                for (codec, bytes) in &written.bytes {
                    let read = (to.read)(*codec, bytes);
                    if read.is_some_and(|text| text != written.text) {
                        misread.insert((from.name, to.name, codec.name()));
                    }
                }
            }
        }
    }
    for codec in Codec::ALL {
        let of_codec = misread.iter().filter(|(_, _, of)| *of == codec.name());
        assert!(of_codec.count() > 0, "{codec:?} misreads nothing");
    }
    assert!(
        misread.contains(&("Line", "Turned", "bincode")),
        "{misread:?}"
    );
    assert!(misread.contains(&("Figure", "FigureWithOneAhead", "postcard")));
}

#[test]
fn bytes_are_bytes() {
    let shapes = [types::Blob::SHAPE, types::BlobByFunctions::SHAPE];
    for shape in shapes {
        let Shape::Struct { fields, .. } = shape else {
            panic!("{shape:?}")
        };
        let bytes = fields[0].ty.shape();
        assert!(
            matches!(bytes, Shape::Primitive(Primitive::Bytes)),
            "{bytes:?}"
        );
    }
}
