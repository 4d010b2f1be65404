use serde::{Deserialize, Serialize};

struct Foreign {
    number: u64,
}

#[derive(Deserialize, Serialize, sente::Schema)]
#[serde(remote = "Foreign")]
struct Entry {
    number: u64,
}

fn main() {}
