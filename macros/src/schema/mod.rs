//! `#[derive(Schema)]`: what serde's derive will write for a type, as data.
//!
//! * `attr`: what users write, of serde's attributes and of ours
//! * `rename`: serde's rules for names
//! * `fields`: fields and variants, and which of their attributes can be described
//! * `bounds`: what a generic type asks of its parameters

mod attr;
mod bounds;
mod fields;
mod rename;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Fields, Path, Type};

use crate::errors::Errors;
use crate::expand;
pub(crate) use attr::Form;
use attr::{Container, Item, Serde};
use rename::Rules;

/// The way out of what cannot be described.
const WAY_OUT: &str = "say what is written with `#[schema(as = \"Type\")]`, or give its form a \
                       name with `#[schema(opaque = \"name/1\")]`";

/// What the derive writes.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut reading = Reading::default();
    let ours = Container::read(&input.attrs, &mut reading.errors);
    if let Some(krate) = &ours.krate {
        reading.krate = krate.clone();
    }
    let mut shape = reading.container(&input, &ours);
    let Reading {
        krate,
        mut types,
        errors,
        ..
    } = reading;
    let private = expand::private(&krate);
    if !errors.is_empty() {
        // What is wrong has been told; that there is no `Schema` need not be told as well.
        types.clear();
        shape = quote!(#private::schema::Shape::Tuple(&[]));
    }
    let name = &input.ident;
    let generics = bounds::with_bounds(&input.generics, &types, &krate);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let errors = errors.into_tokens();
    quote! {
        #[automatically_derived]
        #[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #impl_generics #krate::Schema for #name #ty_generics #where_clause {
            const SHAPE: &'static #private::schema::Shape = &#shape;
        }
        #errors
    }
}

/// What has been found out about a type so far.
struct Reading<'a> {
    /// Where the crate `sente` is found.
    krate: Path,
    /// The types that have to be described for this one to be.
    types: Vec<&'a Type>,
    /// Whether the type may ask for a codec that writes names, and whether it does.
    may_need_names: bool,
    needs_names: bool,
    errors: Errors,
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            krate: syn::parse_quote!(::sente),
            types: Vec::new(),
            may_need_names: false,
            needs_names: false,
            errors: Errors::default(),
        }
    }
}

impl<'a> Reading<'a> {
    /// The shape of a type, as an expression.
    fn container(&mut self, input: &'a DeriveInput, ours: &Container) -> TokenStream {
        if let Some(form) = &ours.form {
            return form.shape(&self.krate);
        }
        let serde = Serde::read(&input.attrs, &mut self.errors);
        if let Some(shape) = self.converted(&serde) {
            return shape;
        }
        self.refuse_unknown(&serde, attr::CONTAINER);
        self.may_need_names = ours.self_describing.is_some();
        let name = input.ident.unraw().to_string();
        let shape = match &input.data {
            Data::Struct(data) => self.of_struct(&name, data, &serde),
            Data::Enum(data) => self.of_enum(&name, data, &serde),
            Data::Union(data) => {
                let message = "serde writes no unions: use an enum";
                self.errors.at(data.union_token, message);
                TokenStream::new()
            }
        };
        if let (Some(span), false) = (ours.self_describing, self.needs_names) {
            let message = "every codec can carry this type: remove `self_describing`";
            self.errors.span(span, message);
        }
        shape
    }

    /// `from` and `into`: another type is written in place of this one.
    fn converted(&mut self, serde: &Serde) -> Option<TokenStream> {
        let from = serde.get("from").or_else(|| serde.get("try_from"));
        let into = serde.get("into");
        let first = from.or(into)?;
        let ty = |item: Option<&Item>| {
            let literal = item?.text.as_ref()?;
            let ty: Type = literal.parse().ok()?;
            Some((ty.to_token_stream().to_string(), ty))
        };
        Some(match (ty(from), ty(into)) {
            (Some((from, _)), Some((into, ty))) if from == into => {
                let private = self.private();
                quote!(#private::schema::Shape::Same(#private::schema::Type::of::<#ty>()))
            }
            _ => {
                let message = format!(
                    "what is written has to be what is read: give `into` and `from` (or \
                     `try_from`) the same type; or {WAY_OUT}"
                );
                self.errors.span(first.span, message);
                TokenStream::new()
            }
        })
    }

    fn of_struct(&mut self, name: &str, data: &'a DataStruct, serde: &Serde) -> TokenStream {
        let private = self.private();
        let shape = quote!(#private::schema::Shape);
        let rules = Rules::of(serde, "rename_all", &mut self.errors);
        let members = self.members(&data.fields, &rules);
        if serde.get("transparent").is_some()
            && let Some(member) = members.iter().find(|member| !member.is_marker)
        {
            let ty = &member.ty;
            return quote!(#shape::Same(#ty));
        }
        let types = members.iter().map(|member| &member.ty);
        match &data.fields {
            Fields::Unit => quote!(#shape::Primitive(#private::schema::Primitive::UnitStruct)),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                if members.is_empty() {
                    let message = "serde does not skip the only field of a struct: remove `skip`";
                    self.errors.at(fields, message);
                }
                quote!(#shape::Same(#(#types),*))
            }
            Fields::Unnamed(_) => quote!(#shape::Tuple(&[#(#types),*])),
            Fields::Named(_) => {
                // Serde writes the tag of a struct and does not look at it again.
                let tag = serde.get("tag").map(|item| {
                    self.ask_for_names(item);
                    let tag = &item.text;
                    quote! {
                        #private::schema::Field::new(#tag, #private::schema::Type::of::<str>())
                            .written(#private::schema::Presence::Sometimes),
                    }
                });
                let fields = members.iter().map(|member| member.field(&private));
                quote!(#shape::Struct { name: #name, fields: &[#tag #(#fields),*] })
            }
        }
    }

    fn of_enum(&mut self, name: &str, data: &'a DataEnum, serde: &Serde) -> TokenStream {
        let private = self.private();
        let tagging = quote!(#private::schema::Tagging);
        let tagging = match (serde.get("tag"), serde.get("untagged")) {
            (Some(item), _) => {
                let tag = &item.text;
                self.ask_for_names(item);
                match serde.get("content").and_then(|item| item.text.as_ref()) {
                    Some(content) => quote!(#tagging::Adjacent(#tag, #content)),
                    None => quote!(#tagging::Internal(#tag)),
                }
            }
            (None, Some(item)) => {
                self.ask_for_names(item);
                quote!(#tagging::Untagged)
            }
            (None, None) => quote!(#tagging::External),
        };
        let variants = self.variants(data, serde);
        quote! {
            #private::schema::Shape::Enum {
                name: #name,
                tagging: #tagging,
                variants: &[#(#variants),*],
            }
        }
    }

    /// An attribute needs a codec that writes names.
    fn ask_for_names(&mut self, item: &Item) {
        self.needs_names = true;
        if !self.may_need_names {
            let message = format!(
                "`{}` needs a codec that writes names, and `bincode` and `postcard` write none: do \
                 without it, or put `#[schema(self_describing)]` on the type. Then `json` and \
                 `msgpack` carry it, and with the others the events that contain it are \
                 `Incompatible`",
                item.name
            );
            self.errors.span(item.span, message);
        }
    }

    /// Refuses what may change the wire in a way that nobody here knows.
    fn refuse_unknown(&mut self, serde: &Serde, known: &[&str]) {
        for item in serde.unknown(known) {
            let message = format!("`{}` makes of it what only you know: {WAY_OUT}", item.name);
            self.errors.span(item.span, message);
        }
    }

    fn private(&self) -> TokenStream {
        expand::private(&self.krate)
    }
}
