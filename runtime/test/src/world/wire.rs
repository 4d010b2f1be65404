//! Frames as a trace shows them.

use bytes::Bytes;
use sente_proto::frame::{Data, Frame, Item};
use sente_proto::wire;

use super::World;
use super::queue::Asked;

impl World {
    /// Notes a frame in the trace. Returns whether it is a hello.
    pub(super) fn note_frame(
        &mut self,
        who: &str,
        place: usize,
        does: &str,
        message: &[u8],
    ) -> bool {
        let (codec, limits) = (self.plan.codec, self.plan.limits.wire());
        self.trace.note(self.now, || {
            let frame = wire::decode(codec, &Bytes::copy_from_slice(message), &limits);
            let place = if place == usize::MAX {
                String::from("-")
            } else {
                place.to_string()
            };
            format!("{who} {place} {does} {}", shown(frame.as_ref().ok()))
        });
        is_hello(message)
    }

    /// Notes the body of a request or response. Returns whether it holds a hello.
    pub(super) fn note_body(
        &mut self,
        who: &str,
        place: usize,
        does: &str,
        of: Asked,
        body: &Bytes,
    ) -> bool {
        let (codec, limits) = (self.plan.codec, self.plan.limits.wire());
        self.trace.note(self.now, || {
            let frames: Vec<_> = wire::frames_of_body(codec, body, &limits)
                .map(|frame| shown(frame.as_ref().ok()))
                .collect();
            let place = if place == usize::MAX {
                String::from("-")
            } else {
                place.to_string()
            };
            let asked = format!("{:?} of client {}", of.exchange, of.client);
            format!("{who} {place} {does} {asked}: {}", frames.join(" | "))
        });
        matches!(
            wire::frames_of_body(codec, body, &limits).next(),
            Some(Ok(Frame::Hello(_)))
        )
    }
}

fn is_hello(message: &[u8]) -> bool {
    message.first() == Some(&1) || message.starts_with(b"{\"hello\"")
}

fn shown(frame: Option<&Frame>) -> String {
    match frame {
        None => "no frame".to_owned(),
        Some(Frame::Hello(hello)) => format!(
            "hello epoch {} attempt {:x} resume {:?}",
            hello.epoch,
            hello.attempt >> 112,
            hello
                .resume
                .as_ref()
                .map(|resume| (resume.session.bits() >> 112, resume.acknowledge))
        ),
        Some(Frame::Welcome(welcome)) => format!(
            "welcome epoch {} session {:x} fresh {:?} {:?}",
            welcome.epoch,
            welcome.session.bits() >> 112,
            welcome.fresh,
            welcome.acknowledge
        ),
        Some(Frame::Refused(refused)) => format!("refused {:?}", refused.reason),
        Some(Frame::Tables(_)) => "tables".to_owned(),
        Some(Frame::Request(request)) => format!(
            "{} {} epoch {}",
            if request.hold { "poll" } else { "send" },
            request.number,
            request.epoch
        ),
        Some(Frame::Data(data)) => shown_data(data),
        Some(Frame::Close(close)) => format!("close {:?} epoch {}", close.reason, close.epoch),
    }
}

fn shown_data(data: &Data) -> String {
    let mut text = String::from("data");
    if data.ping {
        text += " ping";
    }
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
