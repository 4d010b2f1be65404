#[sente::events(prefix = "chat")]
enum Chat {
    #[to_server]
    Post,
}

fn main() {}
