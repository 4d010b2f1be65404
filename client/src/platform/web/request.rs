//! Requests by `fetch`.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use js_sys::{Object, Promise, Reflect, Uint8Array};
use sente_proto::client::Response;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader};

use super::address::Address;
use super::alarm::Alarm;
use super::{bytes_of, text_of};
use crate::platform::{Form, Timer};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, options: &Object) -> Result<Promise, JsValue>;
}

/// Gives up a request when it is dropped.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) async fn post(
    address: &Address,
    form: Form,
    body: Vec<u8>,
    timeout: Duration,
) -> Result<Response, String> {
    let url = address.poll.as_str();
    let abort = Abort(AbortController::new().map_err(|error| text_of(&error))?);
    let mut alarm = Alarm::default();
    alarm.set(timeout);
    let mut exchange = pin!(exchange(url, form, body, &abort.0));
    poll_fn(|cx| {
        if let Poll::Ready(response) = exchange.as_mut().poll(cx) {
            return Poll::Ready(response);
        }
        alarm.poll(cx).map(|()| {
            Err(format!(
                "`{url}` did not answer within {} s: check the network and the server",
                timeout.as_secs() as usize
            ))
        })
    })
    .await
}

async fn exchange(
    url: &str,
    form: Form,
    body: Vec<u8>,
    abort: &AbortController,
) -> Result<Response, String> {
    let headers = options([("content-type", form.content_type().into())]);
    let request = options([
        ("method", "POST".into()),
        ("headers", headers.into()),
        ("body", Uint8Array::from(body.as_slice()).into()),
        // As with WebSockets: the server has to see the same user by both.
        ("credentials", "include".into()),
        ("signal", abort.signal().into()),
    ]);
    let unreachable = |error: JsValue| {
        format!(
            "`{url}` cannot be reached ({}): is the server running, does it allow pages of this \
             origin, and does the page's content security policy (`connect-src`) allow the server?",
            text_of(&error)
        )
    };
    let response = JsFuture::from(fetch(url, &request).map_err(unreachable)?)
        .await
        .map_err(unreachable)?;
    let response: web_sys::Response = response.unchecked_into();
    let body = read(&response, form.body)
        .await
        .map_err(|error| match error {
            Some(error) => format!("the answer of `{url}` broke off: {}", text_of(&error)),
            None => format!(
                "`{url}` answered with more than the {} bytes that this client takes",
                form.body
            ),
        })?;
    Ok(Response {
        status: response.status(),
        body: body.into(),
    })
}

fn options<const N: usize>(options: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (name, value) in options {
        // A plain object takes whatever it is given.
        Reflect::set(&object, &name.into(), &value).ok();
    }
    object
}

/// Reads a body in the parts in which it comes. Fails without a reason if it is longer than `most`.
async fn read(response: &web_sys::Response, most: usize) -> Result<Vec<u8>, Option<JsValue>> {
    let mut body = Vec::new();
    let Some(stream) = response.body() else {
        return Ok(body);
    };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let part = JsFuture::from(reader.read()).await.map_err(Some)?;
        let field = |name: &str| Reflect::get(&part, &name.into()).map_err(Some);
        if field("done")?.is_truthy() {
            return Ok(body);
        }
        let part: Uint8Array = field("value")?.unchecked_into();
        if body.len().saturating_add(part.length() as usize) > most {
            return Err(None);
        }
        body.append(&mut bytes_of(&part));
    }
}
