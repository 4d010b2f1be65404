use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
struct Entry {
    #[serde(skip_serializing, default)]
    written_never: u64,
    #[serde(skip_deserializing)]
    read_never: u64,
}

fn main() {}
