//! Counts to a server: writes an entry a line, stops counting at the line `stop`, and ends when its
//! input does.

use std::time::Duration;

use sente_client::Client;
use sente_e2e::{carrier_named, count_client, standard};

#[tokio::main]
async fn main() {
    let mut options = standard::options();
    let url: String = options.take("url").expect("--url says where the server is");
    let carrier: String = options.take("carrier").unwrap_or_else(|| "auto".to_owned());
    let pause = options.take("pause").map_or(10, |pause: u64| pause);
    let (counting, ends) = standard::counting(Duration::from_millis(pause));
    let builder = Client::builder(url).carrier(carrier_named(&carrier));
    let client = count_client(builder, counting).await;
    ends.await;
    drop(client);
}
