//! A contract may come out of a `macro_rules!`.

macro_rules! contract {
    ($name:ident, $text:ty, $time:literal) => {
        #[sente::events]
        enum $name {
            #[to_server(reply = $text, timeout = $time)]
            Post { room: $text },
        }
    };
}

contract!(Chat, String, "5s");

fn post(link: &sente::Link) -> sente::Call<String> {
    Chat::to_server(link).post("lobby")
}

fn main() {
    let _ = post;
}
