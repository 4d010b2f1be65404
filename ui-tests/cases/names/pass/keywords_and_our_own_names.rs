//! Fields and types may have the names that generated code uses, and keywords.

#![deny(warnings)]
#![allow(dead_code)]

use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, sente::Schema)]
struct T;
#[derive(Deserialize, Serialize, sente::Schema)]
struct H;
struct Result;
struct Option;
struct Some;
struct Ok;
struct String;
struct Vec;
struct Box;
trait Future {}
trait Send {}

#[sente::events]
enum Odd {
    #[to_server(reply = T, error = H)]
    #[to_client(delivery = latest)]
    Type {
        r#type: T,
        #[key]
        from: u8,
        peer: u8,
        link: H,
        fields: u8,
        exact: u8,
        index: u8,
        event: u8,
        handler: u8,
        codec: u8,
        answer: u8,
        port: u8,
    },
    #[to_client(reply = u8)]
    Clone,
    #[to_server]
    Drop,
}

fn main() {}
