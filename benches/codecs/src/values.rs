//! The values: what programs send.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
pub(crate) struct Line {
    room: String,
    from: String,
    text: String,
    reply_to: Option<u64>,
}

pub(crate) fn line() -> Line {
    Line {
        room: "lobby".to_owned(),
        from: "ada".to_owned(),
        text: "Has anyone seen the tea? It was here a moment ago.".to_owned(),
        reply_to: Some(1_234_567),
    }
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Body {
    id: u64,
    tick: u32,
    position: (f32, f32, f32),
    velocity: (f32, f32, f32),
    angle: f64,
    health: u8,
    score: i32,
}

pub(crate) fn body() -> Body {
    Body {
        id: 8_823,
        tick: 1_048_576,
        position: (1.25, -300.5, 12.125),
        velocity: (0.1, 0.0, -9.81),
        angle: 0.785_123_456_789_012_3,
        health: 100,
        score: -250,
    }
}

/// From one bit to 64, each size as often.
pub(crate) fn numbers() -> Vec<u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..1000)
        .map(|at| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state | 1 << 63) >> (at % 64)
        })
        .collect()
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Order {
    number: u64,
    customer: String,
    status: Status,
    lines: Vec<Item>,
    note: Option<String>,
}

#[derive(Deserialize, Serialize)]
enum Status {
    Open,
    Paid { at: u64 },
    Sent(String),
}

#[derive(Deserialize, Serialize)]
struct Item {
    article: String,
    count: u16,
    cents: i64,
}

pub(crate) fn orders() -> Vec<Order> {
    (0..100)
        .map(|at| Order {
            number: 10_000 + at,
            customer: format!("customer {at}"),
            status: match at % 3 {
                0 => Status::Open,
                1 => Status::Paid {
                    at: 1_790_000_000 + at,
                },
                _ => Status::Sent(format!("parcel {at}")),
            },
            lines: (0..at % 4 + 1)
                .map(|line| Item {
                    article: format!("article {line}"),
                    count: line as u16 + 1,
                    cents: 1_999 * (line as i64 + 1),
                })
                .collect(),
            note: (at % 5 == 0).then(|| "ring twice".to_owned()),
        })
        .collect()
}

pub(crate) fn bytes() -> Bytes {
    (0..=255).cycle().take(65_536).collect::<Vec<u8>>().into()
}
