//! Frames on their way: the model looks at what is sent, and the trace shows it.

use bytes::Bytes;
use sente_proto::frame::{Data, Frame, Item};
use sente_proto::wire::{self, WireLimits};

use super::World;
use super::exchanges::Purpose;
use super::queue::Asked;
use crate::promise::{Promise, Verdict};

/// Whose frames they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Client(usize),
    /// The server, for that half.
    Server(usize),
    /// The server, for nobody whom it knows.
    Stranger,
}

/// Everything that a machine writes can be read.
const NO_LIMITS: WireLimits = WireLimits {
    frame: usize::MAX,
    message: usize::MAX,
};

impl World {
    /// A frame is given to a WebSocket. Returns whether it is a hello.
    pub(super) fn sends_frame(&mut self, end: End, message: &Bytes) -> Verdict<bool> {
        let frame = wire::decode(self.plan.codec, message, &NO_LIMITS).map_err(|error| {
            Promise::Protocol.broken(format!("{end:?} sends no frame: {error}"))
        })?;
        self.trace
            .note(self.now, || format!("{end:?} sends {}", shown(&frame)));
        self.sends(end, &frame)?;
        Ok(matches!(frame, Frame::Hello(_)))
    }

    /// A body is given to a request or a response. Returns what a request is for.
    pub(super) fn sends_body(&mut self, end: End, of: Asked, body: &Bytes) -> Verdict<Purpose> {
        let mut purpose = Purpose::Send;
        let mut text = Vec::new();
        for frame in wire::frames_of_body(self.plan.codec, body, &NO_LIMITS) {
            let frame = frame.map_err(|error| {
                Promise::Protocol.broken(format!("{end:?} sends no body: {error}"))
            })?;
            self.sends(end, &frame)?;
            match &frame {
                Frame::Hello(_) => purpose = Purpose::Hello,
                Frame::Request(request) if request.hold => purpose = Purpose::Poll,
                _ => {}
            }
            if self.trace.is_kept() {
                text.push(shown(&frame));
            }
        }
        self.trace.note(self.now, || {
            let what = if of.exchange.is_some() {
                ""
            } else {
                "duplicate "
            };
            format!("{end:?} posts, by {what}{of:?}: {}", text.join(" | "))
        });
        Ok(purpose)
    }

    fn sends(&mut self, end: End, frame: &Frame) -> Verdict {
        let Frame::Data(data) = frame else {
            return Ok(());
        };
        let (half, version) = match end {
            End::Client(client) => {
                let program = &self.clients[client].program;
                (program.half, program.version)
            }
            End::Server(half) => (half, self.server.version),
            End::Stranger => return Ok(()),
        };
        let replayed = self.model.puts_on_wire(half, version, data, self.now)?;
        for _ in 0..replayed {
            self.coverage.meet("event: replayed");
        }
        if data.items.iter().any(|it| matches!(it, Item::Skip { .. })) {
            self.coverage.meet("event: skipped");
        }
        Ok(())
    }

    /// Shows what has come.
    pub(super) fn reads(&mut self, end: End, bytes: &Bytes, is_body: bool) {
        let codec = self.plan.codec;
        self.trace.note(self.now, || {
            let shown = |frame: &Result<Frame, _>| frame.as_ref().map_or("no frame".into(), shown);
            let frames = if is_body {
                let frames = wire::frames_of_body(codec, bytes, &NO_LIMITS);
                frames
                    .map(|frame| shown(&frame))
                    .collect::<Vec<_>>()
                    .join(" | ")
            } else {
                shown(&wire::decode(codec, bytes, &NO_LIMITS))
            };
            format!("{end:?} reads {frames}")
        });
    }
}

fn shown(frame: &Frame) -> String {
    match frame {
        Frame::Hello(hello) => format!(
            "hello epoch {} attempt {:x} resume {:?}",
            hello.epoch,
            hello.attempt >> 112,
            hello
                .resume
                .as_ref()
                .map(|resume| (resume.session.bits() >> 112, resume.acknowledge))
        ),
        Frame::Welcome(welcome) => format!(
            "welcome epoch {} session {:x} fresh {:?} {:?}",
            welcome.epoch,
            welcome.session.bits() >> 112,
            welcome.fresh,
            welcome.acknowledge
        ),
        Frame::Refused(refused) => format!("refused {:?}", refused.reason),
        Frame::Tables(_) => "tables".to_owned(),
        Frame::Request(request) => format!(
            "{} {} epoch {}",
            if request.hold { "poll" } else { "send" },
            request.number,
            request.epoch
        ),
        Frame::Authenticate(_) => "authenticate".to_owned(),
        Frame::Expires(after) => format!("expires in {after:?}"),
        Frame::Ping(number) => format!("ping {number}"),
        Frame::Pong(number) => format!("pong {number}"),
        Frame::Data(data) => shown_data(data),
        Frame::Close(close) => format!("close {:?} epoch {}", close.reason, close.epoch),
    }
}

fn shown_data(data: &Data) -> String {
    let mut text = String::from("data");
    if let Some(acknowledge) = data.acknowledge {
        text += &format!(
            " ack {} credit {}",
            acknowledge.received, acknowledge.credit
        );
    }
    if !data.items.is_empty() {
        text += &format!(" from {}:", data.first);
    }
    for item in &data.items {
        text += &match item {
            Item::Event { payload, .. } => format!(" event{}", tag(payload)),
            Item::Call { payload, .. } => format!(" call{}", tag(payload)),
            Item::Reply { call, .. } => format!(" reply({call})"),
            Item::Cancel { call } => format!(" cancel({call})"),
            Item::Skip { count } => format!(" skip({count})"),
        };
    }
    text
}

fn tag(payload: &[u8]) -> String {
    crate::tag::Tag::read(payload).map_or_else(String::new, |tag| format!("({tag})"))
}
