//! The writer of data frames: the hot path, and the only encoder of items.

use std::time::Duration;

use super::primitive::{milliseconds, put_bytes, put_varint};
use super::words::Word;
use super::{ACKNOWLEDGES, DATA, item};
use crate::codec::Codec;
use crate::frame::{Acknowledge, Data, Item, Outcome};

/// Writes one data frame, item by item.
///
/// ```
/// use sente_proto::codec::Codec;
/// use sente_proto::wire::DataWriter;
///
/// let mut writer = DataWriter::new(Codec::Json, None, 5, Vec::new());
/// writer.event(3, br#"["lobby"]"#);
/// writer.skip(2);
/// assert_eq!(writer.finish(), br#"{"first":5,"items":[["event",3,["lobby"]],["skip",2]]}"#);
/// ```
#[derive(Debug)]
pub struct DataWriter {
    text: bool,
    out: Vec<u8>,
    /// Where the frame begins in `out`.
    start: usize,
    first: u64,
    items: usize,
}

impl DataWriter {
    /// Begins a frame at the end of `out`, which may hold bytes already. `first` is the number of the
    /// first item, from 1, and is not written if there will be none.
    #[must_use]
    pub fn new(
        codec: Codec,
        acknowledge: Option<Acknowledge>,
        first: u64,
        mut out: Vec<u8>,
    ) -> Self {
        let start = out.len();
        let text = codec.is_text();
        if text {
            out.push(b'{');
            if let Some(Acknowledge { received, credit }) = acknowledge {
                out.extend_from_slice(b"\"ack\":[");
                put_decimal(&mut out, received);
                out.push(b',');
                put_decimal(&mut out, credit);
                out.push(b']');
            }
        } else if let Some(Acknowledge { received, credit }) = acknowledge {
            out.push(DATA | ACKNOWLEDGES);
            put_varint(&mut out, received);
            put_varint(&mut out, credit);
        } else {
            out.push(DATA);
        }
        Self {
            text,
            out,
            start,
            first,
            items: 0,
        }
    }

    /// Adds an event. `payload` is what the codec made of its fields.
    pub fn event(&mut self, event: u32, payload: &[u8]) {
        self.begin(item::EVENT, "[\"event\"");
        self.number(event.into());
        self.payload(payload);
        self.end();
    }

    /// Adds a call whose caller waits for `remaining` still, written in whole milliseconds.
    pub fn call(&mut self, event: u32, remaining: Duration, payload: &[u8]) {
        self.begin(item::CALL, "[\"call\"");
        self.number(event.into());
        self.number(milliseconds(remaining));
        self.payload(payload);
        self.end();
    }

    /// Adds the end of a call of the other side.
    pub fn reply(&mut self, call: u64, outcome: &Outcome) {
        let (tag, word) = match outcome {
            Outcome::Reply(_) => (item::REPLY, ",\"ok\""),
            Outcome::Rejected(_) => (item::REJECTED, ",\"rejected\""),
            Outcome::Failed(_) => (item::FAILED, ",\"failed\""),
        };
        self.begin(tag, "[\"reply\"");
        self.number(call);
        if self.is_text() {
            self.out.extend_from_slice(word.as_bytes());
        }
        match outcome {
            Outcome::Reply(payload) | Outcome::Rejected(payload) => self.payload(payload),
            Outcome::Failed(failure) if self.is_text() => {
                self.out.extend_from_slice(b",\"");
                self.out.extend_from_slice(failure.word().as_bytes());
                self.out.push(b'"');
            }
            Outcome::Failed(failure) => self.out.push(failure.code()),
        }
        self.end();
    }

    /// Adds that the caller no longer wants a call.
    pub fn cancel(&mut self, call: u64) {
        self.begin(item::CANCEL, "[\"cancel\"");
        self.number(call);
        self.end();
    }

    /// Adds that the next `count` numbers have no items. None is not an item and is left out.
    pub fn skip(&mut self, count: u64) {
        if count > 0 {
            self.begin(item::SKIP, "[\"skip\"");
            self.number(count);
            self.end();
        }
    }

    /// Adds any item.
    pub fn item(&mut self, item: &Item) {
        match item {
            Item::Event { event, payload } => self.event(*event, payload),
            Item::Call {
                event,
                remaining,
                payload,
            } => self.call(*event, *remaining, payload),
            Item::Reply { call, outcome } => self.reply(*call, outcome),
            Item::Cancel { call } => self.cancel(*call),
            Item::Skip { count } => self.skip(*count),
        }
    }

    /// How many bytes the frame would have if it were finished now.
    #[must_use]
    pub fn len(&self) -> usize {
        let closing = match (self.is_text(), self.items) {
            (false, _) => 0,
            (true, 0) => 1,
            (true, _) => 2,
        };
        self.out.len() - self.start + closing
    }

    /// Whether the frame has no items yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// Ends the frame and gives back the vector that it was begun with, the frame at its end.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if self.is_text() {
            self.out
                .extend_from_slice(if self.items > 0 { b"]}" } else { b"}" });
        }
        self.out
    }

    /// Known when it is compiled, where no codec is text.
    const fn is_text(&self) -> bool {
        cfg!(feature = "json") && self.text
    }

    #[inline]
    fn begin(&mut self, tag: u8, word: &str) {
        if self.items == 0 {
            self.begin_items();
        } else if self.is_text() {
            self.out.push(b',');
        }
        self.items += 1;
        if self.is_text() {
            self.out.extend_from_slice(word.as_bytes());
        } else {
            self.out.push(tag);
        }
    }

    fn begin_items(&mut self) {
        if !self.is_text() {
            return put_varint(&mut self.out, self.first);
        }
        // An acknowledgement stands before it.
        if self.out.len() > self.start + 1 {
            self.out.push(b',');
        }
        self.out.extend_from_slice(b"\"first\":");
        put_decimal(&mut self.out, self.first);
        self.out.extend_from_slice(b",\"items\":[");
    }

    #[inline]
    fn number(&mut self, number: u64) {
        if self.is_text() {
            self.out.push(b',');
            put_decimal(&mut self.out, number);
        } else {
            put_varint(&mut self.out, number);
        }
    }

    #[inline]
    fn payload(&mut self, payload: &[u8]) {
        if !self.is_text() {
            return put_bytes(&mut self.out, payload);
        }
        self.out.push(b',');
        // No codec of text makes nothing of something; it still has to be readable.
        self.out
            .extend_from_slice(if payload.is_empty() { b"null" } else { payload });
    }

    fn end(&mut self) {
        if self.is_text() {
            self.out.push(b']');
        }
    }
}

/// Appends a data frame.
pub(super) fn encode(codec: Codec, data: &Data, out: &mut Vec<u8>) {
    let mut writer = DataWriter::new(codec, data.acknowledge, data.first, std::mem::take(out));
    for item in &data.items {
        writer.item(item);
    }
    *out = writer.finish();
}

fn put_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
