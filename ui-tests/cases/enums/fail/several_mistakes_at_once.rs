#[sente::events]
enum Chat {
    #[to_server(repyl = u64)]
    Post { text: &str },
    Typing,
}

fn main() {}
