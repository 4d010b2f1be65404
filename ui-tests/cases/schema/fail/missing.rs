use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Colour;

#[derive(Deserialize, Serialize)]
struct Painted;

#[sente::events]
enum Canvas {
    #[to_server(reply = Painted)]
    Paint { colours: Vec<Colour> },
}

fn main() {}
