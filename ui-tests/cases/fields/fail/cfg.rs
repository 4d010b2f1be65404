#[sente::events]
enum Chat {
    #[to_server]
    Post { #[cfg(unix)] text: String },
}

fn main() {}
