//! The macros of [sente](https://docs.rs/sente). Use them as `sente::events` and `sente::Schema`;
//! this crate is of no use by itself.
//!
//! # Layout
//! * `attr`: what users write, with its tokens kept for errors
//! * `ast`: the namespace as data
//! * `valid`: the rules that span more than one token
//! * `expand`: the code around the enum
//! * `fallback`: what is left of it when there is a mistake
//! * `schema`: the derive

mod ast;
mod attr;
mod errors;
mod expand;
mod fallback;
mod names;
mod schema;
mod timeout;
mod types;
mod valid;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/events.md")]
#[proc_macro_attribute]
pub fn events(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::events(options.into(), item.into()).into()
}

#[doc = include_str!("../docs/schema.md")]
#[proc_macro_derive(Schema, attributes(schema, serde))]
pub fn schema(item: TokenStream) -> TokenStream {
    schema::derive(item.into()).into()
}
