//! The attributes that users write, with their tokens kept, so that an error points at one.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, LitStr, Meta, Path, Token, Type};

use crate::errors::Errors;
use crate::schema::Form;
use crate::{names, timeout};

/// `#[sente::events(namespace = "…", handshake = Type, crate = path)]`.
#[derive(Default)]
pub(crate) struct EventsOptions {
    pub(crate) namespace: Option<LitStr>,
    pub(crate) handshake: Option<Type>,
    pub(crate) krate: Option<Path>,
}

/// The attributes of a variant.
#[derive(Default)]
pub(crate) struct VariantAttrs {
    pub(crate) to_server: Option<SendOptions>,
    pub(crate) to_client: Option<SendOptions>,
    pub(crate) name: Option<LitStr>,
}

/// `#[to_server(…)]` or `#[to_client(…)]`: how an event goes in one direction.
#[derive(Default)]
pub(crate) struct SendOptions {
    pub(crate) reply: Option<Type>,
    pub(crate) error: Option<Type>,
    pub(crate) timeout: Option<(Duration, LitStr)>,
    pub(crate) delivery: Option<(Delivery, Ident)>,
}

/// What happens to an event that cannot go at once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Delivery {
    #[default]
    Reliable,
    Volatile,
    Latest,
}

/// The attributes of a field, each with its place.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) default: Option<Span>,
    pub(crate) key: Option<Span>,
    /// `#[schema(…)]`: what is written, where its type does not say.
    pub(crate) form: Option<Form>,
}

/// One option of an attribute: its name, and what is written after it.
struct Known {
    name: &'static str,
    usage: &'static str,
}

const EVENTS: &[Known] = &[
    Known {
        name: "namespace",
        usage: "namespace = \"chat\"",
    },
    Known {
        name: "handshake",
        usage: "handshake = Type",
    },
    Known {
        name: "crate",
        usage: "crate = path::to::sente",
    },
];

const SEND: &[Known] = &[
    Known {
        name: "reply",
        usage: "reply = Type",
    },
    Known {
        name: "error",
        usage: "error = Type",
    },
    Known {
        name: "timeout",
        usage: "timeout = \"5s\"",
    },
    Known {
        name: "delivery",
        usage: "delivery = reliable",
    },
];

const EVENT: &[Known] = &[Known {
    name: "name",
    usage: "name = \"post\"",
}];

const DELIVERIES: &[&str] = &["reliable", "volatile", "latest"];

const VARIANT: &[&str] = &["to_server", "to_client", "event"];
const FIELD: &[&str] = &["default", "key"];

impl EventsOptions {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let parser = |input: ParseStream<'_>| {
            read_options(input, EVENTS, errors, |name, input| {
                match name {
                    "namespace" => options.namespace = Some(input.parse()?),
                    "handshake" => options.handshake = Some(input.parse()?),
                    _ => options.krate = Some(read_path(input)?),
                }
                Ok(())
            });
            Ok(())
        };
        // Only tokens that no option took can fail here, and those were reported.
        let _ = parser.parse2(tokens);
        options
    }
}

impl VariantAttrs {
    /// Takes our attributes out of a variant's, and leaves the others.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut taken = Self::default();
        let has_direction = attrs
            .iter()
            .any(|attr| is(attr, "to_server") || is(attr, "to_client"));
        attrs.retain(|attr| {
            let Some(name) = attr.path().get_ident().map(Ident::to_string) else {
                return true;
            };
            let name = match VARIANT.iter().find(|known| **known == name) {
                Some(known) => known,
                None if name == "key" => {
                    errors.at(attr, "`#[key]` goes on the field that tells events apart");
                    return false;
                }
                // Read as what it was meant to be, so that the one mistake gives one error.
                None if !has_direction => match names::meant(&name, &VARIANT[..2]) {
                    Some(meant) => {
                        let message =
                            format!("unknown attribute `{name}`: did you mean `{meant}`?");
                        errors.at(attr.path(), message);
                        meant
                    }
                    None => return true,
                },
                None => return true,
            };
            match name {
                "to_server" => once(
                    &mut taken.to_server,
                    Some(SendOptions::parse(attr, errors)),
                    attr,
                    errors,
                ),
                "to_client" => once(
                    &mut taken.to_client,
                    Some(SendOptions::parse(attr, errors)),
                    attr,
                    errors,
                ),
                _ => once(&mut taken.name, read_event(attr, errors), attr, errors),
            }
            false
        });
        taken
    }
}

