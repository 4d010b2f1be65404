#[sente::events]
enum Chat {
    #[to_server]
    #[event(name = "rooms/post")]
    Post,
}

fn main() {}
