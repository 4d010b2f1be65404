#[sente::events]
enum Chat {
    #[to_server(timeout = "5s")]
    Post,
}

fn main() {}
