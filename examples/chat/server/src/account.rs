//! Who a client is: the page has a cookie, other programs show their name as a token.

use std::borrow::Cow;

use axum::Router;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sente_server::{Handshake, Identity, Refusal};

use crate::names::is_name;

const USER: &str = "chat-user";
const CSRF: &str = "chat-csrf";
const BAD_NAME: &str = "a name has 1 to 20 letters, digits, `-` and `_`: choose another one";

// ANCHOR: authenticate
/// Lets everyone in who has a name. The name is all there is to it: here an application looks up
/// whose session the cookie is, or checks a signed token, and never believes what a client says
/// of itself.
pub async fn authenticate(handshake: Handshake) -> Result<Identity, Refusal> {
    let cookie = || cookie(handshake.headers(), USER);
    match handshake.token().map(str::to_owned).or_else(cookie) {
        Some(name) if is_name(&name) => Ok(Identity::user(name)),
        Some(_) => Err(Refusal::forbidden(BAD_NAME)),
        None => Err(Refusal::unauthorized(
            "nobody is logged in: choose a name first",
        )),
    }
}

/// A browser sends cookies for whoever asks; the page alone knows the token that it was given.
/// Where no cookie says who it is there is nothing to make use of.
#[must_use]
pub fn is_from_page(handshake: &Handshake) -> bool {
    let headers = handshake.headers();
    cookie(headers, USER).is_none() || is_csrf_token(headers, handshake.csrf())
}
// ANCHOR_END: authenticate

/// `POST /login` with the name as the body, and `POST /logout`. Both want the page's token in the
/// header `x-csrf-token`.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/login", post(login))
        .route("/logout", post(logout))
}

async fn login(headers: HeaderMap, name: String) -> Response {
    let name = name.trim();
    if !is_name(name) {
        return (StatusCode::UNPROCESSABLE_ENTITY, BAD_NAME).into_response();
    }
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    answer(&headers, &format!("{USER}={name}"))
}

async fn logout(headers: HeaderMap) -> Response {
    answer(&headers, &format!("{USER}=; Max-Age=0"))
}

fn answer(headers: &HeaderMap, cookie: &str) -> Response {
    let shown = headers.get("x-csrf-token").and_then(|it| it.to_str().ok());
    if !is_csrf_token(headers, shown) {
        let what = if headers.contains_key(COOKIE) {
            "this did not come from the chat's own page: load it again"
        } else {
            "the browser shows no cookie: allow cookies for this page, and load it again"
        };
        return (StatusCode::FORBIDDEN, what).into_response();
    }
    (StatusCode::NO_CONTENT, [set_cookie(cookie)]).into_response()
}

/// The token against cross-site request forgery that the page is to show, and the cookie that
/// goes with it. The same as before, so that other tabs of the browser go on.
pub(crate) fn csrf_token(headers: &HeaderMap) -> (String, (HeaderName, HeaderValue)) {
    let known = cookie(headers, CSRF).filter(|it| is_token(it));
    let token = known.unwrap_or_else(|| {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        format!("{:032x}", u128::from_ne_bytes(bytes))
    });
    let cookie = set_cookie(&format!("{CSRF}={token}"));
    (token, cookie)
}

/// The page shows what its cookie says: whoever makes a browser send the cookie cannot read it.
fn is_csrf_token(headers: &HeaderMap, shown: Option<&str>) -> bool {
    shown.is_some_and(|shown| is_token(shown) && cookie(headers, CSRF).as_deref() == Some(shown))
}

fn is_token(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|it| it.is_ascii_hexdigit())
}

/// A cookie that no script can read and that other sites' forms do not send.
fn set_cookie(cookie: &str) -> (HeaderName, HeaderValue) {
    let cookie = format!("{cookie}; Path=/; HttpOnly; SameSite=Lax");
    let value = HeaderValue::try_from(cookie).expect("names and tokens are encoded");
    (SET_COOKIE, value)
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| percent_decode_str(value).decode_utf8().ok())
        .map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        let cookie = |it: &&str| (COOKIE, HeaderValue::from_str(it).unwrap());
        cookies.iter().map(cookie).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others_and_brings_the_name_as_it_was() {
        let headers = headers(&["a=1; chat-user=J%C3%BCrgen", "chat-user-2=ann"]);
        assert_eq!(cookie(&headers, USER).as_deref(), Some("Jürgen"));
        assert_eq!(cookie(&headers, "chat-user-2").as_deref(), Some("ann"));
        assert_eq!(cookie(&headers, CSRF), None);
    }

    #[test]
    fn only_who_knows_what_the_cookie_says_is_the_page() {
        let (token, (_, set)) = csrf_token(&HeaderMap::new());
        let with = headers(&[set.to_str().unwrap().split(';').next().unwrap()]);
        assert!(is_csrf_token(&with, Some(&token)));
        assert_eq!(csrf_token(&with).0, token, "other tabs show it too");
        let other = csrf_token(&HeaderMap::new()).0;
        for shown in [None, Some(""), Some(other.as_str())] {
            assert!(!is_csrf_token(&with, shown), "{shown:?}");
        }
        assert!(!is_csrf_token(&HeaderMap::new(), Some(&token)));
        // No cookie and no token are not the same thing on both sides.
        assert!(!is_csrf_token(&headers(&["chat-csrf="]), Some("")));
    }
}
