#[sente::events]
enum Chat {
    #[to_server]
    Post { #[default] room: String, text: String },
}

fn main() {}
