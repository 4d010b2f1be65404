//! Binary frames.

use std::time::Duration;

use bytes::Bytes;

use super::primitive::{Input, milliseconds, put_bytes, put_fingerprint, put_id, put_varint};
use super::words::Word;
use super::{
    ACKNOWLEDGES, AUTHENTICATE, CLOSE, DATA, EXPIRES, HELLO, PING, PONG, REFUSED, REQUEST, TABLES,
    WELCOME, WireError, WireLimits, item, too_large,
};
use crate::contract::{EVENT_FLAGS, Table, TableEvent, TableReply, Way};
use crate::frame::{
    Acknowledge, Answer, Authenticate, Data, Frame, Hello, Item, Offer, Outcome, POLLS, Request,
    Resume, Terms, VERSION, Welcome,
};
use crate::reason::{Close, Refused};
use crate::{CloseReason, FreshReason, RefusedReason, ResumeSecret, Secret, SessionId};

const TOKEN: u8 = 0x01;
const CSRF: u8 = 0x02;
const DEVICE: u8 = 0x04;
const RESUME: u8 = 0x08;

pub(super) fn encode(frame: &Frame, out: &mut Vec<u8>) {
    match frame {
        Frame::Welcome(welcome) => encode_welcome(welcome, out),
        Frame::Refused(refused) => encode_refused(refused, out),
        _ => encode_no_answer(frame, out),
    }
}

/// All but what servers answer to a hello.
pub(super) fn encode_no_answer(frame: &Frame, out: &mut Vec<u8>) {
    match frame {
        Frame::Hello(hello) => encode_hello(hello, out),
        Frame::Welcome(_) | Frame::Refused(_) => {
            debug_assert!(false, "an answer to a hello");
        }
        Frame::Tables(tables) => encode_tables(tables, out),
        Frame::Request(request) => encode_request(request, out),
        Frame::Data(data) => super::data::encode(crate::codec::Codec::Bincode, data, out),
        Frame::Close(close) => encode_close(close, out),
        Frame::Authenticate(shown) => encode_authenticate(shown, out),
        Frame::Expires(after) => {
            out.push(EXPIRES);
            put_varint(out, milliseconds(*after));
        }
        Frame::Ping(number) => {
            out.push(PING);
            put_varint(out, *number);
        }
        Frame::Pong(number) => {
            out.push(PONG);
            put_varint(out, *number);
        }
    }
}

/// `alone`: the frame is so large that it may hold one item only.
pub(super) fn decode(bytes: &Bytes, limits: &WireLimits, alone: bool) -> Result<Frame, WireError> {
    let mut input = Input::new(bytes);
    let frame = match input.byte()? {
        HELLO | REQUEST if alone => return Err(too_large("frame", bytes.len(), limits.frame)),
        HELLO => {
            let (hello, complete) = decode_hello(&mut input)?;
            if !complete {
                return Ok(Frame::Hello(hello.into()));
            }
            Frame::Hello(hello.into())
        }
        REQUEST => Frame::Request(decode_request(&mut input)?),
        _ => return decode_from_server(bytes, limits, alone),
    };
    input.end()?;
    Ok(frame)
}

/// All that servers send, and that both do.
pub(super) fn decode_from_server(
    bytes: &Bytes,
    limits: &WireLimits,
    alone: bool,
) -> Result<Frame, WireError> {
    let mut input = Input::new(bytes);
    let kind = input.byte()?;
    if alone && kind != WELCOME && kind & !ACKNOWLEDGES != DATA {
        return Err(too_large("frame", bytes.len(), limits.frame));
    }
    let frame = match kind {
        WELCOME => Frame::Welcome(decode_welcome(&mut input, limits)?.into()),
        // What a later version says beyond is not for us.
        REFUSED => return Ok(Frame::Refused(decode_refused(&mut input)?.into())),
        TABLES => Frame::Tables(decode_tables(&mut input)?),
        CLOSE => Frame::Close(decode_close(&mut input)?.into()),
        AUTHENTICATE => Frame::Authenticate(decode_authenticate(&mut input)?),
        EXPIRES => Frame::Expires(input.duration()?),
        PING => Frame::Ping(input.varint()?),
        PONG => Frame::Pong(input.varint()?),
        _ if kind & !ACKNOWLEDGES == DATA => {
            Frame::Data(decode_data(kind, &mut input, limits, alone)?)
        }
        _ => return Err(WireError::Malformed("its kind is not known")),
    };
    input.end()?;
    Ok(frame)
}

