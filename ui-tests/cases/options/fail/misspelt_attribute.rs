#[sente::events]
enum Chat {
    #[to_sever]
    Post,
}

fn main() {}
