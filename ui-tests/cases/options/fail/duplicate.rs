#[sente::events]
enum Chat {
    #[to_server(reply = u64, reply = u32)]
    Post,
}

fn main() {}
