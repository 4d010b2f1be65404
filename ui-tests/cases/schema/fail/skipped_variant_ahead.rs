use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
enum Entry {
    Number(u64),
    #[serde(skip)]
    Hidden,
    Text(String),
}

fn main() {}
