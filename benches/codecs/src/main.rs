//! What each codec makes of a few values: how many bytes, and how long it takes.
//!
//! Prints the tables of the book's chapter on codecs. Each time is the best of many short rounds, in
//! which the codecs take turns: what else the machine does makes rounds slower, never faster.

mod cbor;
mod values;

use std::hint::black_box;
use std::time::{Duration, Instant};

use sente_proto::codec::Codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How often each codec has its turn.
const ROUNDS: usize = 60;
/// About how long a turn takes.
const TURN: Duration = Duration::from_millis(3);

const CODECS: [Codec; 5] = [
    Codec::Bincode,
    Codec::Postcard,
    Codec::MsgPack,
    Codec::Json,
    Codec::Custom(&cbor::Cbor),
];

fn main() {
    println!("| value | codec | bytes | encode, ns | decode, ns |");
    println!("|---|---|--:|--:|--:|");
    measure("a chat line", &values::line());
    measure("a moving body: 12 numbers", &values::body());
    measure("1,000 `u64` of all sizes", &values::numbers());
    measure("100 structs with lists and enums within", &values::orders());
    measure("64 KiB as `Bytes`", &values::bytes());
    measure("64 KiB as `Vec<u8>`", &values::bytes().to_vec());
}

fn measure<T: Serialize + DeserializeOwned>(name: &str, value: &T) {
    let encoded = CODECS.map(|codec| codec.encode(value).expect("a value"));
    let mut encode = CODECS.map(|codec| {
        Timer::new(move || {
            black_box(codec.encode(black_box(value)).expect("a value"));
        })
    });
    let mut decode = std::array::from_fn::<_, { CODECS.len() }, _>(|at| {
        let bytes = &encoded[at];
        Timer::new(move || {
            let value: T = CODECS[at].decode(black_box(bytes)).expect("a value");
            black_box(value);
        })
    });
    for _ in 0..ROUNDS {
        for (encode, decode) in encode.iter_mut().zip(&mut decode) {
            encode.turn();
            decode.turn();
        }
    }
    for (at, codec) in CODECS.into_iter().enumerate() {
        println!(
            "| {} | {} | {} | {} | {} |",
            if at == 0 { name } else { "" },
            codec.name(),
            thousands(encoded[at].len() as u128),
            encode[at].nanoseconds(),
            decode[at].nanoseconds(),
        );
    }
}

/// The best time of a piece of work.
struct Timer<F> {
    work: F,
    /// How often the work is done in a turn.
    repeat: u32,
    best: Duration,
}

impl<F: FnMut()> Timer<F> {
    fn new(mut work: F) -> Self {
        let mut repeat = 1;
        loop {
            let begun = Instant::now();
            (0..repeat).for_each(|_| work());
            if begun.elapsed() > TURN || repeat > 1 << 24 {
                break;
            }
            repeat *= 2;
        }
        Self {
            work,
            repeat,
            best: Duration::MAX,
        }
    }

    fn turn(&mut self) {
        let begun = Instant::now();
        (0..self.repeat).for_each(|_| (self.work)());
        self.best = self.best.min(begun.elapsed());
    }

    fn nanoseconds(&self) -> String {
        thousands(self.best.as_nanos() / u128::from(self.repeat))
    }
}

fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
