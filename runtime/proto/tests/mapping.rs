//! Whether two contracts fit, event by event, as either side sees it.

use std::sync::Arc;

use sente_proto::codec::Codec;
use sente_proto::contract::{
    Contract, Event, Field, Mapping, Namespace, Reply, Skew, SkewCause, Table, TableEvent, Way,
};
use sente_proto::frame::Offer;
use sente_proto::schema::{Schema, Shape, Type};

/// Can be carried by a codec that writes names only.
enum Any {}

impl Schema for Any {
    const SHAPE: &'static Shape = &Shape::Opaque {
        name: "any",
        self_describing: true,
    };
}

const TEXT: Field = field::<String>("text");
const LIKES: Field = Field {
    default: true,
    ..field::<u32>("likes")
};

const fn field<T: Schema>(name: &'static str) -> Field {
    Field {
        name,
        ty: Type::of::<T>(),
        default: false,
    }
}

const fn event(name: &'static str, fields: &'static [Field]) -> Event {
    Event {
        name,
        to_server: Way::Event,
        to_client: Way::Event,
        fields,
        reply: None,
    }
}

const fn call(name: &'static str, to_server: Way, to_client: Way) -> Event {
    Event {
        to_server,
        to_client,
        reply: Some(Reply {
            reply: Type::of::<u8>(),
            error: None,
        }),
        ..event(name, &[TEXT])
    }
}