fn encode_hello(hello: &Hello, out: &mut Vec<u8>) {
    out.push(HELLO);
    put_varint(out, hello.version.into());
    put_bytes(out, hello.codec.as_bytes());
    put_id(out, hello.attempt);
    put_varint(out, hello.epoch);
    let flag = |bit, present| if present { bit } else { 0 };
    out.push(
        flag(TOKEN, hello.token.is_some())
            | flag(CSRF, hello.csrf.is_some())
            | flag(DEVICE, hello.device.is_some())
            | flag(RESUME, hello.resume.is_some()),
    );
    for secret in [&hello.token, &hello.csrf].into_iter().flatten() {
        put_bytes(out, secret.reveal().as_bytes());
    }
    if let Some(device) = &hello.device {
        put_bytes(out, device.as_bytes());
    }
    if let Some(resume) = &hello.resume {
        put_id(out, resume.session.bits());
        put_id(out, resume.secret.reveal());
        put_acknowledge(out, resume.acknowledge);
    }
    put_varint(out, hello.namespaces.len() as u64);
    for offer in &hello.namespaces {
        put_bytes(out, offer.name.as_bytes());
        put_id(out, offer.digest);
        put_varint(out, offer.events.into());
    }
}

/// The hello, and whether it was read to its end: of other versions only the beginning is known.
fn decode_hello(input: &mut Input<'_>) -> Result<(Hello, bool), WireError> {
    let mut hello = Hello {
        version: input.varint_u16()?,
        codec: input.string()?,
        attempt: 0,
        epoch: 0,
        namespaces: Vec::new(),
        token: None,
        csrf: None,
        device: None,
        resume: None,
    };
    if hello.version != VERSION {
        return Ok((hello, false));
    }
    hello.attempt = input.id()?;
    hello.epoch = input.varint()?;
    let flags = input.flags(TOKEN | CSRF | DEVICE | RESUME)?;
    if flags & TOKEN != 0 {
        hello.token = Some(Secret::new(input.string()?));
    }
    if flags & CSRF != 0 {
        hello.csrf = Some(Secret::new(input.string()?));
    }
    if flags & DEVICE != 0 {
        hello.device = Some(input.string()?);
    }
    if flags & RESUME != 0 {
        hello.resume = Some(Resume {
            session: SessionId::new(input.id()?),
            secret: ResumeSecret::new(input.id()?),
            acknowledge: acknowledge(input)?,
        });
    }
    hello.namespaces = list(input, 18, |input| {
        Ok(Offer {
            name: input.string()?,
            digest: input.id()?,
            events: input.varint_u32()?,
        })
    })?;
    Ok((hello, true))
}

fn encode_welcome(welcome: &Welcome, out: &mut Vec<u8>) {
    out.push(WELCOME);
    put_id(out, welcome.session.bits());
    put_id(out, welcome.secret.reveal());
    put_varint(out, welcome.epoch);
    put_fingerprint(out, welcome.server);
    out.push(welcome.fresh.map_or(0, Word::code));
    match &welcome.user {
        Some(user) => {
            out.push(1);
            put_bytes(out, user.as_bytes());
        }
        None => out.push(0),
    }
    put_acknowledge(out, welcome.acknowledge);
    put_varint(out, welcome.terms.max_message.into());
    put_varint(out, milliseconds(welcome.terms.window));
    put_varint(out, milliseconds(welcome.terms.silence));
    put_varint(out, milliseconds(welcome.terms.poll_hold));
    put_varint(out, welcome.namespaces.len() as u64);
    for answer in &welcome.namespaces {
        put_bytes(out, answer.name.as_bytes());
        put_varint(out, answer.events.into());
        match &answer.table {
            Some(table) => {
                out.push(1);
                put_table(out, table);
            }
            None => out.push(0),
        }
    }
    put_varint(out, welcome.handshake.len() as u64);
    for (name, value) in &welcome.handshake {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value);
    }
}

fn decode_welcome(input: &mut Input<'_>, limits: &WireLimits) -> Result<Welcome, WireError> {
    Ok(Welcome {
        session: SessionId::new(input.id()?),
        secret: ResumeSecret::new(input.id()?),
        epoch: input.varint()?,
        server: input.fingerprint()?,
        fresh: match input.byte()? {
            0 => None,
            code => Some(FreshReason::from_code(code)),
        },
        user: if input.present()? {
            Some(input.string()?)
        } else {
            None
        },
        acknowledge: acknowledge(input)?,
        terms: Terms {
            max_message: input.varint_u32()?,
            window: input.duration()?,
            silence: input.duration()?,
            poll_hold: input.duration()?,
        },
        namespaces: list(input, 3, |input| {
            Ok(Answer {
                name: input.string()?,
                events: input.varint_u32()?,
                table: if input.present()? {
                    Some(table(input)?)
                } else {
                    None
                },
            })
        })?,
        handshake: list(input, 2, |input| {
            Ok((input.string()?, input.payload(limits.message)?))
        })?,
    })
}

