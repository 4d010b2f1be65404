use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
#[serde(rename_all(serialize = "camelCase"))]
struct Entry {
    #[serde(rename(serialize = "one", deserialize = "other"))]
    number: u64,
}

fn main() {}
