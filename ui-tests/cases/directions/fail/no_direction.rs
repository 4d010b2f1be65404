#[sente::events]
enum Chat {
    Post { room: String },
}

fn main() {}
