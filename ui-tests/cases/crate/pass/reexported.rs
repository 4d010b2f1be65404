//! The crate may be found elsewhere.

mod my {
    pub mod path {
        pub use ::sente::*;
    }
}

// In the way of `::sente` nothing is, but a plain `sente` would find this.
mod sente {}

#[my::path::events(crate = my::path)]
enum AsPath {
    #[to_server]
    Post,
}

#[my::path::events(crate = "crate::my::path")]
enum AsString {
    #[to_client]
    Posted,
}

fn main() {
    let _ = AsPath::client(());
    let _ = AsString::server(());
}
