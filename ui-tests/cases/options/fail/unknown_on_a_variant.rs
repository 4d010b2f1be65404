#[sente::events]
enum Chat {
    #[to_server(reply = u64, tmeout = "5s")]
    Post,
}

fn main() {}
