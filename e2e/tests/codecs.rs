//! Clients of every codec on one server, and a codec of the program's own.

use cbor4ii::core::dec::Read;
use cbor4ii::core::utils::{BufWriter, SliceReader};
use cbor4ii::serde::{Deserializer, Serializer};
use sente::{CustomCodec, CustomError, CustomSlot, CustomValue};
use sente_client::{CarrierChoice, Client, ClientBuilder, Codec, RefusedReason};
use sente_e2e::{Host, Talk, connect, soon};
use serde::Serialize;
use serde::de::DeserializeSeed;

// ANCHOR: own
/// CBOR, by the crate `cbor4ii`.
struct Cbor;

impl CustomCodec for Cbor {
    fn name(&self) -> &'static str {
        "cbor"
    }

    fn is_self_describing(&self) -> bool {
        true
    }

    fn encode(&self, value: CustomValue<'_>, out: &mut Vec<u8>) -> Result<(), CustomError> {
        let mut serializer = Serializer::new(BufWriter::new(std::mem::take(out)));
        value.serialize(&mut serializer)?;
        *out = serializer.into_inner().into_inner();
        Ok(())
    }

    fn decode(&self, bytes: &[u8], slot: CustomSlot<'_>) -> Result<(), CustomError> {
        let mut deserializer = Deserializer::new(SliceReader::new(bytes));
        slot.deserialize(&mut deserializer)?;
        match deserializer.into_inner().fill(1)?.as_ref() {
            [] => Ok(()),
            _ => Err("bytes are left over".into()),
        }
    }
}

/// Both sides name it: the server offers it, and the client chooses it.
const CBOR: Codec = Codec::Custom(&Cbor);
// ANCHOR_END: own

// ANCHOR: choose
/// `codec` comes from a setting, or from the list in a server's refusal.
fn builder(url: &str, codec: &str) -> ClientBuilder {
    Client::builder(url).codec(Codec::named(codec).unwrap_or_default())
}
// ANCHOR_END: choose

#[tokio::test]
async fn a_codec_can_be_chosen_by_its_name() {
    let host = Host::start(|builder| builder).await;
    for codec in ["bincode", "json", "msgpack", "postcard", "no such codec"] {
        let client = builder(&host.url(), codec).contract::<Talk>().connect();
        let echo = Talk::to_server(&client).echo(codec);
        assert_eq!(soon("a reply", echo).await.as_deref(), Ok(codec));
    }
}

#[tokio::test]
async fn clients_of_every_codec_share_one_server() {
    let mut host = Host::start(|builder| builder.codec(CBOR)).await;
    let codecs = [
        Codec::Bincode,
        Codec::Json,
        Codec::MsgPack,
        Codec::Postcard,
        CBOR,
    ];
    let mut clients = Vec::new();
    for codec in codecs {
        for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
            let number = clients.len() as u64;
            let (client, heard) = connect(&host.url(), carrier, |builder| builder.codec(codec));
            let talk = Talk::to_server(&client);
            talk.count(number).unwrap();
            assert_eq!(soon("an event", host.heard.recv()).await, Some(number));
            let text = format!("über {}", codec.name());
            assert_eq!(soon("a reply", talk.echo(text.as_str())).await, Ok(text));
            // The server asks the client, by the client's codec.
            let answer = soon("a call back", talk.ask_back()).await;
            assert_eq!(answer.as_deref(), Ok("you asked who?"), "{codec:?}");
            clients.push((client, heard));
        }
    }
    // One push for all: encoded once for each codec.
    let everyone = host.server.everyone();
    assert_eq!(Talk::to_clients(everyone).counted(7), clients.len());
    for (_, heard) in &mut clients {
        assert_eq!(soon("the push", heard.recv()).await, Some(7));
    }
}

#[tokio::test]
async fn a_codec_that_the_server_does_not_offer_is_refused_with_the_list() {
    // ANCHOR: offer
    let host = Host::start(|builder| builder.codecs([Codec::Bincode, Codec::MsgPack])).await;
    // ANCHOR_END: offer
    for codec in [Codec::Json, Codec::Postcard, CBOR] {
        for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
            let (client, _heard) = connect(&host.url(), carrier, |builder| builder.codec(codec));
            assert!(soon("an answer", client.ready()).await.is_err());
            let refused = client.state().refused.clone().expect("a refusal");
            assert_eq!(refused.reason, RefusedReason::Codec, "{codec:?}");
            assert_eq!(refused.codecs, ["bincode", "msgpack"]);
            // So a program can choose one of them, at run time.
            let codec = Codec::named(&refused.codecs[1]).expect("it is built in");
            let (client, _heard) = connect(&host.url(), carrier, |builder| builder.codec(codec));
            let echo = Talk::to_server(&client).echo("here");
            assert_eq!(soon("a reply", echo).await.as_deref(), Ok("here"));
        }
    }
}

#[test]
#[should_panic(expected = "the codec `json` has the name of one that is built in")]
fn a_codec_of_ones_own_cannot_take_the_name_of_another() {
    struct False;
    impl CustomCodec for False {
        fn name(&self) -> &'static str {
            "json"
        }
        fn encode(&self, _: CustomValue<'_>, _: &mut Vec<u8>) -> Result<(), CustomError> {
            Ok(())
        }
        fn decode(&self, _: &[u8], _: CustomSlot<'_>) -> Result<(), CustomError> {
            Ok(())
        }
    }
    let _ = sente_server::Server::builder().codec(Codec::Custom(&False));
}
