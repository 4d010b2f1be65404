//! Programs of different ages: what each of them is told.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use sente_client::{
    CallError, CarrierChoice, Client, Codec, Link, SendError, Skew, SkewCause, UnhandledCause,
};
use sente_e2e::{Host, soon};
use sente_server::{Peer, Presence, Server};
use serde::{Deserialize, Serialize};

/// Last week's.
mod old {
    use super::{Deserialize, Serialize};

    #[derive(Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
    pub(crate) struct Welcome {
        pub(crate) motto: String,
    }

    #[sente::events(handshake = Welcome)]
    pub(crate) enum Chat {
        #[to_server(reply = u32)]
        Post { text: String },
        #[to_server]
        Typing,
        #[to_server(reply = u32)]
        Count,
        #[to_client]
        Outdated,
    }
}

/// Today's.
mod new {
    use super::{Deserialize, Serialize};

    #[derive(Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
    pub(crate) struct Welcome {
        pub(crate) motto: String,
        pub(crate) users: u32,
    }

    #[sente::events(handshake = Welcome)]
    pub(crate) enum Chat {
        #[to_server(reply = u32)]
        Post { text: String, room: String },
        #[to_server]
        Typing { room: String },
        #[to_server(reply = u32)]
        Count,
        #[to_client]
        Outdated,
        #[to_client]
        Joined { name: String },
    }
}

/// Counts what it is asked to.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU32>);

impl new::ChatServer for Counter {
    async fn post(&self, _from: &Peer, _text: String, _room: String) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    async fn typing(&self, _from: &Peer, _room: String) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    async fn count(&self, _from: &Peer) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Sees whether it is asked for a reload.
#[derive(Clone)]
struct Page(tokio::sync::mpsc::UnboundedSender<()>);

impl old::ChatClient for Page {
    async fn outdated(&self, _link: &Link) {
        let _ = self.0.send(());
    }
}

async fn host() -> Host {
    Host::start(|builder| {
        let builder = builder.serve(|_| new::Chat::server(Counter::default()));
        builder.handshake::<new::Chat>(|_| new::Welcome {
            motto: "hello".to_owned(),
            users: 3,
        })
    })
    .await
}

fn names(skew: &[Skew]) -> Vec<String> {
    skew.iter().map(ToString::to_string).collect()
}

// ANCHOR: reload
/// Asks clients for a reload whose program is of another age.
async fn ask_for_reloads(server: &Server) {
    let mut presence = server.presence();
    while let Some(change) = presence.next().await {
        if let Presence::Joined { peer } = change
            && !peer.skew().is_empty()
        {
            new::Chat::to_client(&peer).outdated().ok();
        }
    }
}
// ANCHOR_END: reload

#[tokio::test]
async fn both_sides_know_what_does_not_fit_and_the_rest_goes_on() {
    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let host = host().await;
        let (page, mut outdated) = tokio::sync::mpsc::unbounded_channel();
        let server = host.server.clone();
        let asks = tokio::spawn(async move { ask_for_reloads(&server).await });
        let client = Client::builder(host.url())
            .carrier(carrier)
            .serve(old::Chat::client(Page(page)))
            .connect();
        let chat = old::Chat::to_server(&client);
        // Before the first handshake nobody knows yet.
        chat.typing().unwrap();
        let early = chat.post("early");
        assert_eq!(soon("an answer", early).await, Err(CallError::Incompatible));
        assert_eq!(client.counts().skewed_out, 2);

        assert!(matches!(
            chat.typing(),
            Err(SendError::Incompatible {
                event: "chat/typing"
            })
        ));
        let late = soon("an answer", chat.post("late")).await;
        assert_eq!(late, Err(CallError::Incompatible));
        assert_eq!(client.counts().skewed_out, 4);
        assert_eq!(soon("a reply", chat.count()).await, Ok(0), "none has run");

        // The handshake's data is of another form, so there is none.
        assert_eq!(client.handshake::<old::Chat>().unwrap(), None);
        assert_eq!(
            names(&client.state().skew),
            [
                "chat (another form)",
                "chat/joined (not known here)",
                "chat/post (another form)",
                "chat/typing (another form)",
            ]
        );

        soon("a request", outdated.recv()).await;
        let connected = host.server.connected();
        let [skewed] = connected.skewed()[..] else {
            panic!("one is: {connected:?}")
        };
        assert_eq!(
            names(&skewed.peer.skew()),
            [
                "chat (another form)",
                "chat/joined (not known there)",
                "chat/post (another form)",
                "chat/typing (another form)",
            ]
        );
        let push = new::Chat::to_clients(host.server.everyone()).joined("ann");
        assert_eq!(push, 0, "it would be read by nobody");
        assert_eq!(skewed.peer.counts().skewed_out, 1);
        asks.abort();
    }
}

