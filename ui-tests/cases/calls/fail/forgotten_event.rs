#![deny(unused_must_use)]

#[sente::events]
enum Chat {
    #[to_server(reply = u64, error = String)]
    Post { room: String },
    #[to_client]
    Posted { room: String },
}

fn post(link: &sente::Link) {
    Chat::to_server(link);
}

fn main() {}
