#[sente::events]
enum Chat {
    #[to_server(error = String)]
    Post,
}

fn main() {}