#[tokio::test]
async fn clients_of_the_same_contract_have_nothing_to_be_told() {
    let host = host().await;
    let client = Client::builder(host.url())
        .contract::<new::Chat>()
        .connect();
    let chat = new::Chat::to_server(&client);
    assert_eq!(soon("a reply", chat.count()).await, Ok(0));
    assert!(client.state().skew.is_empty());
    let welcome = client.handshake::<new::Chat>().unwrap();
    assert_eq!(welcome.map(|welcome| welcome.users), Some(3));
    assert!(host.server.connected().skewed().is_empty());
}

#[tokio::test]
async fn what_is_spoken_and_not_served_goes_to_the_default_handler_on_both_sides() {
    let (told, mut at_server) = tokio::sync::mpsc::unbounded_channel();
    let host = Host::start(|builder| {
        builder
            .contract::<new::Chat>()
            .unhandled(move |_peer, event| told.send(event).unwrap())
    })
    .await;
    let (told, mut at_client) = tokio::sync::mpsc::unbounded_channel();
    let client = Client::builder(host.url())
        .contract::<new::Chat>()
        .unhandled(move |_link, event| told.send(event).unwrap())
        .connect();

    let chat = new::Chat::to_server(&client);
    let count = soon("an answer", chat.count()).await;
    assert_eq!(count, Err(CallError::Unsupported));
    let event = soon("the call", at_server.recv()).await.unwrap();
    assert_eq!(event.event.as_deref(), Some("chat/count"));
    assert_eq!(event.cause, UnhandledCause::NoHandler);
    assert!(event.is_call);

    assert_eq!(
        new::Chat::to_clients(host.server.everyone()).joined("ann"),
        1
    );
    let event = soon("the push", at_client.recv()).await.unwrap();
    assert_eq!(event.event.as_deref(), Some("chat/joined"));
    assert_eq!(event.cause, UnhandledCause::NoHandler);
    assert!(!event.is_call);
}

// ---- what only names can tell ----

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
#[schema(self_describing)]
pub(crate) struct Patch {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(flatten)]
    size: Size,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
pub(crate) struct Size {
    width: u8,
}

#[sente::events(handshake = Patch)]
pub(crate) enum Editor {
    #[to_server(reply = Patch)]
    Change { patch: Patch },
    #[to_server]
    Note { patch: Patch },
    #[to_client]
    Changed { patch: Patch },
    #[to_server(reply = u8)]
    Plain { number: u8 },
}

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Patch>>>);

impl EditorServer for Notes {
    async fn change(&self, _from: &Peer, patch: Patch) -> Patch {
        patch
    }

    async fn note(&self, _from: &Peer, patch: Patch) {
        self.0.lock().unwrap().push(patch);
    }

    async fn plain(&self, _from: &Peer, number: u8) -> u8 {
        number
    }
}

#[tokio::test]
async fn a_codec_without_names_refuses_what_needs_them_before_it_is_sent() {
    let patch = Patch {
        title: None,
        size: Size { width: 7 },
    };
    let notes = Notes::default();
    let host = Host::start(|builder| {
        let (notes, patch) = (notes.clone(), patch.clone());
        let builder = builder.serve(|_| Editor::server(notes));
        builder.handshake::<Editor>(move |_| patch.clone())
    })
    .await;
    for codec in [Codec::Bincode, Codec::Json, Codec::MsgPack, Codec::Postcard] {
        let client = Client::builder(host.url())
            .codec(codec)
            .contract::<Editor>()
            .connect();
        let editor = Editor::to_server(&client);
        assert_eq!(soon("a reply", editor.plain(1)).await, Ok(1));
        let changed = soon("an answer", editor.change(patch.clone())).await;
        let noted = editor.note(patch.clone());
        let told = client.handshake::<Editor>().unwrap();
        let connected = host.server.connected();
        let peer = &connected.clients()[0].peer;
        let pushed = Editor::to_client(peer).changed(patch.clone());
        if codec.is_self_describing() {
            assert_eq!(changed, Ok(patch.clone()));
            noted.unwrap();
            pushed.unwrap();
            assert_eq!(told.as_ref(), Some(&patch));
            assert!(client.state().skew.is_empty());
            // In order, and so the note has come.
            assert_eq!(soon("a reply", editor.plain(2)).await, Ok(2));
            assert_eq!(notes.0.lock().unwrap().pop().as_ref(), Some(&patch));
        } else {
            assert_eq!(changed, Err(CallError::Incompatible));
            assert!(matches!(noted, Err(SendError::Incompatible { .. })));
            assert!(matches!(pushed, Err(SendError::Incompatible { .. })));
            assert_eq!(told, None);
            let skew = client.state().skew.clone();
            assert!(skew.iter().all(|skew| skew.cause == SkewCause::Codec));
            assert_eq!(skew.len(), 4, "{skew:?}");
            assert_eq!(peer.skew(), skew);
            assert_eq!(client.counts().skewed_out, 2);
            assert_eq!(peer.counts().skewed_out, 1);
        }
        let mut presence = host.server.presence();
        drop(client);
        while !matches!(
            soon("the end", presence.next()).await,
            Some(Presence::Left { .. })
        ) {}
    }
    assert!(notes.0.lock().unwrap().is_empty());
}