impl FieldAttrs {
    /// Takes our attributes out of a field's, and leaves the others.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut taken = Self::default();
        attrs.retain(|attr| {
            let Some(name) = attr.path().get_ident().map(Ident::to_string) else { return true };
            if VARIANT.contains(&name.as_str()) {
                errors.at(attr, format!("`#[{name}]` goes on a variant, not on its fields"));
                return false;
            }
            if name == "schema" {
                once(&mut taken.form, Form::of(attr, errors), attr, errors);
                return false;
            }
            if !FIELD.contains(&name.as_str()) {
                return true;
            }
            if !matches!(attr.meta, Meta::Path(_)) {
                let message = match name.as_str() {
                    "default" => "`#[default]` takes no value: a field that was left out gets its type's `Default`",
                    _ => "`#[key]` takes no value: put it on each field that tells events apart",
                };
                errors.at(&attr.meta, message);
            }
            let slot = if name == "default" { &mut taken.default } else { &mut taken.key };
            once(slot, Some(attr.path().span()), attr, errors);
            false
        });
        taken
    }
}

impl SendOptions {
    fn parse(attr: &Attribute, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        read_attribute(attr, SEND, errors, |name, input| {
            match name {
                "reply" => options.reply = Some(input.parse()?),
                "error" => options.error = Some(input.parse()?),
                "timeout" => options.timeout = Some(read_timeout(input)?),
                _ => options.delivery = Some(read_delivery(input)?),
            }
            Ok(())
        });
        options
    }

    pub(crate) fn delivery(&self) -> Delivery {
        self.delivery
            .as_ref()
            .map(|(delivery, _)| *delivery)
            .unwrap_or_default()
    }
}

fn is(attr: &Attribute, name: &str) -> bool {
    attr.path().is_ident(name)
}

fn once<T>(slot: &mut Option<T>, value: Option<T>, attr: &Attribute, errors: &mut Errors) {
    if slot.is_some() {
        errors.at(
            attr,
            "this attribute was given before: write all options into one",
        );
    } else {
        *slot = value;
    }
}

fn read_event(attr: &Attribute, errors: &mut Errors) -> Option<LitStr> {
    let mut name = None;
    let before = errors.is_empty();
    read_attribute(attr, EVENT, errors, |_, input| {
        name = Some(input.parse()?);
        Ok(())
    });
    if name.is_none() && before && errors.is_empty() {
        errors.at(attr, "`#[event]` needs a name: `#[event(name = \"post\")]`");
    }
    name
}

fn read_timeout(input: ParseStream<'_>) -> syn::Result<(Duration, LitStr)> {
    let literal: syn::Lit = input.parse()?;
    let syn::Lit::Str(literal) = literal else {
        return Err(syn::Error::new(
            literal.span(),
            "a timeout is a number and a unit in quotes, for instance `timeout = \"5s\"`",
        ));
    };
    let duration =
        timeout::parse(&literal.value()).map_err(|fault| syn::Error::new(literal.span(), fault))?;
    Ok((duration, literal))
}

fn read_delivery(input: ParseStream<'_>) -> syn::Result<(Delivery, Ident)> {
    let expected = |what: String| format!("{what}, expected one of: {}", list(DELIVERIES));
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Err(syn::Error::new(
            literal.span(),
            expected("a delivery is written without quotes".into()),
        ));
    }
    let name = input.call(Ident::parse_any)?;
    let delivery = match name.to_string().as_str() {
        "reliable" => Delivery::Reliable,
        "volatile" => Delivery::Volatile,
        "latest" => Delivery::Latest,
        other => {
            let message = expected(format!("unknown delivery {}", misspelt(other, DELIVERIES)));
            return Err(syn::Error::new(name.span(), message));
        }
    };
    Ok((delivery, name))
}

