//! Events as values: recorded, replayed, and sent to everybody that there is.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use sente::{EventStream, Peer, SendError};
use sente_client::Client;
use serde::{Deserialize, Serialize};

use crate::house::{House, Running, soon};

#[sente::events]
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Game {
    #[to_server]
    Step { x: i32, y: i32 },

    #[to_server]
    Turn(i32),

    /// Says where the piece stands, and which way it looks.
    #[to_server(reply = (i32, i32, i32))]
    Where,
}

/// A piece on a board, for which the order of moves matters.
#[derive(Clone, Default)]
struct Piece(Arc<Mutex<(i32, i32, i32)>>);

impl GameServer for Piece {
    async fn step(&self, _: &Peer, x: i32, y: i32) {
        let mut at = self.0.lock().unwrap();
        // It turns while it walks, so that no two moves can be exchanged.
        *at = (at.0 * 3 + x, at.1 * 3 + y, at.2 + x);
    }

    async fn turn(&self, _: &Peer, by: i32) {
        let mut at = self.0.lock().unwrap();
        *at = (at.1 + by, at.0, at.2 * by);
    }

    async fn r#where(&self, _: &Peer) -> (i32, i32, i32) {
        *self.0.lock().unwrap()
    }
}

// ANCHOR: record
/// Writes each event on a line of its own, as it comes.
async fn record(
    mut events: EventStream<(Peer, Game)>,
    mut file: impl Write,
) -> std::io::Result<()> {
    while let Some((_from, event)) = events.next().await {
        serde_json::to_writer(&mut file, &event)?;
        writeln!(file)?;
    }
    Ok(())
}
// ANCHOR_END: record

// ANCHOR: replay
/// Sends what was written, as if it were new.
fn replay(file: impl BufRead, client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    for line in file.lines() {
        let event: Game = serde_json::from_str(&line?)?;
        client.send(event)?;
    }
    Ok(())
}
// ANCHOR_END: replay

#[tokio::test]
async fn what_was_recorded_has_the_same_effect_when_it_is_replayed() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("game.jsonl");
    let mut events = None;
    let server = Running::start_with("127.0.0.1:0", |mut builder| {
        events = Some(builder.stream::<Game>());
        builder.serve(|_| Game::server(Piece::default()))
    })
    .await;
    let file = File::create(&path).unwrap();
    let recorder = tokio::spawn(record(events.unwrap(), file));
    let client = server.client().contract::<Game>().connect();
    let game = Game::to_server(&client);
    for round in 0..10 {
        game.step(round, 1).unwrap();
        client.send(Game::Turn(round - 3)).unwrap();
        client.break_connection();
    }
    let end = soon("the end of the game", game.r#where()).await.unwrap();
    // Then the stream ends, and the file is whole.
    server.stop().await;
    soon("the recorder", recorder).await.unwrap().unwrap();
    let recorded = std::fs::read_to_string(&path).unwrap();
    let first: Vec<&str> = recorded.lines().take(2).collect();
    assert_eq!(first, [r#"{"Step":{"x":0,"y":1}}"#, r#"{"Turn":-3}"#]);

    let server = Running::start_with("127.0.0.1:0", |builder| {
        builder.serve(|_| Game::server(Piece::default()))
    })
    .await;
    let client = server.client().contract::<Game>().connect();
    let file = BufReader::new(File::open(&path).unwrap());
    replay(file, &client).unwrap();
    let replayed = soon("the answer", Game::to_server(&client).r#where()).await;
    assert_eq!(replayed, Ok(end));
}

#[tokio::test]
async fn the_server_sends_values_to_all_kinds_of_targets() {
    let running = Running::start().await;
    let builder = running.client().token("ann");
    let mut events = builder.stream::<House>();
    let client = builder.connect();
    // The server sees a client once it has acknowledged its session.
    House::to_server(&client).halve(2).await.unwrap();
    let server = &running.server;
    let peer = server.everyone().peers().remove(0);
    server.join(&peer, "hall");
    let counted = |number| House::Counted { number };
    assert_eq!(server.everyone().send(counted(0)).unwrap(), 1);
    assert_eq!(server.user("ann").send(counted(1)).unwrap(), 1);
    assert_eq!(server.user("bob").send(counted(1)).unwrap(), 0);
    assert_eq!(server.room("hall").send(counted(2)).unwrap(), 1);
    server.session(peer.session()).send(counted(3)).unwrap();
    peer.send(counted(4)).unwrap();
    for number in 0..5 {
        assert_eq!(soon("an event", events.next()).await, Some(counted(number)));
    }
    let count = || House::Count { number: 1 };
    for error in [
        server.everyone().send(count()).map(drop),
        server.session(peer.session()).send(count()),
        client.send(counted(1)),
    ] {
        assert!(matches!(error, Err(SendError::WrongDirection { .. })));
    }
    let nobody = server.session(sente::SessionId::new(0));
    assert!(matches!(nobody.send(counted(1)), Err(SendError::Ended)));
}
