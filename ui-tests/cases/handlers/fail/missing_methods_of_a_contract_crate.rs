use sente_ui_tests::ChatServer;

struct Room;

impl ChatServer for Room {}

fn main() {}
