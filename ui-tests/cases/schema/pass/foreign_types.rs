//! Types without a `Schema` are named where they are used.

use serde::{Deserialize, Serialize};

/// Of another crate.
#[derive(Deserialize, Serialize)]
struct Money(u64);

#[derive(Deserialize, Serialize, sente::Schema)]
struct Price {
    #[schema(opaque = "money/1")]
    money: Money,
    #[schema(as = "Vec<(u64,)>")]
    others: Vec<Money>,
}

#[derive(Deserialize, Serialize, sente::Schema)]
#[schema(opaque = "any/1", self_describing)]
struct Any(Money);

#[sente::events]
enum Shop {
    #[to_server(reply = Price)]
    Pay {
        #[schema(opaque = "money/1")]
        money: Money,
        #[schema(opaque = "money/1", self_describing)]
        #[default]
        tip: Option<Any>,
    },
    #[to_client]
    Paid(#[schema(as = "u64")] Money),
}

fn main() {
    let _ = <Shop as sente::Events>::NAMESPACE;
}
