//! An enum needs no trait to be sent as a value: its fields' are enough.

#[derive(serde::Deserialize, serde::Serialize, sente::Schema)]
struct Secret;

#[sente::events]
enum Vault {
    #[to_server]
    Put(Secret, Option<Secret>),
    #[to_client(delivery = latest)]
    Taken { #[key] by: u8, what: Secret, r#type: u8 },
    #[to_server]
    #[to_client]
    Closed,
}

fn send(link: &sente::Link, peer: &sente::Peer) -> Result<(), sente::SendError> {
    link.send(Vault::Put(Secret, None))?;
    peer.send(Vault::Taken { by: 1, what: Secret, r#type: 2 })?;
    peer.send(Vault::Closed)
}

fn main() {
    let _ = send;
}
