#[sente::events]
enum Chat {
    #[to_server(reply = u64, delivery = volatile)]
    Post,
}

fn main() {}
