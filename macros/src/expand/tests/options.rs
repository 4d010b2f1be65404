//! What users read about the options of our attributes.

use proc_macro2::TokenStream;
use quote::quote;

use super::{messages, of, only};

#[test]
fn options_of_the_enum_are_known() {
    let of = |options| {
        messages(
            options,
            quote!(
                enum Chat {
                    #[to_server]
                    Post,
                }
            ),
        )
    };
    only(
        &of(quote!(namespce = "chat")),
        "unknown option `namespce` (did you mean `namespace`?), expected one of: `namespace`, \
         `handshake`, `crate`",
    );
    only(
        &of(quote!(handshake)),
        "`handshake` needs a value: `handshake = Type`",
    );
    only(
        &of(quote!(namespace = "a", namespace = "b")),
        "the option `namespace` was given before",
    );
    only(
        &of(quote!(namespace = "chat/room")),
        "`/` cannot be in a name: use ASCII letters, digits, `_`, `-` and `.`",
    );
    only(&of(quote!(namespace = "")), "a name cannot be empty");
    only(
        &of(quote!("chat")),
        "expected one of the options: `namespace`, `handshake`, `crate`",
    );
    only(
        &of(quote!(handshake = &'static str)),
        "the types of an event are owned, because it outlives the call that sends it: write \
         `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`",
    );
}

#[test]
fn options_of_a_variant_are_known() {
    only(
        &of(quote!(
            #[to_server(reply = u8, tmeout = "5s")]
            Post
        )),
        "unknown option `tmeout` (did you mean `timeout`?), expected one of: `reply`, `error`, \
         `timeout`, `delivery`",
    );
    only(
        &of(quote!(
            #[to_server(priority = Vec<u8, A>, reply = u8)]
            Post
        )),
        "unknown option `priority`, expected one of: `reply`, `error`, `timeout`, `delivery`",
    );
    only(
        &of(quote!(
            #[to_server(reply = u8, reply = u16)]
            Post
        )),
        "the option `reply` was given before",
    );
    only(
        &of(quote!(
            #[to_server(reply)]
            Post
        )),
        "`reply` needs a value: `reply = Type`",
    );
    only(
        &of(quote!(
            #[to_server = "reply"]
            Post
        )),
        "options go into parentheses, for instance `(reply = Type)`",
    );
    only(
        &of(quote!(
            #[to_server(reply = u8 error = u8)]
            Post
        )),
        "expected a comma after `reply = Type`",
    );
    only(
        &of(quote!(
            #[to_server]
            #[to_server(reply = u8)]
            Post
        )),
        "this attribute was given before: write all options into one",
    );
}

#[test]
fn error_and_timeout_need_a_reply() {
    only(
        &of(quote!(
            #[to_server(error = u8)]
            Post
        )),
        "`error` needs a `reply`: nobody waits for the answer to a plain event (`reply = ()` if \
         there is nothing to say)",
    );
    only(
        &of(quote!(
            #[to_client(timeout = "5s")]
            Post
        )),
        "`timeout` needs a `reply`: nobody waits for the answer to a plain event",
    );
}

#[test]
fn a_timeout_is_a_number_and_a_unit() {
    let of = |timeout: TokenStream| {
        of(quote!(
            #[to_server(reply = u8, timeout = #timeout)]
            Post
        ))
    };
    only(
        &of(quote!("5 parsecs")),
        "`parsecs` is no unit of time: write a number and a unit (`ms`, `s`, `m` or `h`), for \
         instance `timeout = \"5s\"`",
    );
    only(
        &of(quote!(5)),
        "a timeout is a number and a unit in quotes, for instance `timeout = \"5s\"`",
    );
}

#[test]
fn a_delivery_is_one_of_three_words() {
    only(
        &of(quote!(
            #[to_server(delivery = lastest)]
            Post
        )),
        "unknown delivery `lastest` (did you mean `latest`?), expected one of: `reliable`, \
         `volatile`, `latest`",
    );
    only(
        &of(quote!(
            #[to_server(delivery = "latest")]
            Post
        )),
        "a delivery is written without quotes, expected one of: `reliable`, `volatile`, `latest`",
    );
    only(
        &of(quote!(
            #[to_server(latest)]
            Post
        )),
        "`latest` is a delivery: write `delivery = latest`",
    );
}

#[test]
fn a_call_is_reliable() {
    only(
        &of(quote!(
            #[to_server(reply = u8, delivery = volatile)]
            Post
        )),
        "a call is always reliable, or its reply could never come: remove `delivery = volatile`, \
         or remove `reply`",
    );
    assert!(
        of(quote!(
            #[to_server(reply = u8, delivery = reliable)]
            Post
        ))
        .is_empty()
    );
    // Each direction has its own options.
    assert!(
        of(quote!(
            #[to_server(reply = u8)]
            #[to_client(delivery = latest)]
            Post
        ))
        .is_empty()
    );
}

#[test]
fn both_directions_have_the_same_answer() {
    let expected = "an event has one reply and one error, whoever sends it: give `#[to_server]` \
                    and `#[to_client]` the same, or make it two events";
    only(
        &of(quote!(
            #[to_server(reply = u8)]
            #[to_client(reply = u16)]
            Post
        )),
        expected,
    );
    only(
        &of(quote!(
            #[to_server(reply = u8, error = A)]
            #[to_client(reply = u8)]
            Post
        )),
        expected,
    );
    assert!(
        of(quote!(
            #[to_server(reply = Vec<u8>)]
            #[to_client(reply = Vec<u8>)]
            Post
        ))
        .is_empty()
    );
    assert!(
        of(quote!(
            #[to_server(reply = u8, error = A)]
            #[to_client]
            Post
        ))
        .is_empty()
    );
}

#[test]
fn attributes_of_variants_stay_off_fields() {
    only(
        &of(quote!(
            #[to_server]
            Post {
                #[to_server]
                room: String
            }
        )),
        "`#[to_server]` goes on a variant, not on its fields",
    );
}
