use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
#[schema(self_descibing)]
struct Entry {
    #[schema(opaqe = "number/1")]
    number: u64,
    #[schema(opaque = "")]
    nameless: u64,
    #[schema(self_describing)]
    other: u64,
    #[schema]
    none: u64,
}

fn main() {}