/// A path, or a string with one, as serde takes it.
fn read_path(input: ParseStream<'_>) -> syn::Result<Path> {
    if input.peek(LitStr) {
        return input.parse::<LitStr>()?.parse_with(Path::parse_mod_style);
    }
    input.call(Path::parse_mod_style)
}

fn read_attribute(
    attr: &Attribute,
    known: &[Known],
    errors: &mut Errors,
    read: impl FnMut(&str, ParseStream<'_>) -> syn::Result<()>,
) {
    match &attr.meta {
        Meta::Path(_) => {}
        Meta::List(options) => {
            let parser = |input: ParseStream<'_>| {
                read_options(input, known, errors, read);
                Ok(())
            };
            // Only tokens that no option took can fail here, and those were reported.
            let _ = parser.parse2(options.tokens.clone());
        }
        Meta::NameValue(value) => {
            let usage = known.first().map_or("", |known| known.usage);
            errors.at(
                value,
                format!("options go into parentheses, for instance `({usage})`"),
            );
        }
    }
}

/// Reads `name = value, …`. After a mistake it goes on with the next option.
fn read_options(
    input: ParseStream<'_>,
    known: &[Known],
    errors: &mut Errors,
    mut read: impl FnMut(&str, ParseStream<'_>) -> syn::Result<()>,
) {
    let names: Vec<&str> = known.iter().map(|known| known.name).collect();
    let mut seen: Vec<&str> = Vec::new();
    while !input.is_empty() {
        let Ok(key) = input.call(Ident::parse_any) else {
            let message = format!("expected one of the options: {}", list(&names));
            errors.push(input.error(message));
            skip(input);
            continue;
        };
        let written = key.unraw().to_string();
        let option = match known.iter().find(|known| known.name == written) {
            Some(option) => option,
            None => {
                errors.span(key.span(), unknown(&written, &names));
                // Read as what it was meant to be, so that the one mistake gives one error.
                let meant = names::meant(&written, &names);
                match known.iter().find(|known| Some(known.name) == meant) {
                    Some(option) if !seen.contains(&option.name) => option,
                    _ => {
                        skip(input);
                        continue;
                    }
                }
            }
        };
        if seen.contains(&option.name) {
            errors.span(
                key.span(),
                format!("the option `{written}` was given before"),
            );
            skip(input);
            continue;
        }
        seen.push(option.name);
        if !input.peek(Token![=]) {
            errors.span(
                key.span(),
                format!("`{written}` needs a value: `{}`", option.usage),
            );
            skip(input);
            continue;
        }
        let value = input
            .parse::<Token![=]>()
            .and_then(|_| read(option.name, input));
        if errors.keep(value).is_some() && !input.is_empty() && !input.peek(Token![,]) {
            errors.push(input.error(format!("expected a comma after `{}`", option.usage)));
        }
        skip(input);
    }
}

/// Goes on behind the next comma that is not inside of `<…>`.
fn skip(input: ParseStream<'_>) {
    let mut depth = 0_u32;
    while !input.is_empty() {
        if depth == 0 && input.peek(Token![,]) {
            let _ = input.parse::<Token![,]>();
            return;
        }
        match input.parse::<proc_macro2::TokenTree>() {
            Ok(proc_macro2::TokenTree::Punct(punct)) if punct.as_char() == '<' => depth += 1,
            Ok(proc_macro2::TokenTree::Punct(punct)) if punct.as_char() == '>' => {
                depth = depth.saturating_sub(1);
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn unknown(written: &str, known: &[&str]) -> String {
    if known.contains(&"delivery") && DELIVERIES.contains(&written) {
        return format!("`{written}` is a delivery: write `delivery = {written}`");
    }
    format!(
        "unknown option {}, expected one of: {}",
        misspelt(written, known),
        list(known)
    )
}

fn misspelt(written: &str, known: &[&str]) -> String {
    match names::meant(written, known) {
        Some(meant) => format!("`{written}` (did you mean `{meant}`?)"),
        None => format!("`{written}`"),
    }
}

fn list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
