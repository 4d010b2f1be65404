//! The expansion as reviewed files, and every message.
//!
//! `INSTA_UPDATE=always cargo test -p sente-macros` writes the files anew; read the difference.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Item;

mod options;
mod rules;

/// Compares the expansion, as a formatted file, with the one that was reviewed.
fn snapshot(name: &str, options: TokenStream, item: TokenStream) {
    let file = syn::parse2(super::events(options, item)).expect("the expansion is a file");
    let settings = {
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings
    };
    settings.bind(|| insta::assert_snapshot!(name, prettyplease::unparse(&file)));
}

/// The messages for an enum, in order.
fn messages(options: TokenStream, item: TokenStream) -> Vec<String> {
    fn find(tokens: TokenStream, messages: &mut Vec<String>) {
        let file: syn::File = syn::parse2(tokens).expect("the expansion is a file");
        for item in file.items {
            if let Item::Macro(item) = item {
                let message: syn::LitStr = item.mac.parse_body().expect("compile_error's literal");
                messages.push(message.value());
            }
        }
    }
    let mut messages = Vec::new();
    find(super::events(options, item), &mut messages);
    messages
}

/// The messages for an enum `Chat` with these variants.
fn of(variants: TokenStream) -> Vec<String> {
    messages(quote!(), quote!(enum Chat { #variants }))
}

#[track_caller]
fn only(messages: &[String], expected: &str) {
    let [message] = messages else {
        panic!("expected one message, found {messages:#?}")
    };
    assert_eq!(message, expected);
}

#[test]
fn every_shape_in_both_directions() {
    snapshot(
        "every_shape_in_both_directions",
        quote!(handshake = Welcome),
        quote! {
            /// What a chat page and its server say to each other.
            #[derive(Clone, Debug)]
            pub enum Chat {
                /// Posts a line in a room.
                ///
                /// Nobody else sees it.
                #[to_server(reply = Receipt, error = PostError, timeout = "5s")]
                Post {
                    #[serde(rename = "chamber")]
                    room: String,
                    text: String,
                    #[default]
                    reply_to: Option<u64>,
                },

                /// Someone is typing. Only the newest one matters.
                #[to_server(delivery = latest)]
                Typing { #[key] room: String },

                /// Someone posted a line.
                #[to_client]
                Posted { room: String, from: String, text: String },

                #[to_client(reply = bool, timeout = "1.5s")]
                Confirm(String),

                /// A ping that either side may send.
                #[to_server(delivery = volatile)]
                #[to_client(reply = Pong)]
                #[event(name = "ping")]
                Wave,
            }
        },
    );
}

/// Names that need care: keywords, names of our own, and type parameters.
#[test]
fn names_that_collide() {
    snapshot(
        "names_that_collide",
        quote!(namespace = "odd.names-2", crate = my::sente),
        quote! {
            pub(crate) enum Odd {
                #[to_server]
                Type { r#type: T, from: H, fields: u8, exact: bool },
                #[to_client]
                #[deprecated(note = "use `Type`")]
                Pair(u8, std::string::String),
            }
        },
    );
}

#[test]
fn one_direction_in_a_private_enum() {
    snapshot(
        "one_direction_in_a_private_enum",
        quote!(crate = "my::sente"),
        quote! {
            enum Ticks {
                /// A price.
                #[to_client(delivery = latest)]
                Price { #[key] item: u32, price: f64, #[default] note: String },
            }
        },
    );
}

/// One mistake: the rest is there, so that nothing else is an error.
#[test]
fn a_mistake_leaves_the_rest() {
    snapshot(
        "a_mistake_leaves_the_rest",
        quote!(),
        quote! {
            enum Chat {
                #[to_server(repyl = u8)]
                Post { text: &str },
            }
        },
    );
}
