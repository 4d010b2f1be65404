#[derive(sente::Schema)]
struct Colour;

#[sente::events]
enum Chat {
    #[to_server]
    Paint { colour: Colour },
}

fn main() {}
