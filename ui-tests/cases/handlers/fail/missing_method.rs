#[sente::events]
enum Chat {
    #[to_server(reply = u64, error = String)]
    Post { room: String },
    #[to_client]
    Posted { room: String },
}

struct Room;

impl ChatServer for Room {}

fn main() {}
