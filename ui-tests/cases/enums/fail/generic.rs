#[sente::events]
enum Chat<T> {
    #[to_server]
    Post(T),
}

fn main() {}
