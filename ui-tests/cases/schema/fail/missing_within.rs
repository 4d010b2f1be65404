use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Colour;

#[derive(Deserialize, Serialize, sente::Schema)]
struct Brush {
    colour: Option<Colour>,
    width: u8,
}

fn main() {}
