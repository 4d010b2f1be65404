#[sente::events]
enum Chat {
    #[to_server]
    Post = 1,
}

fn main() {}
