use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
#[serde(tag = "kind")]
enum Internal {
    Number { value: u64 },
}

#[derive(Deserialize, Serialize, sente::Schema)]
#[serde(tag = "kind", content = "value")]
enum Adjacent {
    Number(u64),
    Nothing,
}

#[derive(Deserialize, Serialize, sente::Schema)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
}

#[derive(Deserialize, Serialize, sente::Schema)]
struct Flattened {
    #[serde(flatten)]
    inner: Skipping,
}

#[derive(Deserialize, Serialize, sente::Schema)]
struct Skipping {
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
}

fn main() {}
