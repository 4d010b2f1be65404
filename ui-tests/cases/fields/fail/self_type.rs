#[sente::events]
enum Chat {
    #[to_server]
    Post { then: Vec<Self> },
}

fn main() {}
