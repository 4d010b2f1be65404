//! A contract may be private, and may be used by halves.

#![deny(warnings)]

mod contract {
    #[sente::events]
    enum Chat {
        #[to_server(reply = u8, error = String)]
        Post(String),
        #[to_client]
        Posted,
    }

    pub(super) fn serve() -> &'static str {
        struct Room;
        impl ChatServer for Room {
            async fn post(&self, _from: &sente::Peer, text: String) -> Result<u8, String> {
                Err(text)
            }
        }
        Chat::server(Room).namespace().name
    }
}

fn main() {
    assert_eq!(contract::serve(), "chat");
}
