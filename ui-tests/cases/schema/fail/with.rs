use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
struct Entry {
    #[serde(with = "text")]
    number: u64,
}

mod text {
    pub fn serialize<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text: String = serde::Deserialize::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn main() {}
