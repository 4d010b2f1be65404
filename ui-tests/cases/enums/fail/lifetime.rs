#[sente::events]
enum Chat<'a> {
    #[to_server]
    Post(std::borrow::Cow<'a, str>),
}

fn main() {}
