#![allow(non_camel_case_types)]

#[sente::events]
enum Chat {
    #[to_server]
    PostLine,
    #[to_server]
    #[event(name = "line")]
    Post_Line,
}

fn main() {}
