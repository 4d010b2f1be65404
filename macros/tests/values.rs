//! The contract as data, and events as values of the enum.

use sente::schema::Type;
use sente::{Codec, Events};
use sente_proto::contract::Way;
use sente_proto::session::Delivery;
use serde::Serialize;

#[sente::events(namespace = "house")]
#[derive(Debug, PartialEq)]
enum Chat {
    /// Posts a line.
    ///
    /// Nobody else sees it.
    #[to_server(reply = u64, error = String)]
    Post {
        r#type: u8,
        text: String,
        #[default]
        reply_to: Option<u64>,
    },
    #[to_client(delivery = latest)]
    Posted(
        String,
        #[key]
        #[default]
        u8,
    ),
    #[to_server]
    #[to_client]
    #[event(name = "hi")]
    Wave,
}

/// Fields as a sender writes them.
fn fields(codec: Codec, write: &[&dyn Field]) -> Vec<u8> {
    let mut writer = codec.writer();
    for field in write {
        field.write(&mut writer);
    }
    writer.finish().to_vec()
}

trait Field {
    fn write(&self, writer: &mut sente::__private::FieldWriter);
}

impl<T: Serialize> Field for T {
    fn write(&self, writer: &mut sente::__private::FieldWriter) {
        writer.field(self).expect("the field is encoded");
    }
}

fn decode(index: u32, codec: Codec, fields: &[u8], exact: bool) -> Option<Chat> {
    Chat::decode(index, codec.reader(fields), exact)?.ok()
}

#[test]
fn the_contract_is_written_down() {
    let namespace = Chat::NAMESPACE;
    assert_eq!(namespace.name, "house");
    let [post, posted, wave] = namespace.events else {
        panic!("three events")
    };
    assert_eq!(post.name, "house/post");
    assert_eq!((post.to_server, post.to_client), (Way::Call, Way::Never));
    let names: Vec<&str> = post.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["type", "text", "reply_to"]);
    let defaults: Vec<bool> = post.fields.iter().map(|field| field.default).collect();
    assert_eq!(defaults, [false, false, true]);
    let reply = post.reply.expect("a call");
    assert_eq!(reply.reply.fingerprint(), Type::of::<u64>().fingerprint());
    let error = reply.error.map(Type::fingerprint);
    assert_eq!(
        error,
        Some(post.fields[1].ty.fingerprint()),
        "both are `String`"
    );
    let names: Vec<&str> = posted.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["0", "1"]);
    assert_eq!(
        (posted.to_server, posted.to_client),
        (Way::Never, Way::Event)
    );
    assert_eq!((wave.name, wave.reply.is_some()), ("house/hi", false));
    assert_eq!((wave.to_server, wave.to_client), (Way::Event, Way::Event));
}

#[test]
fn what_the_source_says_is_written_down_apart() {
    let about = Chat::ABOUT;
    assert!(about.file.ends_with("values.rs"), "{}", about.file);
    let source: Vec<&str> = include_str!("values.rs").lines().collect();
    let [post, posted, wave] = about.events else {
        panic!("three events")
    };
    assert_eq!(post.docs, "Posts a line.\n\nNobody else sees it.");
    for (event, variant) in [(post, "Post {"), (posted, "Posted("), (wave, "Wave")] {
        let line = source[event.line as usize - 1].trim();
        assert!(line.starts_with(variant), "{line}");
    }
    assert!(post.to_server.is_some() && post.to_client.is_none());
    assert!(wave.to_server.is_some() && wave.to_client.is_some());
}

#[test]
fn fields_become_a_value() {
    for codec in [Codec::Bincode, Codec::Json] {
        let bytes = fields(codec, &[&1_u8, &"hello", &Some(7_u64)]);
        let value = Chat::Post {
            r#type: 1,
            text: "hello".into(),
            reply_to: Some(7),
        };
        assert_eq!(decode(0, codec, &bytes, true), Some(value));
        assert_eq!(
            decode(2, codec, &fields(codec, &[]), true),
            Some(Chat::Wave)
        );
    }
}

#[test]
fn a_value_becomes_the_fields_that_it_came_from() {
    for codec in Codec::ALL.iter().copied() {
        for event in [
            Chat::Post {
                r#type: 1,
                text: "hello".into(),
                reply_to: Some(7),
            },
            Chat::Posted("hello".into(), 3),
            Chat::Wave,
        ] {
            let mut writer = codec.writer();
            event.encode(&mut writer).expect("it is encoded");
            let index = event.sending().index;
            assert_eq!(decode(index, codec, &writer.finish(), true), Some(event));
        }
    }
}

#[test]
fn a_value_knows_its_class_in_each_direction_and_its_key() {
    let posted = Chat::Posted("hello".into(), 3);
    let sending = posted.sending();
    assert_eq!(
        (sending.to_server, sending.to_client),
        (None, Some(Delivery::Latest))
    );
    let mut writer = Codec::Json.writer();
    posted.encode_key(&mut writer).expect("it is encoded");
    assert_eq!(writer.finish(), fields(Codec::Json, &[&3_u8]));
    let reliable = Some(Delivery::Reliable);
    let sending = Chat::Wave.sending();
    assert_eq!((sending.to_server, sending.to_client), (reliable, reliable));
}

#[test]
fn a_default_stands_in_for_what_an_older_sender_left_out() {
    for codec in [Codec::Bincode, Codec::Json] {
        let bytes = fields(codec, &[&"hello"]);
        let value = Chat::Posted("hello".into(), 0);
        assert_eq!(decode(1, codec, &bytes, false), Some(value));
    }
}

#[test]
fn what_a_newer_sender_added_is_ignored_but_only_from_one() {
    for codec in [Codec::Bincode, Codec::Json] {
        let bytes = fields(codec, &[&"hello", &1_u8, &"more"]);
        let value = Chat::Posted("hello".into(), 1);
        assert_eq!(decode(1, codec, &bytes, false), Some(value));
        assert_eq!(decode(1, codec, &bytes, true), None);
    }
}

#[test]
fn a_number_that_the_contract_does_not_have_is_no_event() {
    assert!(Chat::decode(3, Codec::Bincode.reader(&[]), true).is_none());
}

#[test]
fn a_missing_field_is_an_error() {
    let decoded = Chat::decode(0, Codec::Bincode.reader(&[1]), true);
    assert!(decoded.is_some_and(|value| value.is_err()));
}
