#[derive(sente::Schema)]
union Entry {
    number: u64,
}

fn main() {}
