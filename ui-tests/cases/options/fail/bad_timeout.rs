#[sente::events]
enum Chat {
    #[to_server(reply = u64, timeout = "5")]
    NoUnit,
    #[to_server(reply = u64, timeout = "0s")]
    Zero,
    #[to_server(reply = u64, timeout = "25h")]
    TooLong,
}

fn main() {}
