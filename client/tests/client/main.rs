//! The client against a server that does what the test says.

mod carriers;
mod connect;
mod contract;
mod fake;
mod lost;
mod setup;
mod states;
mod streams;
mod tls;
