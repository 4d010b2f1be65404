//! Every kind of change of a contract, in every direction, by every codec and carrier: what becomes
//! of an event and of a call between a program of before and one of after. None is misread, and
//! whatever happens, the session goes on.
//!
//! The table that comes of it is the one in the book. `MATRIX=write cargo nextest run -p sente-e2e
//! --test matrix` writes it anew; look at the difference.

#![allow(dead_code, reason = "of many enums only some variants are made")]

#[macro_use]
mod macros;
mod pairs;
mod table;
mod variants;
mod version;

/// What versions of contracts name.
mod prelude {
    pub(crate) use sente_client::Link;
    pub(crate) use sente_server::Peer;
    pub(crate) use serde::{Deserialize, Serialize};

    pub(crate) use crate::version::{Outcome, Recorder, Sends, Version, decode, encode, json};
}

use std::path::Path;

use sente_client::{CarrierChoice, Client, Codec};
use sente_e2e::{Host, soon};
use sente_server::Peer;
use table::{Cell, Found, Way};
use version::{Outcome, Recorder, Sends, Version};

/// A contract before and after a change.
pub(crate) struct Pair {
    /// What has changed.
    change: &'static str,
    old: Version,
    new: Version,
    /// What the new version makes of what the old one sends, as JSON, if that is not the same.
    new_reads: Option<&'static str>,
    /// The reverse.
    old_reads: Option<&'static str>,
}

impl Pair {
    fn new(change: &'static str, old: Version, new: Version) -> Self {
        assert_eq!(old.namespace, new.namespace);
        Self {
            change,
            old,
            new,
            new_reads: None,
            old_reads: None,
        }
    }

    fn version(&self, is_old: bool) -> &Version {
        if is_old { &self.old } else { &self.new }
    }

    /// What the other version should understand.
    fn meant(&self, from_old: bool, sends: &Sends) -> String {
        let other = if from_old {
            self.new_reads
        } else {
            self.old_reads
        };
        other.map_or_else(sends.text, str::to_owned)
    }
}

const CARRIERS: [CarrierChoice; 2] = [CarrierChoice::WebSocket, CarrierChoice::Poll];

#[tokio::test]
async fn every_change_works_or_is_refused() {
    let pairs = pairs::all();
    let mut found = Found::new(&pairs);
    for client_is_old in [true, false] {
        for codec in Codec::ALL {
            for carrier in CARRIERS {
                let talk = Talk::start(&pairs, client_is_old, *codec, carrier).await;
                for (row, pair) in pairs.iter().enumerate() {
                    talk.compare(row, pair, &mut found).await;
                }
            }
        }
    }
    let table = found.table(&pairs);
    let wrong = ["MISREAD", "LOST", "FAILED", "WRONG"];
    let is_wrong = |row: &&str| wrong.iter().any(|word| row.contains(word));
    let rows: Vec<&str> = table.lines().filter(is_wrong).collect();
    assert!(
        rows.is_empty(),
        "{}",
        rows.join(
            "
"
        )
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix/table.md");
    if std::env::var_os("MATRIX").is_some_and(|wanted| wanted == "write") {
        std::fs::write(&path, &table).unwrap();
    }
    let shown = std::fs::read_to_string(&path).unwrap();
    assert!(
        table == shown,
        "the table in the book is another (MATRIX=write writes it):\n{table}"
    );
}

/// A client and a server of different ages, with all pairs between them.
struct Talk {
    client_is_old: bool,
    codec: Codec,
    client: Client,
    peer: Peer,
    /// What the handlers of the client and of the server understand.
    of_client: Recorder,
    of_server: Recorder,
    _host: Host,
}

impl Talk {
    async fn start(
        pairs: &[Pair],
        client_is_old: bool,
        codec: Codec,
        carrier: CarrierChoice,
    ) -> Self {
        let (of_client, of_server) = (Recorder::default(), Recorder::default());
        let host = Host::start(|builder| {
            pairs.iter().fold(builder, |builder, pair| {
                let serve = pair.version(!client_is_old).serve;
                serve(builder, of_server.clone())
            })
        })
        .await;
        let builder = Client::builder(host.url()).codec(codec).carrier(carrier);
        let builder = pairs.iter().fold(builder, |builder, pair| {
            builder.serve((pair.version(client_is_old).client)(of_client.clone()))
        });
        let client = builder.connect();
        soon("a connection", client.ready()).await.unwrap();
        let still = pairs[0].version(client_is_old).still.to_server.unwrap();
        assert_eq!(still(&client).await, Outcome::Answered("7".to_owned()));
        let peer = host.server.connected().clients()[0].peer.clone();
        Self {
            client_is_old,
            codec,
            client,
            peer,
            of_client,
            of_server,
            _host: host,
        }
    }

    async fn compare(&self, row: usize, pair: &Pair, found: &mut Found) {
        let (client, server) = (
            pair.version(self.client_is_old),
            pair.version(!self.client_is_old),
        );
        let told = (client.told)(&self.client);
        found.told(row, told);
        let slots = [
            (client.tell.as_ref(), server.tell.as_ref()),
            (client.ask.as_ref(), server.ask.as_ref()),
        ];
        for (slot, (of_client, of_server)) in slots.into_iter().enumerate() {
            if let Some(sends) = of_client
                && let Some(send) = sends.to_server
            {
                let outcome = soon("an outcome", send(&self.client)).await;
                let still = client.still.to_server.unwrap();
                // In order: if it was to come, it has.
                let still = soon("what has not changed", still(&self.client)).await;
                assert_eq!(still, Outcome::Answered("7".to_owned()), "{}", pair.change);
                let record = self.of_server.take(pair.old.namespace);
                let meant = pair.meant(self.client_is_old, sends);
                let cell = Cell::of(outcome, record, meant);
                found.add(
                    row,
                    slot,
                    self.client_is_old,
                    (Way::ToServer, self.codec),
                    cell,
                );
            }
            if let Some(sends) = of_server
                && let Some(send) = sends.to_client
            {
                let outcome = soon("an outcome", send(&self.peer)).await;
                let still = server.still.to_client.unwrap();
                let still = soon("what has not changed", still(&self.peer)).await;
                assert_eq!(still, Outcome::Answered("7".to_owned()), "{}", pair.change);
                let record = self.of_client.take(pair.old.namespace);
                let meant = pair.meant(!self.client_is_old, sends);
                let cell = Cell::of(outcome, record, meant);
                found.add(
                    row,
                    slot,
                    !self.client_is_old,
                    (Way::ToClient, self.codec),
                    cell,
                );
            }
        }
    }
}
