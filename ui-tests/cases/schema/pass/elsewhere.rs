//! The crate may be found elsewhere, and its names may be taken.

mod my {
    pub mod path {
        pub use ::sente::*;
    }
}

mod sente {}

#[allow(dead_code)]
struct Schema;
#[allow(dead_code)]
struct Type;

#[derive(my::path::Schema)]
#[schema(crate = my::path)]
enum AsPath {
    One,
    Other { of: u8 },
}

#[derive(my::path::Schema)]
#[schema(crate = "crate::my::path")]
struct AsString(AsPath, Option<AsPath>);

fn main() {
    fn described<T: ::sente::Schema>() {}
    described::<AsString>();
    let _ = [AsPath::One, AsPath::Other { of: 1 }];
}
