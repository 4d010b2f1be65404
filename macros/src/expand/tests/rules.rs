//! What users read about an enum that cannot be a contract.

use quote::quote;

use super::{messages, of, only};

#[test]
fn no_mistake_no_message() {
    assert_eq!(
        of(quote!(
            #[to_server]
            Post
        )),
        Vec::<String>::new()
    );
}

#[test]
fn only_enums_hold_events() {
    let expected = "`#[sente::events]` goes on an enum: one variant for each event";
    only(
        &messages(
            quote!(),
            quote!(
                struct Chat {
                    room: String,
                }
            ),
        ),
        expected,
    );
    only(
        &messages(
            quote!(),
            quote!(
                fn chat() {}
            ),
        ),
        expected,
    );
}

#[test]
fn generics_are_refused() {
    let expected = "events cannot be generic: both sides have to know the same types. Write the \
                    types out, or make one enum for each";
    only(
        &messages(
            quote!(),
            quote!(
                enum Chat<T> {
                    #[to_server]
                    Post(T),
                }
            ),
        ),
        expected,
    );
    only(
        &messages(
            quote!(),
            quote!(
                enum Chat<'a> {
                    #[to_server]
                    Post(Cow<'a, str>),
                }
            ),
        ),
        expected,
    );
    only(
        &messages(
            quote!(),
            quote!(
                enum Chat
                where
                    u8: Copy,
                {
                    #[to_server]
                    Post,
                }
            ),
        ),
        expected,
    );
}

#[test]
fn an_enum_has_events() {
    only(
        &of(quote!()),
        "`Chat` has no events: add a variant for each, for instance `#[to_server] Hello`",
    );
}

#[test]
fn a_variant_has_a_direction() {
    only(
        &of(quote!(Post)),
        "who sends this event? Put `#[to_server]` on it if clients do, `#[to_client]` if the \
         server does, or both",
    );
    only(
        &of(quote!(
            #[to_sever]
            Post
        )),
        "unknown attribute `to_sever`: did you mean `to_server`?",
    );
}

#[test]
fn a_name_is_used_once() {
    assert_eq!(
        of(quote!(
            #[to_server]
            Post,
            #[to_client]
            #[event(name = "post")]
            Line
        )),
        [
            "the name `chat/post` is taken: choose another with `#[event(name = \"…\")]`",
            "`chat/post` is used here first",
        ]
    );
    only(
        &of(quote!(
            #[to_server]
            #[event]
            Post
        )),
        "`#[event]` needs a name: `#[event(name = \"post\")]`",
    );
    only(
        &of(quote!(
            #[to_server]
            Größe
        )),
        "`ö` cannot be in a name: use ASCII letters, digits, `_`, `-` and `.`; or give it another \
         name on the wire with `#[event(name = \"…\")]`",
    );
}

#[test]
fn a_method_is_generated_once() {
    only(
        &of(quote!(
            #[to_server]
            PostLine,
            #[to_server]
            #[event(name = "line")]
            Post_Line
        )),
        "`PostLine` and `Post_Line` would both be sent by a method `post_line`: rename one \
         variant (`#[event(name = \"line\")]` keeps its name on the wire)",
    );
    // In different directions there are two methods of two traits.
    assert!(
        of(quote!(
            #[to_server]
            PostLine,
            #[to_client]
            #[event(name = "line")]
            Post_Line
        ))
        .is_empty()
    );
}

#[test]
fn a_method_has_a_name() {
    only(
        &of(quote!(
            #[to_server]
            Crate
        )),
        "this event would be sent by a method `crate`, which Rust cannot name: rename the variant \
         (`#[event(name = \"crate\")]` keeps the name on the wire)",
    );
}

#[test]
fn defaults_come_last() {
    only(
        &of(quote!(
            #[to_server]
            Post {
                #[default]
                room: String,
                text: String
            }
        )),
        "only fields at the end can be left out, and `text` comes after this one: move it to the \
         end, or mark those behind it `#[default]` too",
    );
    only(
        &of(quote!(
            #[to_server]
            Post {
                #[default = "lobby"]
                room: String
            }
        )),
        "`#[default]` takes no value: a field that was left out gets its type's `Default`",
    );
    assert!(
        of(quote!(
            #[to_server]
            Post(
                u8,
                #[default]
                u8,
                #[default]
                u8
            )
        ))
        .is_empty()
    );
}

#[test]
fn a_key_needs_latest() {
    only(
        &of(quote!(
            #[to_server]
            Typing {
                #[key]
                room: String
            }
        )),
        "`#[key]` says of which events only the latest is kept: add `delivery = latest`, or \
         remove it",
    );
    only(
        &of(quote!(
            #[to_server(delivery = latest)]
            #[key]
            Typing { room: String }
        )),
        "`#[key]` goes on the field that tells events apart",
    );
}

#[test]
fn the_contract_does_not_depend_on_cfg() {
    let rest = "the contract has to be the same on both sides. Leave it in and handle it where \
                it matters, or move it to an enum of its own";
    only(
        &of(quote!(
            #[cfg(test)]
            #[to_server]
            Post
        )),
        &format!("an event cannot depend on `cfg`: {rest}"),
    );
    only(
        &of(quote!(
            #[to_server]
            Post {
                #[cfg(test)]
                room: String
            }
        )),
        &format!("a field cannot depend on `cfg`: {rest}"),
    );
}

#[test]
fn values_are_refused() {
    only(
        &of(quote!(
            #[to_server]
            Post = 1
        )),
        "events are known by name, not by number: remove the value (`#[event(name = \"…\")]` \
         keeps a name when a variant is renamed)",
    );
}

#[test]
fn several_mistakes_are_told_at_once() {
    let messages = of(quote! {
        #[to_server(tmeout = "5x", reply = &str)]
        Post { #[default] room: String, text: &str },
        Wave,
    });
    assert_eq!(messages.len(), 6, "{messages:#?}");
}
