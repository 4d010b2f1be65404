use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
#[schema(self_describing)]
struct Entry(#[serde(skip_serializing_if = "Option::is_none")] Option<u64>, u64);

fn main() {}
