#[sente::events]
enum Chat {
    #[to_server]
    Post,
    #[to_client]
    #[event(name = "post")]
    Posted,
}

fn main() {}
