#[sente::events]
enum Chat {

}

fn main() {}
