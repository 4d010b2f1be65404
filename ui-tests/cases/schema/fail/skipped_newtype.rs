use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
struct Entry(#[serde(skip)] u64);

fn main() {}
