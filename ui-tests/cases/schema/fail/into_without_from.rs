use serde::{Deserialize, Serialize};

#[derive(Clone, Deserialize, Serialize, sente::Schema)]
#[serde(into = "u64")]
struct Entry {
    number: u64,
}

impl From<Entry> for u64 {
    fn from(entry: Entry) -> Self {
        entry.number
    }
}

#[derive(Clone, Deserialize, Serialize, sente::Schema)]
#[serde(from = "u32", into = "u64")]
struct Other {
    number: u64,
}

impl From<Other> for u64 {
    fn from(other: Other) -> Self {
        other.number
    }
}

impl From<u32> for Other {
    fn from(number: u32) -> Self {
        Self { number: number.into() }
    }
}

fn main() {}
