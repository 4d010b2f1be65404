#[sente::events]
enum Chat {
    #[to_server(reply = u64)]
    #[to_client(reply = bool)]
    Post,
}

fn main() {}
