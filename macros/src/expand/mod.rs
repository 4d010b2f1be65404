//! From the enum to the code around it.

mod contract;
mod handlers;
mod routers;
mod senders;

use std::fmt::Display;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{Item, ItemEnum, Path};

use crate::ast::{Event, Field, Namespace, Shape, Side};
use crate::attr::EventsOptions;
use crate::errors::Errors;
use crate::{fallback, valid};

/// What `#[sente::events(options)] item` becomes.
pub(crate) fn events(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = EventsOptions::parse(options, &mut errors);
    let mut item = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Enum(item)) => item,
        Ok(other) => {
            let name = name(&other).unwrap_or_else(|| other.span());
            errors.span(
                name,
                "`#[sente::events]` goes on an enum: one variant for each event",
            );
            return fallback::expand(&item, None, errors);
        }
        Err(error) => {
            errors.push(error);
            return fallback::expand(&item, None, errors);
        }
    };
    let namespace = Namespace::take(options, &mut item, &mut errors);
    if has_generics(&item, &mut errors) {
        return fallback::expand(&item, None, errors);
    }
    if item.variants.is_empty() {
        let message = format!(
            "`{}` has no events: add a variant for each, for instance `#[to_server] Hello`",
            item.ident
        );
        errors.at(&item.ident, message);
    }
    valid::check(&namespace, &mut errors);
    if !errors.is_empty() {
        return fallback::expand(&item, Some(namespace), errors);
    }
    // Who sends by methods and handles by methods may never read a field of the value.
    let mut tokens = quote!(#[allow(dead_code)] #item);
    tokens.extend(items(&namespace));
    tokens
}

/// Everything beside the enum.
pub(crate) fn items(namespace: &Namespace) -> TokenStream {
    let mut tokens = TokenStream::new();
    for side in [Side::Server, Side::Client] {
        tokens.extend(handlers::expand(namespace, side));
    }
    tokens.extend(senders::expand(namespace));
    tokens.extend(routers::expand(namespace));
    tokens.extend(contract::expand(namespace));
    tokens
}

fn has_generics(item: &ItemEnum, errors: &mut Errors) -> bool {
    const MESSAGE: &str = "events cannot be generic: both sides have to know the same types. \
                           Write the types out, or make one enum for each";
    let generics = &item.generics;
    if !generics.params.is_empty() {
        errors.at(generics, MESSAGE);
        return true;
    }
    if let Some(clause) = &generics.where_clause {
        errors.at(clause, MESSAGE);
        return true;
    }
    false
}

fn name(item: &Item) -> Option<Span> {
    match item {
        Item::Struct(item) => Some(item.ident.span()),
        Item::Fn(item) => Some(item.sig.ident.span()),
        Item::Trait(item) => Some(item.ident.span()),
        Item::Union(item) => Some(item.ident.span()),
        Item::Type(item) => Some(item.ident.span()),
        Item::Mod(item) => Some(item.ident.span()),
        _ => None,
    }
}

/// An identifier of our own inside of a body. A user's field of the same name is another.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The place of what a user wrote, for what we make of it: there errors point.
pub(crate) fn place(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// These tokens, as if written there. What they mean does not change.
pub(crate) fn at(place: Span, tokens: impl ToTokens) -> TokenStream {
    let moved = tokens.into_token_stream().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}

/// A line of documentation, as `///` would give it.
fn doc(text: impl Display) -> TokenStream {
    let text = format!(" {text}");
    quote!(#[doc = #text])
}

/// For every item that we write: a program may use half of a contract, and whoever looks at lints
/// cannot change what is here.
fn lints(namespace: &Namespace) -> TokenStream {
    let deprecated = namespace.deprecated.then(|| quote!(deprecated,));
    quote!(#[allow(dead_code, #deprecated clippy::all, clippy::pedantic, clippy::nursery)])
}

/// Where everything lives that generated code may name and users may not.
pub(crate) fn private(krate: &Path) -> TokenStream {
    quote!(#krate::__private)
}

impl Side {
    /// The trait of this side's handlers, for instance `ChatServer`.
    fn handler(self, namespace: &Namespace) -> Ident {
        match self {
            Self::Server => format_ident!("{}Server", namespace.ident),
            Self::Client => format_ident!("{}Client", namespace.ident),
        }
    }

    /// The struct that sends to this side, for instance `ChatToServer`.
    fn sender(self, namespace: &Namespace) -> Ident {
        match self {
            Self::Server => format_ident!("{}ToServer", namespace.ident),
            Self::Client => format_ident!("{}ToClient", namespace.ident),
        }
    }
}

impl Event {
    /// The variant with each field in the variable of its parameter's name.
    fn construct(&self, namespace: &Namespace) -> TokenStream {
        let (own_name, variant) = (&namespace.ident, &self.ident);
        let params = self.fields.iter().map(|field| &field.param);
        match self.shape {
            Shape::Unit => quote!(#own_name::#variant),
            Shape::Tuple => quote!(#own_name::#variant(#(#params),*)),
            Shape::Struct => quote!(#own_name::#variant { #(#params),* }),
        }
    }

    /// A pattern that has these fields in the variables of their parameters' names.
    fn take_apart<'a>(
        &self,
        namespace: &Namespace,
        fields: impl Iterator<Item = &'a Field>,
    ) -> TokenStream {
        let (own_name, variant) = (&namespace.ident, &self.ident);
        let fields = fields.map(|Field { param, name, .. }| match self.shape {
            Shape::Tuple => {
                // A number needs no suffix to be the name of a field.
                let place: Option<Literal> = name.parse().ok();
                quote!(#place: #param,)
            }
            _ => quote!(#param,),
        });
        quote!(#own_name::#variant { #(#fields)* .. })
    }

    /// Statements that read the fields, each into a variable of its parameter's name.
    fn read(&self, reader: &Ident) -> TokenStream {
        self.fields
            .iter()
            .map(|field| {
                let (param, ty) = (&field.param, &field.ty);
                let read = if field.default.is_some() {
                    "field_or_default"
                } else {
                    "field"
                };
                let read = Ident::new(read, place(ty));
                quote!(let #param: #ty = #reader.#read()?;)
            })
            .collect()
    }

    /// `mut`, if reading the fields changes the reader.
    fn reader_mut(&self) -> Option<TokenStream> {
        (!self.fields.is_empty()).then(|| quote!(mut))
    }
}

#[cfg(test)]
mod tests;
