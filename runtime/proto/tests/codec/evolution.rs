//! What becomes of a value when the two sides have different forms of its type. The book's table
//! "When types change" is this file.
//!
//! All types lie within a list, so that what one value leaves or takes shows in the next.

use sente_proto::codec::Codec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{codecs, is_positional};

/// What the receiver gets for two values that the sender has sent.
fn read<S: Serialize, R: DeserializeOwned>(codec: Codec, first: S, second: S) -> Option<Vec<R>> {
    codec
        .decode(&codec.encode(&vec![first, second]).unwrap())
        .ok()
}

/// It is read in codecs with names, and not or wrongly in those without.
#[track_caller]
fn needs_names<S, R>(first: &S, second: &S, expected: &[R; 2])
where
    S: Serialize,
    R: DeserializeOwned + PartialEq,
{
    for codec in codecs() {
        let read = read::<_, R>(codec, first, second);
        let right = read.is_some_and(|read| read == expected);
        assert_eq!(right, !is_positional(codec), "{codec:?}");
    }
}

/// It is read in codecs without names only.
#[track_caller]
fn needs_places<S, R>(first: &S, second: &S, expected: &[R; 2])
where
    S: Serialize,
    R: DeserializeOwned + PartialEq,
{
    for codec in codecs() {
        let read = read::<_, R>(codec, first, second);
        let right = read.is_some_and(|read| read == expected);
        assert_eq!(right, is_positional(codec), "{codec:?}");
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Line {
    from: String,
    size: u32,
}

fn line(from: &str, size: u32) -> Line {
    Line {
        from: from.to_owned(),
        size,
    }
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Longer {
    from: String,
    size: u32,
    #[serde(default)]
    loud: bool,
}

fn longer(from: &str, size: u32, loud: bool) -> Longer {
    Longer {
        from: from.to_owned(),
        size,
        loud,
    }
}

#[test]
fn a_default_at_the_end_that_the_sender_lacks() {
    let expected = [longer("ada", 1, false), longer("bob", 2, false)];
    needs_names(&line("ada", 1), &line("bob", 2), &expected);
}

#[test]
fn a_field_at_the_end_that_the_receiver_lacks() {
    let expected = [line("ada", 1), line("bob", 2)];
    needs_names(&longer("ada", 1, true), &longer("bob", 2, true), &expected);
}

#[test]
fn a_default_in_the_middle_that_the_sender_lacks() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Wider {
        from: String,
        #[serde(default)]
        loud: bool,
        size: u32,
    }
    let wider = |from: &str, size| Wider {
        from: from.to_owned(),
        loud: false,
        size,
    };
    let expected = [wider("ada", 1), wider("bob", 2)];
    needs_names(&line("ada", 1), &line("bob", 2), &expected);
}

#[test]
fn a_renamed_field() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Renamed {
        author: String,
        size: u32,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct Aliased {
        #[serde(alias = "from")]
        author: String,
        size: u32,
    }
    let renamed = |author: &str, size| Renamed {
        author: author.to_owned(),
        size,
    };
    let expected = [renamed("ada", 1), renamed("bob", 2)];
    needs_places(&line("ada", 1), &line("bob", 2), &expected);
    for codec in codecs() {
        let read: Vec<Aliased> = read(codec, line("ada", 1), line("bob", 2)).unwrap();
        assert_eq!(read[1].author, "bob", "{codec:?}");
    }
}

#[test]
fn fields_in_another_order() {
    #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
    struct Point {
        x: u8,
        y: u8,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct Turned {
        y: u8,
        x: u8,
    }
    let (first, second) = (Point { x: 1, y: 2 }, Point { x: 3, y: 4 });
    let expected = [Turned { y: 2, x: 1 }, Turned { y: 4, x: 3 }];
    needs_names(&first, &second, &expected);
    // Without names nobody notices.
    let silent = [Turned { y: 1, x: 2 }, Turned { y: 3, x: 4 }];
    needs_places(&first, &second, &silent);
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Mood {
    Calm,
    Busy(u8),
}

#[test]
fn a_variant_more_at_the_end() {
    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    enum More {
        Calm,
        Busy(u8),
        Away,
    }
    for codec in codecs() {
        // What both sides know goes both ways; what only one knows, the other cannot read.
        let read_by_new: Vec<More> = read(codec, Mood::Calm, Mood::Busy(1)).unwrap();
        assert_eq!(read_by_new, [More::Calm, More::Busy(1)]);
        let read_by_old: Vec<Mood> = read(codec, More::Calm, More::Busy(1)).unwrap();
        assert_eq!(read_by_old, [Mood::Calm, Mood::Busy(1)]);
        assert_eq!(read::<_, Mood>(codec, More::Calm, More::Away), None);
    }
}

#[test]
fn a_variant_more_before_others() {
    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    enum More {
        Away,
        Calm,
        Busy(u8),
    }
    needs_names(&Mood::Calm, &Mood::Busy(1), &[More::Calm, More::Busy(1)]);
    // Without names nobody notices.
    needs_places(&Mood::Calm, &Mood::Calm, &[More::Away, More::Away]);
}

#[test]
fn a_renamed_variant() {
    #[derive(Debug, Deserialize, PartialEq)]
    enum Renamed {
        Quiet,
        Busy(u8),
    }
    needs_places(
        &Mood::Calm,
        &Mood::Busy(1),
        &[Renamed::Quiet, Renamed::Busy(1)],
    );
    #[derive(Debug, Deserialize, PartialEq)]
    enum Aliased {
        #[serde(alias = "Calm")]
        Quiet,
        Busy(u8),
    }
    for codec in codecs() {
        let read: Vec<Aliased> = read(codec, Mood::Calm, Mood::Busy(1)).unwrap();
        assert_eq!(read, [Aliased::Quiet, Aliased::Busy(1)], "{codec:?}");
    }
}

#[test]
fn a_wider_number() {
    for codec in codecs() {
        for number in [0, 127, 128, 250, 251, 65_535, 65_536, u32::MAX] {
            let wide: Option<Vec<u64>> = read(codec, number, 7);
            assert_eq!(wide, Some(vec![number.into(), 7]), "{codec:?}");
            let narrow: Option<Vec<u32>> = read(codec, u64::from(number), 7);
            assert_eq!(narrow, Some(vec![number, 7]), "{codec:?}");
        }
        // A byte is as it is where there are no names, and longer numbers begin differently.
        for byte in 0..=255_u8 {
            let wide: Option<Vec<u16>> = read(codec, byte, 7);
            let right = match codec.name() {
                "bincode" => byte <= 250,
                "postcard" => byte <= 127,
                _ => true,
            };
            assert_eq!(
                wide == Some(vec![byte.into(), 7]),
                right,
                "{codec:?} {byte}"
            );
        }
    }
}

#[test]
fn a_field_that_becomes_optional() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Optional {
        from: Option<String>,
        size: u32,
    }
    let optional = |from: &str, size| Optional {
        from: Some(from.to_owned()),
        size,
    };
    let expected = [optional("ada", 1), optional("bob", 2)];
    needs_names(&line("ada", 1), &line("bob", 2), &expected);
}

#[test]
fn a_field_that_is_left_out_where_it_is_empty() {
    #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
    struct Note {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        size: u32,
    }
    let note = Note { to: None, size: 1 };
    needs_names(&note, &note, &[note.clone(), note.clone()]);
}

#[test]
fn a_newtype_around_a_field() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Name(String);
    #[derive(Debug, Deserialize, PartialEq)]
    struct Wrapped {
        from: Name,
        size: u32,
    }
    for codec in codecs() {
        let read: Vec<Wrapped> = read(codec, line("ada", 1), line("bob", 2)).unwrap();
        assert_eq!(
            read[1],
            Wrapped {
                from: Name("bob".to_owned()),
                size: 2
            }
        );
    }
}
