#[sente::events]
enum Chat {
    #[to_server(reply = u64, error = String)]
    Post { room: String },
    #[to_client]
    Posted { room: String },
}

fn post(peer: &sente::Peer) -> sente::Call<u64, String> {
    Chat::to_server(peer).post("lobby")
}

fn main() {}
