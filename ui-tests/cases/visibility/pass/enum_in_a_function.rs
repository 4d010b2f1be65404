//! A test may have its contract inside.

#![deny(warnings)]

fn main() {
    #[sente::events]
    enum Chat {
        #[to_server]
        Post(String),
    }

    let _ = Chat::to_server(&link());
}

fn link() -> sente::Link {
    std::process::exit(0)
}
