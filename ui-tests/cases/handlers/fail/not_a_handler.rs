#[sente::events]
enum Chat {
    #[to_server(reply = u64, error = String)]
    Post { room: String },
    #[to_client]
    Posted { room: String },
}

struct Room;

fn main() {
    let _ = Chat::server(Room);
}
