//! Frames: what goes in comes out, in both encodings, and hostile bytes do no harm.
#![cfg(feature = "json")]

mod any;

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use sente_proto::codec::Codec;
use sente_proto::frame::{
    Acknowledge, Data, Failure, Frame, Hello, Item, Outcome, POLLS, Request, Welcome,
};
use sente_proto::wire::{self, DataWriter, OVERHEAD, WireError, WireLimits};
use sente_proto::{Close, CloseReason, Limits, Refused, RefusedReason, ResumeSecret, SessionId};

use any::{Shown, data, frame};

const LIMITS: WireLimits = WireLimits {
    frame: 65_536,
    message: 262_144,
};

fn encoded(codec: Codec, frame: &Frame) -> Bytes {
    let mut out = Vec::new();
    wire::encode(codec, frame, &mut out);
    out.into()
}

fn decoded(codec: Codec, bytes: impl Into<Bytes>) -> Result<Frame, WireError> {
    wire::decode(codec, &bytes.into(), &LIMITS)
}

proptest! {
    #[test]
    fn frames_come_back_from_both_encodings(Shown(frame) in frame()) {
        // What text says is compared in binary and the other way round, so that a field which one of
        // them loses both ways is missed.
        let [binary, text] = [Codec::Bincode, Codec::Json].map(|codec| encoded(codec, &frame));
        let from_binary = decoded(Codec::Bincode, binary.clone()).unwrap();
        let from_text = decoded(Codec::Json, text.clone()).unwrap();
        prop_assert_eq!(encoded(Codec::Json, &from_binary), text);
        prop_assert_eq!(encoded(Codec::Bincode, &from_text), binary);
        if let (Frame::Data(data), Frame::Data(binary), Frame::Data(text)) = (&frame, &from_binary, &from_text) {
            prop_assert_eq!(data, binary);
            prop_assert_eq!(data, text);
        }
    }

    #[test]
    fn bodies_come_back(frames in vec(frame(), 0..4)) {
        for codec in [Codec::Bincode, Codec::Json] {
            let mut body = Vec::new();
            for Shown(frame) in &frames {
                wire::append_to_body(codec, frame, &mut body);
            }
            let back: Vec<_> = wire::frames_of_body(codec, &body.into(), &LIMITS).collect();
            prop_assert_eq!(back.len(), frames.len());
            for (back, Shown(frame)) in back.iter().zip(&frames) {
                prop_assert_eq!(encoded(codec, back.as_ref().unwrap()), encoded(codec, frame));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>()) {
        for codec in [Codec::Bincode, Codec::Json] {
            let _ = decoded(codec, bytes.clone());
            let _ = wire::frames_of_body(codec, &bytes.clone().into(), &LIMITS).count();
        }
        let _ = wire::decode_hello(&bytes.into(), &LIMITS);
    }

    #[test]
    fn broken_frames_are_read_without_a_panic(
        Shown(frame) in frame(),
        at in any::<prop::sample::Index>(),
        with in any::<u8>(),
        length in any::<prop::sample::Index>(),
    ) {
        for codec in [Codec::Bincode, Codec::Json] {
            let mut bytes = encoded(codec, &frame).to_vec();
            let at = at.index(bytes.len());
            bytes[at] = with;
            bytes.truncate(length.index(bytes.len() + 1));
            let _ = decoded(codec, bytes);
        }
    }

    #[test]
    fn a_writer_knows_how_long_its_frame_is(data in data()) {
        for codec in [Codec::Bincode, Codec::Json] {
            let mut writer = DataWriter::new(codec, data.acknowledge, data.first, b"before".to_vec());
            for item in &data.items {
                let before = writer.len();
                writer.item(item);
                prop_assert!(writer.len() > before);
            }
            let length = writer.len();
            let out = writer.finish();
            prop_assert_eq!(out.len(), b"before".len() + length);
            prop_assert_eq!(&out[6..], &encoded(codec, &Frame::Data(data.clone())));
        }
    }
}

fn malformed(codec: Codec, bytes: impl Into<Bytes>) -> &'static str {
    match decoded(codec, bytes) {
        Err(WireError::Malformed(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was read"),
    }
}

#[test]
fn numbers_have_one_form() {
    let cancel = |number: &[u8]| decoded(Codec::Bincode, [&[0x10, 1, 6], number].concat());
    let call = |number: &[u8]| match cancel(number) {
        Ok(Frame::Data(data)) => match data.items[..] {
            [Item::Cancel { call }] => Some(call),
            _ => panic!("not one cancel"),
        },
        Ok(_) => panic!("not data"),
        Err(_) => None,
    };
    assert_eq!(call(&[0x7f]), Some(127));
    assert_eq!(call(&[0x80, 1]), Some(128));
    assert_eq!(call(&[0x80, 0]), None, "longer than it has to be");
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(call(&most), Some(u64::MAX));
    let too_many = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
    assert_eq!(call(&too_many), None);
    let too_long = [
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1,
    ];
    assert_eq!(call(&too_long), None);
    assert_eq!(call(&[0x80]), None, "it ends early");
}

#[test]
fn what_is_not_known_is_malformed() {
    for kind in (0..=255).filter(|kind| !matches!(kind, 1..=0x0a | 0x10..=0x11)) {
        assert_eq!(
            malformed(Codec::Bincode, vec![kind, 0, 0]),
            "its kind is not known"
        );
    }
    for tag in (0..=255).filter(|tag| !matches!(tag, 1..=7)) {
        assert_eq!(
            malformed(Codec::Bincode, vec![0x10, 1, tag, 0]),
            "the kind of an item is not known"
        );
    }
    for text in [
        r#"{"helo":{}}"#,
        r#"{"ping":1,"close":{"reason":"gap","message":""}}"#,
        r#"{"ping":1,"pong":1}"#,
        r#"{"ping":true}"#,
        r#"{"tables":[],"close":{"reason":"gap","message":""}}"#,
        r#"{"first":1,"items":[["evnt",3,[]]]}"#,
        r#"{"first":1,"items":[["event",3]]}"#,
        r#"{"first":1,"items":[["event",3,[],4]]}"#,
        r#"{"first":1,"items":[["reply",3,"maybe",4]]}"#,
        r#"{"first":-1,"items":[]}"#,
        r#"{"ping":1} {}"#,
        r#"[]"#,
        "",
    ] {
        malformed(Codec::Json, text);
    }
    malformed(Codec::Json, vec![b'{', b'"', 0xff, b'"', b'}']);
}

#[test]
fn reasons_of_a_newer_peer_have_a_stand_in() {
    let reason = |codec, bytes: Vec<u8>| match decoded(codec, bytes) {
        Ok(Frame::Close(close)) => close.reason,
        _ => panic!("no close"),
    };
    assert_eq!(
        reason(Codec::Bincode, vec![6, 200, 0, 0, 0]),
        CloseReason::Goodbye
    );
    assert_eq!(
        reason(
            Codec::Json,
            br#"{"close":{"reason":"bored","message":""}}"#.to_vec()
        ),
        CloseReason::Goodbye
    );

    let failure = |codec, bytes: Vec<u8>| match decoded(codec, bytes) {
        Ok(Frame::Data(data)) => data.items[0].clone(),
        _ => panic!("no data"),
    };
    let internal = Item::Reply {
        call: 9,
        outcome: Outcome::Failed(Failure::Internal),
    };
    assert_eq!(failure(Codec::Bincode, vec![0x10, 1, 5, 9, 200]), internal);
    let text = br#"{"first":1,"items":[["reply",9,"failed","tired"]]}"#;
    assert_eq!(failure(Codec::Json, text.to_vec()), internal);
}

#[test]
fn keys_that_are_not_known_within_a_text_frame_are_passed_over() {
    let text = r#"{"close":{"reason":"gap","message":"","mood":["bad"]}}"#;
    assert!(matches!(decoded(Codec::Json, text), Ok(Frame::Close(_))));
}

#[test]
fn numbers_of_items_begin_at_one_and_do_not_run_over() {
    let data = |first, items: Vec<Item>| {
        Frame::Data(Data {
            first,
            items,
            ..Data::default()
        })
    };
    for codec in [Codec::Bincode, Codec::Json] {
        let cancel = Item::Cancel { call: 1 };
        let skip = Item::Skip { count: u64::MAX };
        assert!(
            decoded(
                codec,
                encoded(codec, &data(u64::MAX - 1, vec![cancel.clone()]))
            )
            .is_ok()
        );
        malformed(codec, encoded(codec, &data(0, vec![cancel.clone()])));
        malformed(codec, encoded(codec, &data(u64::MAX, vec![cancel])));
        malformed(codec, encoded(codec, &data(1, vec![skip])));
    }
    assert_eq!(
        malformed(Codec::Bincode, vec![0x10, 1, 7, 0]),
        "nothing is skipped"
    );
    assert_eq!(
        malformed(Codec::Json, r#"{"first":1,"items":[["skip",0]]}"#),
        "nothing is skipped"
    );
}

#[test]
fn a_client_awaits_few_polls() {
    let request = |beside| {
        Frame::Request(Request {
            session: SessionId::new(1),
            secret: ResumeSecret::new(2),
            server: 3,
            epoch: 1,
            number: 9,
            hold: true,
            beside,
            brief: false,
        })
    };
    for codec in [Codec::Bincode, Codec::Json] {
        assert!(decoded(codec, encoded(codec, &request(POLLS - 1))).is_ok());
        malformed(codec, encoded(codec, &request(POLLS)));
    }
}

#[test]
fn forged_lengths_and_counts_are_refused() {
    // 2^63 of everything.
    let forged = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1];
    malformed(Codec::Bincode, [&[1, 1][..], &forged].concat()); // a codec's name
    malformed(Codec::Bincode, [&[4][..], &forged].concat()); // tables
    malformed(Codec::Bincode, [&[4, 1, 0][..], &forged].concat()); // events of a table
    malformed(
        Codec::Bincode,
        [&[4, 1, 0, 1, 0, 0, 0][..], &forged].concat(),
    ); // fields of an event
    malformed(Codec::Bincode, [&[6, 1, 0, 0][..], &forged].concat()); // a message
    malformed(Codec::Bincode, vec![0x10, 1, 1, 0, 100, 1, 2, 3]); // a payload
    let payload = decoded(Codec::Bincode, [&[0x10, 1, 1, 0][..], &forged].concat());
    assert!(matches!(
        payload,
        Err(WireError::TooLarge {
            what: "payload",
            ..
        })
    ));
}

#[test]
fn payloads_are_parts_of_the_frame() {
    for (codec, payload) in [
        (Codec::Bincode, &b"lobby"[..]),
        (Codec::Json, br#"["lobby"]"#),
    ] {
        let mut writer = DataWriter::new(codec, None, 1, Vec::new());
        writer.event(3, payload);
        let bytes = Bytes::from(writer.finish());
        let Ok(Frame::Data(data)) = decoded(codec, bytes.clone()) else {
            panic!("no data")
        };
        let Item::Event { payload: read, .. } = &data.items[0] else {
            panic!("no event")
        };
        assert_eq!(read, payload);
        assert!(bytes.as_ptr_range().contains(&read.as_ptr()));
    }
}

#[test]
fn one_item_alone_may_be_as_large_as_a_message() {
    let limits = WireLimits {
        frame: 1000,
        message: 5000,
    };
    for codec in [Codec::Bincode, Codec::Json] {
        let text = "x".repeat(4990);
        let event = Item::Event {
            event: 1,
            payload: codec.encode(&text).unwrap(),
        };
        let read = |items: Vec<Item>| {
            let frame = Frame::Data(Data {
                first: 1,
                items,
                ..Data::default()
            });
            wire::decode(codec, &encoded(codec, &frame), &limits).map(|_| ())
        };
        assert_eq!(read(vec![event.clone()]), Ok(()));
        let beside = read(vec![event.clone(), Item::Cancel { call: 1 }]);
        assert!(matches!(
            beside,
            Err(WireError::TooLarge {
                what: "frame",
                limit: 1000,
                ..
            })
        ));
        let twice = read(vec![event.clone(), event]);
        assert!(matches!(
            twice,
            Err(WireError::TooLarge { what: "frame", .. })
        ));
    }
}

#[test]
fn a_welcome_may_be_as_large_as_a_message_and_no_other_frame() {
    let limits = WireLimits {
        frame: 1000,
        message: 50_000,
    };
    for codec in [Codec::Bincode, Codec::Json] {
        let data = codec.encode(&"x".repeat(4990)).unwrap();
        let welcome = Welcome {
            session: SessionId::new(1),
            secret: ResumeSecret::new(2),
            epoch: 1,
            server: 3,
            fresh: None,
            user: None,
            acknowledge: Acknowledge::default(),
            terms: Limits::default().terms(),
            namespaces: Vec::new(),
            handshake: vec![("chat".to_owned(), data)],
        };
        let bytes = encoded(codec, &Frame::Welcome(welcome.into()));
        assert!(bytes.len() > 4990);
        assert!(wire::decode(codec, &bytes, &limits).is_ok());
        assert!(wire::decode_from_server(codec, &bytes, &limits).is_ok());
        let close = Frame::Close(Box::new(Close {
            message: "x".repeat(4990),
            ..Close::new(CloseReason::Shutdown)
        }));
        let error = wire::decode(codec, &encoded(codec, &close), &limits).map(|_| ());
        let reason = error.map_err(|error| error.reason());
        assert_eq!(reason, Err(CloseReason::TooLarge));
    }
}

#[test]
fn no_item_needs_more_than_the_overhead() {
    let most = Acknowledge {
        received: u64::MAX,
        credit: u64::MAX,
    };
    for codec in [Codec::Bincode, Codec::Json] {
        let mut writer = DataWriter::new(codec, Some(most), u64::MAX, Vec::new());
        let payload = codec.encode(&"x".repeat(5000)).unwrap();
        writer.call(u32::MAX, Duration::MAX, &payload);
        assert!(writer.len() <= payload.len() + OVERHEAD, "{}", writer.len());
    }
}

#[test]
fn a_message_that_is_too_large_is_refused() {
    let limits = WireLimits {
        frame: 1000,
        message: 100,
    };
    for codec in [Codec::Bincode, Codec::Json] {
        let payload: Bytes = codec.encode(&"x".repeat(200)).unwrap();
        let items = vec![Item::Event { event: 1, payload }];
        let frame = Frame::Data(Data {
            first: 1,
            items,
            ..Data::default()
        });
        let read = wire::decode(codec, &encoded(codec, &frame), &limits);
        assert!(matches!(
            read,
            Err(WireError::TooLarge {
                what: "payload",
                limit: 100,
                ..
            })
        ));
    }
}

#[test]
fn a_hello_is_read_without_knowing_its_codec() {
    let hello = Frame::Hello(Box::new(Hello {
        version: 1,
        codec: "msgpack".to_owned(),
        attempt: 1,
        epoch: 1,
        namespaces: vec![],
        token: None,
        csrf: None,
        device: None,
        resume: None,
    }));
    for codec in [Codec::Bincode, Codec::Json] {
        let bytes = encoded(codec, &hello);
        assert_eq!(wire::is_text_hello(&bytes), codec.is_text());
        let read = wire::decode_hello(&bytes, &LIMITS).map(|hello| hello.codec);
        assert_eq!(read, Ok("msgpack".to_owned()));
    }
    assert!(wire::decode_hello(&Bytes::from_static(b"\x10"), &LIMITS).is_err());
    assert!(wire::decode_hello(&Bytes::from_static(b"{}"), &LIMITS).is_err());
    assert!(wire::decode_hello(&Bytes::new(), &LIMITS).is_err());
}

#[test]
fn of_another_version_the_beginning_is_read() {
    let binary = Bytes::from_static(b"\x01\x02\x04json whatever comes then");
    let text =
        Bytes::from_static(br#"{"hello":{"version":2,"codec":"json","attempt":{"new":"form"}}}"#);
    for bytes in [binary, text] {
        let hello = wire::decode_hello(&bytes, &LIMITS).ok().unwrap();
        assert_eq!((hello.version, hello.codec.as_str()), (2, "json"));
    }
}

#[test]
fn a_refusal_is_written_as_its_client_reads_it() {
    let refused = Refused {
        status: 406,
        reason: RefusedReason::Codec,
        message: "no such codec".to_owned(),
        retry_after: None,
        codecs: vec![],
    };
    for codec in [Codec::Bincode, Codec::Json] {
        let mut out = Vec::new();
        wire::encode_refused(codec.is_text(), &refused, &mut out);
        let Ok(Frame::Refused(read)) = decoded(codec, out) else {
            panic!("no refusal")
        };
        assert_eq!(*read, refused);
    }
}

#[test]
fn errors_do_not_quote_what_was_found() {
    let text = r#"{"hello":{"version":1,"codec":"json","attempt":"hunter2","epoch":"hunter2","namespaces":[]}}"#;
    let error = decoded(Codec::Json, text).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn line_breaks_within_a_payload_do_not_end_a_frame_of_a_body() {
    let payload = Bytes::from_static(b"[\r\n1,\n2]");
    let items = vec![Item::Event { event: 1, payload }];
    let mut body = b"\n  \n".to_vec();
    wire::append_to_body(
        Codec::Json,
        &Frame::Data(Data {
            first: 1,
            items,
            ..Data::default()
        }),
        &mut body,
    );
    wire::append_to_body(Codec::Json, &Frame::Tables(vec![]), &mut body);
    let frames: Vec<_> = wire::frames_of_body(Codec::Json, &body.into(), &LIMITS).collect();
    assert!(matches!(
        frames[..],
        [Ok(Frame::Data(_)), Ok(Frame::Tables(_))]
    ));
}

#[test]
fn a_body_ends_at_its_first_error() {
    for (codec, body) in [
        (Codec::Bincode, &b"\x01\x10\x01\x00\x01\x10"[..]),
        (Codec::Json, b"{}\nnonsense\n{}\n"),
    ] {
        let frames: Vec<_> =
            wire::frames_of_body(codec, &Bytes::from_static(body), &LIMITS).collect();
        assert!(matches!(
            frames[..],
            [Ok(Frame::Data(_)), Err(WireError::Malformed(_))]
        ));
    }
    // A length beyond the body.
    let beyond = wire::frames_of_body(Codec::Bincode, &Bytes::from_static(b"\x02\x10"), &LIMITS);
    assert_eq!(beyond.filter(Result::is_err).count(), 1);
}