pub(super) fn encode_refused(refused: &Refused, out: &mut Vec<u8>) {
    out.push(REFUSED);
    put_varint(out, refused.status.into());
    out.push(refused.reason.code());
    put_retry(out, refused.retry_after);
    put_varint(out, refused.codecs.len() as u64);
    for codec in &refused.codecs {
        put_bytes(out, codec.as_bytes());
    }
    put_bytes(out, refused.message.as_bytes());
}

fn decode_refused(input: &mut Input<'_>) -> Result<Refused, WireError> {
    let status = input.varint_u16()?;
    let reason = RefusedReason::from_code(input.byte()?);
    let retry_after = retry(input)?;
    let codecs = list(input, 1, Input::string)?;
    Ok(Refused {
        status,
        reason,
        message: input.string()?,
        retry_after,
        codecs,
    })
}

fn encode_tables(tables: &[Table], out: &mut Vec<u8>) {
    out.push(TABLES);
    put_varint(out, tables.len() as u64);
    for table in tables {
        put_table(out, table);
    }
}

fn decode_tables(input: &mut Input<'_>) -> Result<Vec<Table>, WireError> {
    list(input, 3, table)
}

fn put_table(out: &mut Vec<u8>, table: &Table) {
    put_bytes(out, table.name.as_bytes());
    match table.handshake {
        Some(handshake) => {
            out.push(1);
            put_fingerprint(out, handshake);
        }
        None => out.push(0),
    }
    put_varint(out, table.events.len() as u64);
    for event in &table.events {
        put_bytes(out, event.name.as_bytes());
        out.push(event.flags());
        put_varint(out, event.required.into());
        put_varint(out, event.fields.len() as u64);
        for field in &event.fields {
            put_fingerprint(out, *field);
        }
        if let Some(reply) = event.reply {
            put_fingerprint(out, reply.reply);
            put_fingerprint(out, reply.error);
        }
    }
}

fn table(input: &mut Input<'_>) -> Result<Table, WireError> {
    Ok(Table {
        name: input.string()?,
        handshake: if input.present()? {
            Some(input.fingerprint()?)
        } else {
            None
        },
        events: list(input, 4, table_event)?,
    })
}

fn table_event(input: &mut Input<'_>) -> Result<TableEvent, WireError> {
    let name = input.string()?;
    let (to_server, to_client) = TableEvent::ways(input.flags(EVENT_FLAGS)?)
        .ok_or(WireError::Malformed("a call is not sent as an event"))?;
    let required = input.varint_u32()?;
    let fields = list(input, 8, Input::fingerprint)?;
    let reply = if to_server == Way::Call || to_client == Way::Call {
        Some(TableReply {
            reply: input.fingerprint()?,
            error: input.fingerprint()?,
        })
    } else {
        None
    };
    Ok(TableEvent {
        name,
        to_server,
        to_client,
        fields,
        required,
        reply,
    })
}

fn encode_authenticate(shown: &Authenticate, out: &mut Vec<u8>) {
    out.push(AUTHENTICATE);
    let flag = |bit, present| if present { bit } else { 0 };
    out.push(flag(TOKEN, shown.token.is_some()) | flag(CSRF, shown.csrf.is_some()));
    for secret in [&shown.token, &shown.csrf].into_iter().flatten() {
        put_bytes(out, secret.reveal().as_bytes());
    }
}

fn decode_authenticate(input: &mut Input<'_>) -> Result<Authenticate, WireError> {
    let flags = input.flags(TOKEN | CSRF)?;
    let mut secret = |flag| {
        let present = flags & flag != 0;
        present.then(|| input.string().map(Secret::new)).transpose()
    };
    Ok(Authenticate {
        token: secret(TOKEN)?,
        csrf: secret(CSRF)?,
    })
}

