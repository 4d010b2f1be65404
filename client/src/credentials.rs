//! Tokens: a fixed one, or a function that is asked whenever the client shows who it is.

use std::future::Future;
use std::sync::Arc;

use sente::{MaybeSend, MaybeSendFuture, MaybeSync, Secret};

/// Where a token comes from: a string, or an async function that is asked whenever the client
/// shows who it is: at every dial, and when the server warns that what was shown expires.
///
/// ```no_run
/// # async fn fetch_token() -> Option<String> { None }
/// use sente_client::Client;
///
/// let fixed = Client::builder("https://example.org/sente").token("abc");
/// let fresh = Client::builder("https://example.org/sente").token(|| async { fetch_token().await });
/// ```
///
/// The function returns a `String`, or an `Option<String>` whose `None` shows no token. While it
/// has not answered the client does not dial, so it should give up after some seconds.
pub trait IntoToken {
    /// The source.
    fn into_token(self) -> Token;
}

/// The source of a token, from [`IntoToken`]. It has no value that could be seen.
#[derive(Clone)]
pub struct Token(Source);

#[derive(Clone)]
enum Source {
    Fixed(Secret<String>),
    Asked(Arc<dyn Ask>),
}

trait Ask: MaybeSend + MaybeSync {
    fn ask(&self) -> MaybeSendFuture<Option<String>>;
}

impl<F, Answer> Ask for F
where
    F: Fn() -> Answer + MaybeSend + MaybeSync,
    Answer: Future<Output: Into<Option<String>>> + MaybeSend + 'static,
{
    fn ask(&self) -> MaybeSendFuture<Option<String>> {
        let answer = self();
        Box::pin(async move { answer.await.into() })
    }
}

impl IntoToken for Token {
    fn into_token(self) -> Token {
        self
    }
}

impl IntoToken for String {
    fn into_token(self) -> Token {
        Token(Source::Fixed(Secret::new(self)))
    }
}

impl IntoToken for &str {
    fn into_token(self) -> Token {
        self.to_owned().into_token()
    }
}

impl IntoToken for Secret<String> {
    fn into_token(self) -> Token {
        Token(Source::Fixed(self))
    }
}

impl<F, Answer> IntoToken for F
where
    F: Fn() -> Answer + MaybeSend + MaybeSync + 'static,
    Answer: Future<Output: Into<Option<String>>> + MaybeSend + 'static,
{
    fn into_token(self) -> Token {
        Token(Source::Asked(Arc::new(self)))
    }
}

impl Token {
    async fn get(self) -> Option<Secret<String>> {
        match self.0 {
            Source::Fixed(token) => Some(token),
            Source::Asked(function) => function.ask().await.map(Secret::new),
        }
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Source::Fixed(_) => "Token(fixed)",
            Source::Asked(_) => "Token(asked)",
        })
    }
}

/// All that a client shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) token: Option<Token>,
    pub(crate) csrf: Option<Token>,
}

/// The token and the token against cross-site request forgery.
pub(crate) type Shown = (Option<Secret<String>>, Option<Secret<String>>);

impl Tokens {
    /// Whether there is anything to ask for.
    pub(crate) fn any(&self) -> bool {
        self.token.is_some() || self.csrf.is_some()
    }

    pub(crate) fn ask(&self) -> MaybeSendFuture<Shown> {
        let Self { token, csrf } = self.clone();
        Box::pin(async move { (get(token).await, get(csrf).await) })
    }
}

async fn get(token: Option<Token>) -> Option<Secret<String>> {
    token?.get().await
}
