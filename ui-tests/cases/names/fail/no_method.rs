#[sente::events]
enum Chat {
    #[to_server]
    Crate,
}

fn main() {}