fn encode_request(request: &Request, out: &mut Vec<u8>) {
    out.push(REQUEST);
    put_id(out, request.session.bits());
    put_id(out, request.secret.reveal());
    put_fingerprint(out, request.server);
    put_varint(out, request.epoch);
    put_varint(out, request.number);
    out.push(match (request.hold, request.brief) {
        (false, _) => 0,
        (true, false) => 1 + request.beside,
        (true, true) => BRIEF,
    });
}

/// Of a poll that is answered at once.
const BRIEF: u8 = 0x80;

fn decode_request(input: &mut Input<'_>) -> Result<Request, WireError> {
    let (session, secret, server) = (input.id()?, input.id()?, input.fingerprint()?);
    let (epoch, number) = (input.varint()?, input.varint()?);
    let hold = input.byte()?;
    let brief = hold == BRIEF;
    if hold > POLLS && !brief {
        return Err(WireError::Malformed("a client awaits too many polls"));
    }
    Ok(Request {
        session: SessionId::new(session),
        secret: ResumeSecret::new(secret),
        server,
        epoch,
        number,
        hold: hold > 0,
        beside: if brief { 0 } else { hold.saturating_sub(1) },
        brief,
    })
}

fn encode_close(close: &Close, out: &mut Vec<u8>) {
    out.push(CLOSE);
    out.push(close.reason.code());
    put_varint(out, close.epoch);
    put_retry(out, close.retry_after);
    put_bytes(out, close.message.as_bytes());
}

fn decode_close(input: &mut Input<'_>) -> Result<Close, WireError> {
    let reason = CloseReason::from_code(input.byte()?);
    let epoch = input.varint()?;
    let retry_after = retry(input)?;
    Ok(Close {
        reason,
        message: input.string()?,
        retry_after,
        epoch,
    })
}

fn decode_data(
    kind: u8,
    input: &mut Input<'_>,
    limits: &WireLimits,
    alone: bool,
) -> Result<Data, WireError> {
    let mut data = Data {
        acknowledge: if kind & ACKNOWLEDGES != 0 {
            Some(acknowledge(input)?)
        } else {
            None
        },
        ..Data::default()
    };
    if input.is_empty() {
        return Ok(data);
    }
    data.first = input.varint()?;
    loop {
        data.items.push(decode_item(input, limits)?);
        // One more is enough to know that it is not alone.
        if input.is_empty() || (alone && data.items.len() > 1) {
            break;
        }
    }
    Ok(data)
}

fn decode_item(input: &mut Input<'_>, limits: &WireLimits) -> Result<Item, WireError> {
    Ok(match input.byte()? {
        item::EVENT => Item::Event {
            event: input.varint_u32()?,
            payload: input.payload(limits.message)?,
        },
        item::CALL => Item::Call {
            event: input.varint_u32()?,
            remaining: input.duration()?,
            payload: input.payload(limits.message)?,
        },
        item::REPLY => Item::Reply {
            call: input.varint()?,
            outcome: Outcome::Reply(input.payload(limits.message)?),
        },
        item::REJECTED => Item::Reply {
            call: input.varint()?,
            outcome: Outcome::Rejected(input.payload(limits.message)?),
        },
        item::FAILED => Item::Reply {
            call: input.varint()?,
            outcome: Outcome::Failed(Word::from_code(input.byte()?)),
        },
        item::CANCEL => Item::Cancel {
            call: input.varint()?,
        },
        item::SKIP => Item::Skip {
            count: input.varint()?,
        },
        _ => return Err(WireError::Malformed("the kind of an item is not known")),
    })
}

fn put_acknowledge(out: &mut Vec<u8>, acknowledge: Acknowledge) {
    put_varint(out, acknowledge.received);
    put_varint(out, acknowledge.credit);
}

fn acknowledge(input: &mut Input<'_>) -> Result<Acknowledge, WireError> {
    Ok(Acknowledge {
        received: input.varint()?,
        credit: input.varint()?,
    })
}

fn put_retry(out: &mut Vec<u8>, retry_after: Option<Duration>) {
    match retry_after {
        Some(after) => {
            out.push(1);
            put_varint(out, milliseconds(after));
        }
        None => out.push(0),
    }
}

fn retry(input: &mut Input<'_>) -> Result<Option<Duration>, WireError> {
    if input.present()? {
        input.duration().map(Some)
    } else {
        Ok(None)
    }
}

/// A count and as many things, of at least `size` bytes each.
fn list<'a, T>(
    input: &mut Input<'a>,
    size: usize,
    read: impl Fn(&mut Input<'a>) -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    let count = input.count(size)?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(read(input)?);
    }
    Ok(list)
}
