//! Generated senders and generated routers talk to each other over two real sessions.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::task::noop_waker_ref;
use sente::driver::{Dispatcher, DispatcherBuilder, Host, Port, Push, push_value};
use sente::{
    Call, CallError, Codec, Direction, Link, Peer, SendError, SessionId, ToClient, ToServer,
};
use sente_proto::contract::Mapping;
use sente_proto::frame::Frame;
use sente_proto::session::Session;
use sente_proto::{Limits, Time, wire};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
struct Receipt {
    id: u64,
}

#[derive(Debug, Deserialize, PartialEq, Serialize, sente::Schema)]
enum PostError {
    Muted,
}

#[sente::events]
enum Chat {
    #[to_server(reply = Receipt, error = PostError)]
    Post {
        text: String,
        #[default]
        reply_to: Option<u64>,
    },
    #[to_server(delivery = latest)]
    Typing {
        #[key]
        room: String,
        letters: u8,
    },
    #[to_client]
    Posted(String, u64),
    #[to_client(reply = bool)]
    Confirm { question: String },
    #[to_server]
    #[to_client(reply = String)]
    Wave,
}

type Heard = Arc<Mutex<Vec<String>>>;

#[derive(Clone, Default)]
struct Ears(Heard);

impl Ears {
    fn hear(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl ChatServer for Ears {
    async fn post(
        &self,
        from: &Peer,
        text: String,
        reply_to: Option<u64>,
    ) -> Result<Receipt, PostError> {
        let id = reply_to.ok_or(PostError::Muted)?;
        Chat::to_client(from).posted(text, id).unwrap();
        Ok(Receipt { id })
    }

    async fn typing(&self, _from: &Peer, room: String, letters: u8) {
        self.hear(format!("typing {room} {letters}"));
    }

    async fn wave(&self, from: &Peer) {
        self.hear(format!("wave from {}", from.user_or("someone")));
    }
}

impl ChatClient for Ears {
    async fn posted(&self, _link: &Link, text: String, id: u64) {
        self.hear(format!("posted {text} {id}"));
    }

    async fn confirm(&self, link: &Link, question: String) -> bool {
        Chat::to_server(link).wave().unwrap();
        question.ends_with('?')
    }

    async fn wave(&self, _link: &Link) -> String {
        "hello".into()
    }
}

/// A client and a server, and nothing that could be slow or break between them.
struct Pair {
    server: Arc<Dispatcher<ToServer>>,
    client: Arc<Dispatcher<ToClient>>,
    peer: Peer,
    link: Link,
    ears: Ears,
}

struct Still;

impl Host for Still {
    fn now(&self) -> Time {
        Time::default()
    }

    fn spawn(&self, _task: sente::MaybeSendFuture<()>) {
        unreachable!("no handler here waits for anything");
    }
}

impl Pair {
    fn new(codec: Codec) -> Self {
        let ears = Ears::default();
        let server = serve(Chat::server(ears.clone()));
        let client = serve(Chat::client(ears.clone()));
        let (one, two) = (port(&server, codec), port(&client, codec));
        attach(&one, &two);
        attach(&two, &one);
        let request = http::Request::new(()).into_parts().0;
        let peer = Peer::new(one, SessionId::new(1), None, None, request, Box::new(()));
        Self {
            server,
            client,
            peer,
            link: Link::new(two),
            ears,
        }
    }

    /// Carries frames and runs handlers until nothing happens.
    fn run(&self) {
        let mut cx = Context::from_waker(noop_waker_ref());
        while carry(self.link.port(), self.peer.port()) | carry(self.peer.port(), self.link.port())
        {
            self.server.dispatch(&self.peer, self.peer.port(), &mut cx);
            self.client.dispatch(&self.link, self.link.port(), &mut cx);
        }
    }

    fn answer<T: serde::de::DeserializeOwned, E>(
        &self,
        call: Call<T, E>,
    ) -> Result<T, CallError<E>> {
        let mut call = pin!(call);
        let mut cx = Context::from_waker(noop_waker_ref());
        assert!(call.as_mut().poll(&mut cx).is_pending());
        self.run();
        match call.poll(&mut cx) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("the call was not answered"),
        }
    }
}

fn serve<D: Direction>(routes: sente::Routes<D>) -> Arc<Dispatcher<D>> {
    let mut builder = DispatcherBuilder::default();
    builder.serve(routes).unwrap();
    builder.build()
}

fn port<D: Direction>(dispatcher: &Dispatcher<D>, codec: Codec) -> Arc<Port> {
    let contract = Arc::clone(dispatcher.contract());
    let mapping = Mapping::of_server(&contract, &contract.offers(), &[], Codec::Bincode).unwrap();
    let mut session = Session::new(Arc::new(Limits::default()), contract, codec);
    assert!(session.map(Arc::new(mapping)).is_empty());
    Port::new(Arc::new(Still), session)
}

fn attach(port: &Port, other: &Port) {
    let acknowledge = other.with(|now, session| session.acknowledge(now));
    port.with(|_, session| session.attach(acknowledge)).unwrap();
}

fn carry(from: &Port, to: &Port) -> bool {
    let Some(frame) = from.with(|now, session| session.poll_data(now)) else {
        return false;
    };
    let frame = wire::decode(to.codec(), &frame.into(), &Limits::default().wire()).unwrap();
    let Frame::Data(data) = frame else {
        panic!("a session cuts data frames only")
    };
    to.with(|now, session| session.handle_data(now, data))
        .unwrap();
    true
}

const CODECS: [Codec; 2] = [Codec::Bincode, Codec::Json];

#[test]
fn a_call_brings_its_reply_and_its_handler_may_push() {
    for codec in CODECS {
        let pair = Pair::new(codec);
        let reply = pair.answer(Chat::to_server(&pair.link).post("hi", Some(7)));
        assert_eq!(reply, Ok(Receipt { id: 7 }));
        assert_eq!(pair.ears.heard(), ["posted hi 7"]);
    }
}

#[test]
fn a_rejected_call_brings_its_error() {
    for codec in CODECS {
        let pair = Pair::new(codec);
        let reply = pair.answer(Chat::to_server(&pair.link).post("hi", None));
        assert_eq!(reply, Err(CallError::Rejected(PostError::Muted)));
    }
}

#[test]
fn a_server_asks_a_client() {
    for codec in CODECS {
        let pair = Pair::new(codec);
        let reply = pair.answer(Chat::to_client(&pair.peer).confirm("really?"));
        assert_eq!(reply, Ok(true));
        assert_eq!(pair.ears.heard(), ["wave from someone"]);
    }
}

#[test]
fn an_event_may_be_a_call_in_one_direction_only() {
    let pair = Pair::new(Codec::Bincode);
    assert_eq!(
        pair.answer(Chat::to_client(&pair.peer).wave()),
        Ok("hello".into())
    );
    Chat::to_server(&pair.link).wave().unwrap();
    pair.run();
    assert_eq!(pair.ears.heard(), ["wave from someone"]);
}

#[test]
fn only_the_latest_for_each_key_is_kept() {
    let pair = Pair::new(Codec::Bincode);
    let chat = Chat::to_server(&pair.link);
    chat.typing("lobby", 1).unwrap();
    chat.typing("attic", 1).unwrap();
    chat.typing("lobby", 2).unwrap();
    pair.run();
    let mut heard = pair.ears.heard();
    heard.sort();
    assert_eq!(heard, ["typing attic 1", "typing lobby 2"]);
}

/// The simplest set of clients: one, several times.
struct Twice<'a>(&'a Peer);

