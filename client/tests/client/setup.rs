//! What a builder is told that cannot be.

use sente::SendError;
use sente_client::{Client, NotReady, SetupError, UrlError};

use crate::contract::{Chat, Ui};

#[test]
fn without_a_runtime_nothing_panics_and_the_error_says_what_to_do() {
    let client = Client::builder("http://localhost/sente").connect();
    assert!(client.state().ended);
    assert_eq!(client.state().setup_error, Some(SetupError::NoRuntime));
    let error = Client::builder("http://localhost/sente").try_connect();
    assert!(error.unwrap_err().to_string().contains("tokio::main"));
}

#[tokio::test]
async fn a_bad_url_ends_the_client_at_once() {
    let client = Client::builder("localhost/sente")
        .contract::<Chat>()
        .connect();
    let error = client.ready().await.unwrap_err();
    assert!(matches!(
        error,
        NotReady::Setup(SetupError::Url(UrlError::NoScheme(_)))
    ));
    assert!(matches!(
        Chat::to_server(&client).said("hello"),
        Err(SendError::Ended | SendError::Unsupported { .. })
    ));
    client.reconnect();
    assert!(client.ready().await.is_err());
    assert!(matches!(
        Client::builder("ftp://localhost").try_connect(),
        Err(SetupError::Url(UrlError::Scheme(_)))
    ));
}

#[tokio::test]
async fn the_first_mistake_counts() {
    let error = Client::builder("http://localhost")
        .header("bad name", "value")
        .header("name", "bad\nvalue")
        .try_connect()
        .unwrap_err();
    assert_eq!(
        error,
        SetupError::Header {
            name: "bad name".to_owned()
        }
    );

    mod other {
        #[sente::events]
        pub(super) enum Chat {
            #[to_server]
            Another,
        }
    }
    let error = Client::builder("http://localhost")
        .serve(Chat::client(Ui::new().0))
        .contract::<other::Chat>()
        .try_connect()
        .unwrap_err();
    assert!(matches!(error, SetupError::Namespace(_)));
}

#[tokio::test]
async fn a_namespace_that_the_builder_was_not_given_cannot_be_sent() {
    let client = Client::builder("http://localhost:1/sente").connect();
    let error = Chat::to_server(&client).said("hello").unwrap_err();
    assert!(matches!(
        error,
        SendError::Unsupported { event: "chat/said" }
    ));
}
