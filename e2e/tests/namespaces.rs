//! Programs that count, in network namespaces whose link goes down, loses packets, lets them through one
//! way only, or has another address. `cargo xtask netns` runs these, as root; they print what they saw.

mod stage;

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::time::{Duration, Instant};

use sente_e2e::Entry;
use stage::{AMPLE, Stage, is_closed, is_resumed};
use tokio::time::sleep;

const CARRIERS: [&str; 3] = ["auto", "websocket", "poll"];
/// Silence after which a carrier is dead, where it is not the default.
const SILENCE: Duration = Duration::from_secs(2);
/// How long what goes wrong goes on.
const LASTS: Duration = Duration::from_secs(6);

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);

/// Two namespaces with one link between them, until this is dropped.
struct Net {
    server: String,
    client: String,
}

/// Which packets are lost, as the client's side sees them.
#[derive(Clone, Copy)]
enum Lost {
    Up,
    Down,
    Both,
}

impl Net {
    fn new(name: &str) -> Self {
        let namespace = |side| format!("sente-{}-{name}-{side}", std::process::id());
        let net = Self {
            server: namespace("server"),
            client: namespace("client"),
        };
        let (server, client) = (&net.server, &net.client);
        run(&format!("ip netns add {server}"));
        run(&format!("ip netns add {client}"));
        run(&format!(
            "ip -n {server} link add link0 type veth peer name link0 netns {client}"
        ));
        for (namespace, address) in [(server, SERVER), (client, CLIENT)] {
            run(&format!(
                "ip -n {namespace} address add {address}/24 dev link0"
            ));
            run(&format!("ip -n {namespace} link set lo up"));
            run(&format!("ip -n {namespace} link set link0 up"));
        }
        net
    }

    /// Has the client's side drop those packets of which `rule` is true. The empty one is of all.
    fn lose(&self, lost: Lost, rule: &str) {
        self.nft("add table ip faults");
        let hooks: &[&str] = match lost {
            Lost::Up => &["output"],
            Lost::Down => &["input"],
            Lost::Both => &["input", "output"],
        };
        for hook in hooks {
            self.nft(&format!(
                "add chain ip faults {hook} {{ type filter hook {hook} priority 0 ; }}"
            ));
            self.nft(&format!("add rule ip faults {hook} {rule} counter drop"));
        }
    }

    /// Has none dropped any more. Returns how many were.
    fn lose_nothing(&self) -> u64 {
        let table = self.nft("list table ip faults");
        self.nft("delete table ip faults");
        let counters = table.split("counter packets ").skip(1);
        let counts = counters.map(|count| count.split(' ').next().unwrap().parse::<u64>().unwrap());
        counts.sum()
    }

    fn nft(&self, command: &str) -> String {
        run(&format!("ip netns exec {} nft {command}", self.client))
    }

    fn link(&self, what: &str) {
        run(&format!("ip -n {} {what} dev link0", self.client));
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for namespace in [&self.server, &self.client] {
            let _ = Command::new("ip")
                .args(["netns", "del", namespace])
                .status();
        }
    }
}

