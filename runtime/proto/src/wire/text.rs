//! Text frames: one JSON object each, with the same contents as the binary ones.

mod form;
mod items;

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_json::value::RawValue;

use self::form::{
    Ack, AuthenticateForm, CloseForm, HelloForm, HelloPrefix, RefusedForm, RequestForm, TableForm,
    WelcomeForm,
};
use self::items::ItemForm;
use super::primitive::milliseconds;
use super::{WireError, WireLimits, too_large};
use crate::frame::{Data, Frame, Hello, VERSION};
use crate::reason::Refused;

/// Every frame but data, as `{"kind":contents}`.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'a> {
    Hello(HelloForm),
    Welcome(WelcomeForm<'a>),
    Refused(RefusedForm),
    Tables(Vec<TableForm>),
    Request(RequestForm),
    Close(CloseForm),
    Authenticate(AuthenticateForm),
    Expires(u64),
    Ping(u64),
    Pong(u64),
}

/// Appends any frame but data, which [`DataWriter`](super::DataWriter) writes.
pub(super) fn encode(frame: &Frame, out: &mut Vec<u8>) {
    put(
        &match frame {
            Frame::Hello(hello) => Written::Hello(hello.as_ref().into()),
            Frame::Welcome(welcome) => Written::Welcome(welcome.as_ref().into()),
            Frame::Refused(refused) => Written::Refused(refused.as_ref().into()),
            Frame::Tables(tables) => Written::Tables(tables.iter().map(Into::into).collect()),
            Frame::Request(request) => Written::Request(request.into()),
            Frame::Close(close) => Written::Close(close.as_ref().into()),
            Frame::Authenticate(shown) => Written::Authenticate(shown.into()),
            Frame::Expires(after) => Written::Expires(milliseconds(*after)),
            Frame::Ping(number) => Written::Ping(*number),
            Frame::Pong(number) => Written::Pong(*number),
            Frame::Data(data) => return super::data::encode(crate::codec::Codec::Json, data, out),
        },
        out,
    );
}

pub(super) fn encode_refused(refused: &Refused, out: &mut Vec<u8>) {
    put(&Written::Refused(refused.into()), out);
}

fn put(frame: &Written<'_>, out: &mut Vec<u8>) {
    // Strings, numbers and lists into memory: there is nothing in it that could fail.
    let written = serde_json::to_writer(&mut *out, frame);
    debug_assert!(written.is_ok());
}

/// Any frame, as it is read: one of the first ten keys, or those of data.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<'a> {
    #[serde(borrow)]
    hello: Option<&'a RawValue>,
    #[serde(borrow)]
    welcome: Option<Box<WelcomeForm<'a>>>,
    refused: Option<Box<RefusedForm>>,
    tables: Option<Vec<TableForm>>,
    request: Option<RequestForm>,
    close: Option<Box<CloseForm>>,
    authenticate: Option<AuthenticateForm>,
    expires: Option<u64>,
    ping: Option<u64>,
    pong: Option<u64>,
    ack: Option<Ack>,
    first: Option<u64>,
    #[serde(borrow)]
    items: Option<Vec<ItemForm<'a>>>,
}

pub(super) fn decode(bytes: &Bytes, limits: &WireLimits) -> Result<Frame, WireError> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| WireError::Malformed("the text is not UTF-8"))?;
    let Read {
        hello,
        welcome,
        refused,
        tables,
        request,
        close,
        authenticate,
        expires,
        ping,
        pong,
        ack,
        first,
        items,
    } = parse(text)?;
    let has_data = ack.is_some() || first.is_some() || items.is_some();

    let mut frames = Vec::with_capacity(1);
    if let Some(hello) = hello {
        frames.push(Frame::Hello(decode_hello(hello)?.into()));
    }
    if let Some(welcome) = welcome {
        frames.push(Frame::Welcome(welcome.decode(bytes, limits)?.into()));
    }
    frames.extend(refused.map(|refused| Frame::Refused(Box::new((*refused).into()))));
    frames.extend(tables.map(|tables| Frame::Tables(tables.into_iter().map(Into::into).collect())));
    frames.extend(request.map(|request| Frame::Request(request.into())));
    frames.extend(close.map(|close| Frame::Close(Box::new((*close).into()))));
    frames.extend(authenticate.map(|shown| Frame::Authenticate(shown.into())));
    frames.extend(expires.map(|after| Frame::Expires(Duration::from_millis(after))));
    frames.extend(ping.map(Frame::Ping));
    frames.extend(pong.map(Frame::Pong));
    if has_data || frames.is_empty() {
        frames.push(Frame::Data(Data {
            acknowledge: ack.map(Into::into),
            first: first.unwrap_or_default(),
            items: items::decode(items.unwrap_or_default(), bytes, limits)?,
        }));
    }
    match frames.pop() {
        Some(frame) if frames.is_empty() => Ok(frame),
        _ => Err(WireError::Malformed("it is several frames at once")),
    }
}

/// Of another version only the beginning is read.
fn decode_hello(hello: &RawValue) -> Result<Hello, WireError> {
    let prefix: HelloPrefix = parse(hello.get())?;
    if prefix.version == VERSION {
        parse::<HelloForm>(hello.get()).map(Into::into)
    } else {
        Ok(prefix.into())
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, WireError> {
    // What serde says may quote what it found, secrets too.
    serde_json::from_str(text).map_err(|error| {
        WireError::Malformed(match error.classify() {
            Category::Data => "it is JSON, but not of this form",
            Category::Io | Category::Syntax | Category::Eof => "it is not JSON",
        })
    })
}

/// The part of `bytes` that `raw` was read from.
fn payload(raw: &RawValue, bytes: &Bytes, limits: &WireLimits) -> Result<Bytes, WireError> {
    let raw = raw.get().as_bytes();
    if raw.len() > limits.message {
        return Err(too_large("payload", raw.len(), limits.message));
    }
    Ok(bytes.slice_ref(raw))
}
