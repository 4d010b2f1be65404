//! A handler that holds its thread, which it should not.

use std::sync::{Arc, Mutex, mpsc};

use sente_client::{CarrierChoice, Client};
use sente_e2e::{Host, soon};
use sente_server::Peer;
use tokio::sync::Notify;

#[sente::events]
pub(crate) enum Slow {
    /// Holds its thread until the test lets it go.
    #[to_server(reply = ())]
    Block,
    #[to_server(reply = u32)]
    Double { number: u32 },
}

struct Blocks {
    begun: Arc<Notify>,
    released: Mutex<mpsc::Receiver<()>>,
}

impl SlowServer for Blocks {
    async fn block(&self, _from: &Peer) {
        self.begun.notify_one();
        self.released.lock().unwrap().recv().unwrap();
    }

    async fn double(&self, _from: &Peer, number: u32) -> u32 {
        number * 2
    }
}

/// As long as there is a thread left, all others are served: by both carriers, new ones too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_blocks_its_thread_holds_up_its_own_session_alone() {
    let begun = Arc::new(Notify::new());
    let (release, released) = mpsc::channel();
    let host = Host::start(|builder| {
        let begun = Arc::clone(&begun);
        builder.serve(move |_| {
            Slow::server(Blocks {
                begun,
                released: Mutex::new(released),
            })
        })
    })
    .await;
    let connect = |carrier| {
        Client::builder(host.url())
            .carrier(carrier)
            .contract::<Slow>()
            .connect()
    };
    let blocked = connect(CarrierChoice::WebSocket);
    let before = connect(CarrierChoice::Poll);
    let double = |client: &Client, number| {
        let call = Slow::to_server(client).double(number);
        async move { soon("a reply", call).await }
    };
    assert_eq!(double(&before, 1).await, Ok(2));
    let waits = tokio::spawn(Slow::to_server(&blocked).block());
    soon("the handler", begun.notified()).await;

    for carrier in [CarrierChoice::WebSocket, CarrierChoice::Poll] {
        let after = connect(carrier);
        for number in 0..50 {
            assert_eq!(double(&after, number).await, Ok(number * 2));
            assert_eq!(double(&before, number).await, Ok(number * 2));
        }
    }
    assert!(!waits.is_finished());

    release.send(()).unwrap();
    assert_eq!(soon("the answer", waits).await.unwrap(), Ok(()));
    assert_eq!(double(&blocked, 3).await, Ok(6));
}
