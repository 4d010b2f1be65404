#[sente::events]
enum Chat {
    #[to_server(latest)]
    Post,
}

fn main() {}
