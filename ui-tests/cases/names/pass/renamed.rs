//! Names on the wire are chosen by the contract, and stay when Rust's names change.

use sente::Events;

#[sente::events(namespace = "chat.v2")]
enum Rooms {
    #[to_server]
    #[event(name = "post")]
    PostLine,
    #[to_server]
    HTTPError,
}

fn main() {
    let names: Vec<&str> = Rooms::NAMESPACE.events.iter().map(|event| event.name).collect();
    assert_eq!(names, ["chat.v2/post", "chat.v2/http_error"]);
    assert_eq!(Rooms::NAMESPACE.name, "chat.v2");
}
