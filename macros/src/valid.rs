//! The rules that span more than one token, one message each.

use std::collections::HashMap;

use proc_macro2::Span;
use quote::ToTokens;

use crate::ast::{Event, Namespace, Side};
use crate::attr::{Delivery, SendOptions};
use crate::errors::Errors;
use crate::types;

/// Checks everything that reading alone could not.
pub(crate) fn check(namespace: &Namespace, errors: &mut Errors) {
    for event in &namespace.events {
        check_directions(event, errors);
        check_answers(event, errors);
        check_defaults(event, errors);
        check_keys(event, errors);
    }
    check_names(namespace, errors);
    check_methods(namespace, errors);
}

fn check_directions(event: &Event, errors: &mut Errors) {
    if event.to_server.is_none() && event.to_client.is_none() {
        errors.at(
            &event.ident,
            "who sends this event? Put `#[to_server]` on it if clients do, `#[to_client]` if the \
             server does, or both",
        );
    }
    for options in event.to_server.iter().chain(&event.to_client) {
        check_options(options, errors);
    }
}

fn check_options(options: &SendOptions, errors: &mut Errors) {
    if options.reply.is_none() {
        if let Some(error) = &options.error {
            errors.at(
                error,
                "`error` needs a `reply`: nobody waits for the answer to a plain event \
                 (`reply = ()` if there is nothing to say)",
            );
        }
        if let Some((_, literal)) = &options.timeout {
            errors.at(
                literal,
                "`timeout` needs a `reply`: nobody waits for the answer to a plain event",
            );
        }
    }
    if let (Some(_), Some((Delivery::Volatile | Delivery::Latest, delivery))) =
        (&options.reply, &options.delivery)
    {
        let message = format!(
            "a call is always reliable, or its reply could never come: remove \
             `delivery = {delivery}`, or remove `reply`"
        );
        errors.at(delivery, message);
    }
}

/// The table of the contract has one reply and one error for each event.
fn check_answers(event: &Event, errors: &mut Errors) {
    let (Some(to_server), Some(to_client)) = (&event.to_server, &event.to_client) else {
        return;
    };
    let (Some(first), Some(second)) = (&to_server.reply, &to_client.reply) else {
        return;
    };
    let text = |ty: Option<&syn::Type>| ty.map(types::canonical);
    let same = text(Some(first)) == text(Some(second))
        && text(to_server.error.as_ref()) == text(to_client.error.as_ref());
    if !same {
        errors.at(
            to_client.error.as_ref().unwrap_or(second),
            "an event has one reply and one error, whoever sends it: give `#[to_server]` and \
             `#[to_client]` the same, or make it two events",
        );
    }
}

fn check_defaults(event: &Event, errors: &mut Errors) {
    let last_required = event
        .fields
        .iter()
        .rposition(|field| field.default.is_none());
    let Some(last_required) = last_required else {
        return;
    };
    for (place, field) in event.fields.iter().enumerate() {
        if let Some(span) = field.default.filter(|_| place < last_required) {
            let message = format!(
                "only fields at the end can be left out, and `{}` comes after this one: move it \
                 to the end, or mark those behind it `#[default]` too",
                event.fields[last_required].param,
            );
            errors.span(span, message);
        }
    }
}

fn check_keys(event: &Event, errors: &mut Errors) {
    let latest = |options: &SendOptions| options.delivery() == Delivery::Latest;
    if event.to_server.iter().chain(&event.to_client).any(latest) {
        return;
    }
    for span in event.fields.iter().filter_map(|field| field.key) {
        errors.span(
            span,
            "`#[key]` says of which events only the latest is kept: add `delivery = latest`, or \
             remove it",
        );
    }
}

fn check_names(namespace: &Namespace, errors: &mut Errors) {
    let mut first_use: HashMap<&str, Span> = HashMap::new();
    for event in &namespace.events {
        let Some(first) = first_use.get(event.name.as_str()) else {
            first_use.insert(&event.name, event.name_span);
            continue;
        };
        let id = namespace.id(event);
        errors.span(
            event.name_span,
            format!("the name `{id}` is taken: choose another with `#[event(name = \"…\")]`"),
        );
        errors.span(*first, format!("`{id}` is used here first"));
    }
}

fn check_methods(namespace: &Namespace, errors: &mut Errors) {
    for (event, first) in method_clashes(namespace) {
        // Where the names clash too, that has been said.
        if event.name == first.name {
            continue;
        }
        let message = format!(
            "`{}` and `{}` would both be sent by a method `{}`: rename one variant \
             (`#[event(name = \"{}\")]` keeps its name on the wire)",
            first.ident, event.ident, event.method, event.name,
        );
        errors.at(event.ident.to_token_stream(), message);
    }
}

/// Each event whose method is taken in one of its directions, with the event that has it.
pub(crate) fn method_clashes(namespace: &Namespace) -> Vec<(&Event, &Event)> {
    let mut clashes: Vec<(&Event, &Event)> = Vec::new();
    for side in [Side::Server, Side::Client] {
        let mut first_use: HashMap<String, &Event> = HashMap::new();
        for (event, _) in namespace.handled_by(side) {
            match first_use.get(&event.method.to_string()) {
                Some(first) if clashes.iter().all(|(known, _)| known.index != event.index) => {
                    clashes.push((event, first));
                }
                Some(_) => {}
                None => {
                    first_use.insert(event.method.to_string(), event);
                }
            }
        }
    }
    clashes
}
