#[sente::events]
enum Chat {
    #[to_server(reply = u64, error = String)]
    Post { room: String },
    #[to_client]
    Posted { room: String },
}

struct Room;

impl ChatServer for Room {
    async fn post(&self, from: &sente::Peer, room: String) -> Result<u64, String> {
        let shared = std::rc::Rc::new(room);
        std::future::ready(from).await;
        Ok(shared.len() as u64)
    }
}

fn main() {}
