#[sente::events]
enum Chat {
    #[to_server]
    Typing { #[key] room: String },
}

fn main() {}