impl sente::Targets for Twice<'_> {
    fn push(&self, push: &mut Push<'_>) -> usize {
        let offers = [push.offer(self.0.port()), push.offer(self.0.port())];
        offers.iter().filter(|offer| offer.is_ok()).count()
    }
}

#[test]
fn a_push_reaches_all_targets_and_counts_them() {
    let pair = Pair::new(Codec::Json);
    assert_eq!(Chat::to_clients(Twice(&pair.peer)).posted("hi", 1), 2);
    pair.run();
    assert_eq!(pair.ears.heard(), ["posted hi 1", "posted hi 1"]);
}

#[test]
fn a_value_is_sent_as_its_function_sends_it() {
    for codec in CODECS {
        let pair = Pair::new(codec);
        for letters in 1..3 {
            for room in ["lobby", "attic"] {
                let room = room.to_owned();
                pair.link.send(Chat::Typing { room, letters }).unwrap();
            }
        }
        pair.link.send(Chat::Wave).unwrap();
        pair.run();
        let mut heard = pair.ears.heard();
        heard.sort();
        assert_eq!(
            heard,
            ["typing attic 2", "typing lobby 2", "wave from someone"]
        );
        pair.peer.send(Chat::Posted("hi".into(), 1)).unwrap();
        let two = push_value(&Twice(&pair.peer), &Chat::Posted("hi".into(), 2)).unwrap();
        assert_eq!(two, 2);
        pair.run();
        assert_eq!(
            pair.ears.heard(),
            ["posted hi 1", "posted hi 2", "posted hi 2"]
        );
    }
}

#[test]
fn the_value_of_a_call_is_sent_and_nobody_waits_for_the_answer() {
    let pair = Pair::new(Codec::Bincode);
    let post = Chat::Post {
        text: "hi".into(),
        reply_to: Some(7),
    };
    pair.link.send(post).unwrap();
    let question = "really?".into();
    pair.peer.send(Chat::Confirm { question }).unwrap();
    pair.run();
    let mut heard = pair.ears.heard();
    heard.sort();
    assert_eq!(heard, ["posted hi 7", "wave from someone"]);
}

#[test]
fn a_value_does_not_go_in_the_direction_that_the_contract_does_not_have() {
    let pair = Pair::new(Codec::Bincode);
    let posted = || Chat::Posted("hi".into(), 1);
    let typing = || Chat::Typing {
        room: "lobby".into(),
        letters: 1,
    };
    let wrong = |result: Result<(), SendError>, id| matches!(result, Err(SendError::WrongDirection { event }) if event == id);
    assert!(wrong(pair.link.send(posted()), "chat/posted"));
    assert!(wrong(pair.peer.send(typing()), "chat/typing"));
    let pushed = push_value(&Twice(&pair.peer), &typing());
    assert!(wrong(pushed.map(drop), "chat/typing"));
    pair.run();
    assert_eq!(pair.ears.heard(), [""; 0]);
}
