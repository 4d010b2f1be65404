#[sente::events]
enum Chat {
    #[to_client(reply = bool)]
    Confirm,
}

fn ask(everyone: impl sente::Targets) {
    Chat::to_clients(everyone).confirm();
}

fn main() {}
