use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
#[schema(self_describing)]
struct Entry {
    number: u64,
}

fn main() {}