fn contract(namespaces: &[&'static Namespace]) -> Contract {
    let mut contract = Contract::default();
    for namespace in namespaces {
        contract.add(namespace).expect("their names differ");
    }
    contract
}

/// What both sides list, the client's view first.
fn skew(client: &Contract, server: &Contract, codec: Codec) -> [Vec<(String, SkewCause)>; 2] {
    let offers = client.offers();
    let answers = server.answers(&offers);
    let of_client = Mapping::of_client(client, &answers, codec);
    let tables = client.tables(offers.iter().map(|offer| &*offer.name));
    let of_server = Mapping::of_server(server, &offers, &tables, codec).expect("all tables");
    [of_client, of_server].map(|mapping| {
        let listed = |skew: &Skew| (skew.name.to_string(), skew.cause);
        mapping.skew().iter().map(listed).collect()
    })
}

fn listed(list: &[(&str, SkewCause)]) -> Vec<(String, SkewCause)> {
    let owned = |(name, cause): &(&str, SkewCause)| ((*name).to_owned(), *cause);
    let mut list: Vec<_> = list.iter().map(owned).collect();
    list.sort_by(|(one, _), (other, _)| one.cmp(other));
    list
}

static OLD: Namespace = Namespace {
    name: "chat",
    handshake: Some(Type::of::<u8>()),
    events: &[
        event("chat/same", &[TEXT]),
        event("chat/padded", &[TEXT]),
        event("chat/retyped", &[TEXT]),
        event("chat/renamed_field", &[TEXT]),
        event("chat/more", &[TEXT]),
        event("chat/removed", &[]),
        call("chat/asked", Way::Call, Way::Event),
        Event {
            to_client: Way::Never,
            ..event("chat/turned", &[])
        },
    ],
};

static NEW: Namespace = Namespace {
    name: "chat",
    handshake: Some(Type::of::<u16>()),
    events: &[
        Event {
            to_server: Way::Never,
            ..event("chat/turned", &[])
        },
        event("chat/added", &[]),
        event("chat/padded", &[TEXT, LIKES]),
        event("chat/same", &[TEXT]),
        event("chat/retyped", &[field::<u8>("text")]),
        event("chat/renamed_field", &[field::<String>("line")]),
        event("chat/more", &[TEXT, field::<u32>("likes")]),
        call("chat/asked", Way::Event, Way::Call),
    ],
};

#[test]
fn what_one_side_sends_and_the_other_cannot_take_is_listed_on_both() {
    use SkewCause::{Form, UnknownHere, UnknownThere};
    let (old, new) = (contract(&[&OLD]), contract(&[&NEW]));
    let forms = [
        ("chat/retyped", Form),
        ("chat/renamed_field", Form),
        ("chat/more", Form),
    ];
    let [of_client, of_server] = skew(&old, &new, Codec::Bincode);
    let mut expected = forms.to_vec();
    expected.extend([
        ("chat/removed", UnknownThere),
        // A call to the server that has become an event, and the other way round.
        ("chat/asked", Form),
        ("chat/turned", UnknownThere),
        ("chat", Form),
        ("chat/added", UnknownHere),
    ]);
    assert_eq!(of_client, listed(&expected));
    let mut expected = vec![("chat/turned", UnknownThere), ("chat/added", UnknownThere)];
    expected.extend(forms);
    expected.extend([
        ("chat/asked", Form),
        ("chat", Form),
        ("chat/removed", UnknownHere),
    ]);
    assert_eq!(of_server, listed(&expected));
    assert_eq!(skew(&new, &new, Codec::Bincode), [vec![], vec![]]);
}

static GAME: Namespace = Namespace {
    name: "game",
    handshake: None,
    events: &[event("game/moved", &[])],
};

#[test]
fn a_namespace_that_a_client_does_without_is_no_fault() {
    let (one, both) = (contract(&[&OLD]), contract(&[&OLD, &GAME]));
    assert_eq!(skew(&one, &both, Codec::Bincode), [vec![], vec![]]);
    // One that the server does without is one to the client, which cannot send it.
    let [of_client, of_server] = skew(&both, &one, Codec::Bincode);
    let expected = listed(&[("game/moved", SkewCause::UnknownThere)]);
    assert_eq!((of_client, of_server), (expected, vec![]));
}

static NAMED: Namespace = Namespace {
    name: "named",
    handshake: Some(Type::of::<Option<Any>>()),
    events: &[
        event("named/plain", &[TEXT]),
        event("named/any", &[TEXT, field::<Vec<Any>>("any")]),
        Event {
            reply: Some(Reply {
                reply: Type::of::<u8>(),
                error: Some(Type::of::<Any>()),
            }),
            ..call("named/fails", Way::Call, Way::Never)
        },
    ],
};

#[test]
fn a_codec_without_names_does_not_carry_what_needs_them_even_between_equals() {
    let named = contract(&[&NAMED]);
    let expected = listed(&[
        ("named/any", SkewCause::Codec),
        ("named/fails", SkewCause::Codec),
        ("named", SkewCause::Codec),
    ]);
    for codec in Codec::ALL {
        let expected = match codec.name() {
            "json" | "msgpack" => vec![],
            _ => expected.clone(),
        };
        let [of_client, of_server] = skew(&named, &named, *codec);
        assert_eq!((&of_client, &of_server), (&expected, &expected));
    }
}

// ---- what a hostile side may say ----

fn offer(events: u32) -> Vec<Offer> {
    vec![Offer {
        name: "chat".to_owned(),
        digest: 7,
        events,
    }]
}

fn table(events: Vec<TableEvent>) -> Vec<Table> {
    vec![Table {
        name: "chat".to_owned(),
        handshake: None,
        events,
    }]
}

fn stranger(name: String) -> TableEvent {
    TableEvent {
        name,
        to_server: Way::Event,
        to_client: Way::Event,
        fields: Vec::new(),
        required: u32::MAX,
        reply: None,
    }
}

#[test]
fn a_table_has_as_many_events_as_were_offered() {
    let contract = contract(&[&OLD]);
    let of = |offers: &[Offer], tables: &[Table]| {
        Mapping::of_server(&contract, offers, tables, Codec::Bincode).is_some()
    };
    let one = table(vec![stranger("chat/same".to_owned())]);
    assert!(of(&offer(1), &one));
    assert!(!of(&offer(2), &one), "one is missing");
    assert!(!of(&offer(1), &[]), "all are");
}

#[test]
fn offers_of_more_events_than_there_are_numbers_come_to_nothing() {
    let contract = contract(&[&OLD]);
    let mut offers = vec![Offer {
        name: "elsewhere".to_owned(),
        digest: 7,
        events: u32::MAX,
    }];
    offers.extend(offer(2));
    let names = ["chat/one", "chat/two"].map(str::to_owned);
    let tables = table(names.map(stranger).into());
    let mapping = Mapping::of_server(&contract, &offers, &tables, Codec::Bincode);
    let mapping = mapping.expect("it is complete");
    assert_eq!(
        mapping.name_of_refused(u32::MAX).as_deref(),
        Some("chat/one")
    );
    assert_eq!(mapping.name_of_refused(0), None);
}

#[test]
fn a_name_that_nobody_can_read_is_not_kept() {
    let contract = contract(&[&OLD]);
    let tables = table(vec![stranger("é".repeat(10_000))]);
    let mapping = Mapping::of_server(&contract, &offer(1), &tables, Codec::Bincode);
    let mapping = mapping.expect("it is complete");
    assert!(mapping.skew().iter().all(|skew| skew.name.len() <= 128));
    assert!(
        mapping
            .name_of_refused(0)
            .is_some_and(|name| name.len() <= 128)
    );
}

#[test]
fn no_table_makes_a_long_list_or_long_work() {
    let contract = contract(&[&OLD]);
    let many = (0..100_000).map(|number| stranger(number.to_string()));
    let tables = table(many.collect());
    let mapping = Mapping::of_server(&contract, &offer(100_000), &tables, Codec::Bincode);
    let skew = Arc::clone(mapping.expect("it is complete").skew());
    assert_eq!(skew.len(), 256);
    // The same name again and again is one name, and more fields than there are is another form.
    let tables = table(vec![stranger("chat/removed".to_owned()); 4_096]);
    let mapping = Mapping::of_server(&contract, &offer(4_096), &tables, Codec::Bincode);
    let mapping = mapping.expect("it is complete");
    let removed = mapping
        .skew()
        .iter()
        .find(|skew| &*skew.name == "chat/removed");
    assert_eq!(removed.map(|skew| skew.cause), Some(SkewCause::Form));
}
