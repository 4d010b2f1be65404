#[sente::events]
enum Chat {
    #[to_server]
    Post { text: &str },
}

fn main() {}
