#[sente::events]
struct Chat {
    text: String,
}

fn main() {}
