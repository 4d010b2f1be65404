//! Frames are cut: what waits gets its number.

use super::{CallId, Delivery, Newest, Outbox, Outgoing, Sent, Waiting, What};
use crate::wire::DataWriter;
use crate::{Limits, Time};

/// What the head of an item takes at most, for the decision whether it still fits.
const ITEM_HEAD: usize = 24;

/// What the heads of an item and of a frame usually take at most.
const USUAL_ITEM_HEAD: usize = 8;
const FRAME_HEAD: usize = 24;

impl Outbox {
    fn start_has_credit(&self) -> bool {
        self.started < self.allowed
    }

    fn has_waiting(&self) -> bool {
        !self.controls.is_empty() || (self.starts.len() > self.removed && self.start_has_credit())
    }

    pub(in crate::session) fn is_ready(&self, now: Time, limits: &Limits) -> bool {
        self.is_behind()
            || (self.has_waiting() && self.delayed_until(limits).is_none_or(|until| until <= now))
    }

    /// When what waits will be ready, if only time is missing.
    pub(in crate::session) fn due(&self, limits: &Limits) -> Option<Time> {
        if self.is_behind() {
            return Some(Time::default());
        }
        self.has_waiting()
            .then(|| self.delayed_until(limits).unwrap_or_default())
    }

    fn delayed_until(&self, limits: &Limits) -> Option<Time> {
        let delay = limits
            .max_delay
            .filter(|_| self.waiting_bytes < limits.frame_size)?;
        self.waiting_since.map(|since| since + delay)
    }

    /// About how many bytes the next frame will have.
    pub(in crate::session) fn next_frame(&self, frame_size: usize) -> usize {
        if self.is_behind() {
            return frame_size;
        }
        let items = self.starts.len() + self.controls.len();
        (FRAME_HEAD + self.waiting_bytes + items * USUAL_ITEM_HEAD).min(frame_size)
    }

    /// Writes items until the frame has `frame_size` bytes: first again what an older carrier may
    /// have lost, then what waits. `on_call` hears the number of each call and returns its deadline.
    pub(in crate::session) fn cut(
        &mut self,
        now: Time,
        frame_size: usize,
        writer: &mut DataWriter,
        mut on_call: impl FnMut(CallId, u64) -> Time,
    ) {
        let mut items = 0;
        let mut has_room = |writer: &DataWriter, bytes: usize| {
            items += 1;
            items == 1 || writer.len() + bytes + ITEM_HEAD <= frame_size
        };
        loop {
            let number = self.cursor_number();
            let Some(sent) = self.sent.get(self.cursor) else {
                break;
            };
            match sent {
                Sent::Kept(what) => {
                    if !has_room(writer, what.bytes()) {
                        return;
                    }
                    if !write(now, what, number, writer, &mut on_call) {
                        writer.skip(1);
                    }
                }
                Sent::Gone => {
                    if !has_room(writer, 0) {
                        return;
                    }
                    let gone = self
                        .sent
                        .iter()
                        .skip(self.cursor)
                        .take_while(|sent| matches!(sent, Sent::Gone));
                    let count = gone.count();
                    if !mutated!("drop-skip") {
                        writer.skip(count as u64);
                    }
                    self.cursor += count - 1;
                }
            }
            self.cursor += 1;
        }
        while let Some(is_start) = self.next_waiting() {
            let queue = if is_start {
                &mut self.starts
            } else {
                &mut self.controls
            };
            let Some(bytes) = queue.front().map(|waiting| waiting.what.bytes()) else {
                break;
            };
            if !has_room(writer, bytes) {
                return;
            }
            let Some(Waiting { what, .. }) = queue.pop_front() else {
                break;
            };
            self.waiting_bytes -= bytes;
            self.start_bytes -= if is_start { bytes } else { 0 };
            let number = self.last_number() + 1;
            let written = write(now, &what, number, writer, &mut on_call);
            if !written {
                writer.skip(1);
            }
            self.started += u64::from(is_start);
            let sent = self.keep(what, number, written);
            self.sent.push_back(sent);
            self.cursor += 1;
        }
        self.waiting_since = None;
    }

    /// Whether the next waiting item is a start (`true`) or a control (`false`): the older one, if
    /// there is credit for it.
    fn next_waiting(&mut self) -> Option<bool> {
        while matches!(
            self.starts.front(),
            Some(Waiting {
                what: What::Removed,
                ..
            })
        ) {
            self.starts.pop_front();
            self.removed -= 1;
        }
        let start = self.starts.front().filter(|_| self.start_has_credit());
        match (start, self.controls.front()) {
            (None, None) => None,
            (Some(_), None) => Some(true),
            (None, Some(_)) => Some(false),
            (Some(start), Some(control)) => Some(start.stamp < control.stamp),
        }
    }

    fn keep(&mut self, what: What, number: u64, written: bool) -> Sent {
        match &what {
            What::Event(Outgoing {
                delivery: Delivery::Volatile,
                ..
            }) => return Sent::Gone,
            What::Reply { .. } if mutated!("forget-reply") => return Sent::Gone,
            What::Event(Outgoing {
                delivery: Delivery::Latest,
                event,
                key,
                ..
            }) => {
                self.latest
                    .insert((*event, key.clone()), Newest::Sent(number));
            }
            _ if !written => return Sent::Gone,
            _ => {}
        }
        self.sent_bytes += what.bytes();
        Sent::Kept(what)
    }
}

/// Writes one item. Returns `false` if it is a call whose deadline has passed.
fn write(
    now: Time,
    what: &What,
    number: u64,
    writer: &mut DataWriter,
    on_call: &mut impl FnMut(CallId, u64) -> Time,
) -> bool {
    match what {
        What::Event(event) => writer.event(event.event, &event.payload),
        What::Call {
            event,
            payload,
            call,
        } => {
            let deadline = on_call(*call, number);
            if deadline <= now {
                return false;
            }
            let remaining = if mutated!("renew-deadline") {
                Limits::default().call_timeout
            } else {
                deadline - now
            };
            writer.call(*event, remaining, payload);
        }
        What::Reply { call, outcome } => writer.reply(*call, outcome),
        What::Cancel { call } => writer.cancel(*call),
        What::Removed => return false,
    }
    true
}