fn run(command: &str) -> String {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output();
    let output = output.unwrap_or_else(|error| panic!("`{command}`: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{command}`: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

async fn counting(net: &Net, options: &[(&'static str, u64)]) -> Stage {
    let namespaces = [net.server.clone(), net.client.clone()];
    let mut stage = Stage::set_in(Some(namespaces), IpAddr::V4(SERVER), options).await;
    for carrier in CARRIERS {
        let url = stage.url();
        stage.enter(&url, carrier);
    }
    stage.count(20).await;
    stage
}

/// Waits for the end, and prints what there was of it.
async fn tell(name: &str, mut seen: String, mut stage: Stage) {
    stage.count(20).await;
    for (carrier, client) in CARRIERS.iter().zip(stage.clients()) {
        let entries = client.entries();
        let closed = entries.iter().filter(|it| is_closed(it).is_some()).count();
        let polled = |entry: &Entry| matches!(entry, Entry::Open { polls: true, .. });
        let polled = entries.iter().filter(|it| polled(it)).count();
        let _ = write!(
            seen,
            "; {carrier} closed {closed} times, polled {polled} times"
        );
    }
    let summary = stage.end().await;
    assert_eq!(summary.sessions, CARRIERS.len(), "all sessions went on");
    println!(
        "{name}: {} numbers up, {} down, {} calls, nothing lost, repeated or reordered{seen}",
        summary.up, summary.down, summary.calls
    );
}

/// Lets something go wrong of which nobody is told, and go well again.
async fn silence(name: &str, begin: impl FnOnce(&Net), end: impl FnOnce(&Net)) {
    let net = Net::new(name);
    let mut stage = counting(&net, &[("silence", SILENCE.as_millis() as u64)]).await;
    let begun = Instant::now();
    begin(&net);
    let mut seen = String::new();
    for (carrier, client) in CARRIERS.iter().zip(stage.clients()) {
        let (noticed, ()) = client.until("the silence", begun, is_closed).await;
        let took = noticed - begun;
        assert!(took < SILENCE + AMPLE, "{carrier} noticed after {took:?}");
        let _ = write!(
            seen,
            "; {carrier} noticed after {:.1} s",
            took.as_secs_f64()
        );
    }
    sleep(LASTS.saturating_sub(begun.elapsed())).await;
    let ended = Instant::now();
    end(&net);
    for (carrier, client) in CARRIERS.iter().zip(stage.clients()) {
        let (back, ()) = client.until("the session", ended, is_resumed).await;
        let took = (back - ended).as_secs_f64();
        let _ = write!(seen, "; {carrier} was back {took:.1} s after its end");
    }
    tell(name, seen, stage).await;
}

async fn loses(name: &str, lost: Lost) {
    let end = |net: &Net| assert!(net.lose_nothing() > 0);
    silence(name, |net| net.lose(lost, ""), end).await;
}

#[tokio::test]
async fn packets_to_the_server_vanish() {
    loses("up", Lost::Up).await;
}

#[tokio::test]
async fn packets_from_the_server_vanish() {
    loses("down", Lost::Down).await;
}

#[tokio::test]
async fn all_packets_vanish() {
    loses("both", Lost::Both).await;
}

#[tokio::test]
async fn the_link_goes_down() {
    let down = |net: &Net| net.link("link set down");
    silence("link", down, |net| net.link("link set up")).await;
}

#[tokio::test]
async fn the_client_has_another_address() {
    let away = |net: &Net| net.link(&format!("address del {CLIENT}/24"));
    let back = |net: &Net| net.link(&format!("address add {ELSEWHERE}/24"));
    silence("address", away, back).await;
}

#[tokio::test]
async fn a_fifth_of_all_packets_is_lost() {
    let net = Net::new("loss");
    let mut stage = counting(&net, &[]).await;
    let count = |stage: &mut Stage| -> Vec<usize> {
        let is_down = |entry: &&Entry| matches!(entry, Entry::Down { .. });
        let down = |entries: Vec<Entry>| entries.iter().filter(is_down).count();
        stage
            .clients()
            .map(|client| down(client.entries()))
            .collect()
    };
    let before = count(&mut stage);
    net.lose(Lost::Both, "numgen random mod 100 < 20");
    sleep(LASTS * 3).await;
    let after = count(&mut stage);
    let lost = net.lose_nothing();
    assert!(lost > 0);
    let mut seen = format!("; {lost} packets lost");
    for (place, carrier) in CARRIERS.iter().enumerate() {
        let more = after[place] - before[place];
        assert!(more > 0, "nothing came down to {carrier} meanwhile");
        let rate = more as f64 / (LASTS * 3).as_secs_f64();
        let _ = write!(
            seen,
            "; {rate:.0} a second came down to {carrier} meanwhile"
        );
    }
    tell("loss", seen, stage).await;
}
