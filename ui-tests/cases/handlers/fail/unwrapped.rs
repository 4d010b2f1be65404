#[sente::events]
enum Chat {
    #[to_server(reply = u64, error = String)]
    Post { room: String },
    #[to_client]
    Posted { room: String },
}

struct Room;

impl ChatServer for Room {
    async fn post(&self, _from: &sente::Peer, _room: String) -> Result<u64, String> {
        Ok(7)
    }
}

fn serve(_: sente::Routes<sente::ToServer>) {}

fn main() {
    serve(Room);
}
