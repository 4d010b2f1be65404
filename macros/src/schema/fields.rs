//! Fields and variants, and which of their attributes can be described.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{DataEnum, Field, Fields, Type, Variant};

use super::attr::{self, Form, Item, Serde};
use super::rename::Rules;
use super::{Reading, WAY_OUT};
use crate::expand::place;

/// A field that is written.
pub(super) struct Member {
    /// Empty where fields have no names.
    name: String,
    /// Its type, as an expression.
    pub(super) ty: TokenStream,
    presence: Presence,
    /// Whether it is a `PhantomData`.
    pub(super) is_marker: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Presence {
    Always,
    Sometimes,
    Flattened,
}

impl Member {
    /// As a field of a struct, as an expression.
    pub(super) fn field(&self, private: &TokenStream) -> TokenStream {
        let (name, ty) = (&self.name, &self.ty);
        let field = quote!(#private::schema::Field::new(#name, #ty));
        match self.presence {
            Presence::Always => field,
            Presence::Sometimes => quote!(#field.written(#private::schema::Presence::Sometimes)),
            Presence::Flattened => quote!(#field.written(#private::schema::Presence::Flattened)),
        }
    }
}

impl<'a> Reading<'a> {
    /// The fields that are written.
    pub(super) fn members(&mut self, fields: &'a Fields, rules: &Rules) -> Vec<Member> {
        let members = fields.iter().filter_map(|field| self.member(field, rules));
        members.collect()
    }

    fn member(&mut self, field: &'a Field, rules: &Rules) -> Option<Member> {
        let serde = Serde::read(&field.attrs, &mut self.errors);
        self.refuse_unknown(&serde, attr::FIELD);
        if self.is_skipped(&serde) {
            return None;
        }
        let (private, ty) = (self.private(), &field.ty);
        let ty = match (Form::find(&field.attrs, &mut self.errors), with(&serde)) {
            (Some(form), _) => form.ty(&self.krate),
            (None, None) => {
                self.types.push(ty);
                quote_spanned!(place(ty)=> #private::schema::Type::of::<#ty>())
            }
            (None, Some(With::SerdeBytes)) => quote_spanned! {place(ty)=>
                #private::schema::Type::new(|| <#ty as #private::schema::Bytes>::SHAPE)
            },
            (None, Some(With::Own(item))) => {
                self.refuse_with(item);
                return None;
            }
        };
        let name = match &field.ident {
            Some(ident) => rules.field(ident, &serde, &mut self.errors),
            None => String::new(),
        };
        Some(Member {
            name,
            ty,
            presence: self.presence(field, &serde),
            is_marker: is_marker(&field.ty),
        })
    }

    fn presence(&mut self, field: &Field, serde: &Serde) -> Presence {
        if let Some(item) = serde.get("flatten") {
            self.ask_for_names(item);
            return Presence::Flattened;
        }
        let Some(item) = serde.get("skip_serializing_if") else {
            return Presence::Always;
        };
        if field.ident.is_none() {
            let message = "where a value without a name is left out, the next one is read in its \
                           place, with every codec: give the fields names, or write them always";
            self.errors.span(item.span, message);
            self.needs_names = true;
        } else {
            self.ask_for_names(item);
        }
        Presence::Sometimes
    }

    /// Whether serde neither writes nor reads it.
    fn is_skipped(&mut self, serde: &Serde) -> bool {
        let skip = serde.get("skip");
        let sides = ["skip_serializing", "skip_deserializing"].map(|name| serde.get(name));
        if let ([Some(item), None] | [None, Some(item)], None) = (sides, skip) {
            let message = "what is written has to be what is read: `skip` leaves it out of both";
            self.errors.span(item.span, message);
        }
        skip.or(sides[0]).or(sides[1]).is_some()
    }

    fn refuse_with(&mut self, item: &Item) {
        let message = format!("only your own function knows what is written: {WAY_OUT}");
        self.errors.span(item.span, message);
    }

    /// The variants that are written, as expressions.
    pub(super) fn variants(&mut self, data: &'a DataEnum, serde: &Serde) -> Vec<TokenStream> {
        let names = Rules::of(serde, "rename_all", &mut self.errors);
        let fields = Rules::of(serde, "rename_all_fields", &mut self.errors);
        let mut written = Vec::new();
        let mut skipped: Option<Span> = None;
        for variant in &data.variants {
            let serde = Serde::read(&variant.attrs, &mut self.errors);
            self.refuse_unknown(&serde, attr::VARIANT);
            if self.is_skipped(&serde) {
                skipped = skipped.or(Some(variant.ident.span()));
                continue;
            }
            if let Some(skipped) = skipped.take() {
                let message = "serde counts a skipped variant when it writes those behind it, and \
                               does not when it reads them: move it to the end of the enum";
                self.errors.span(skipped, message);
            }
            let private = self.private();
            let name = names.variant(&variant.ident, &serde, &mut self.errors);
            let untagged = serde.get("untagged");
            if let Some(item) = untagged {
                self.ask_for_names(item);
            }
            let untagged = untagged.is_some();
            let content = self.content(variant, &serde, &fields);
            written.push(quote! {
                #private::schema::Variant { name: #name, content: #content, untagged: #untagged }
            });
        }
        written
    }

    fn content(&mut self, variant: &'a Variant, serde: &Serde, rules: &Rules) -> TokenStream {
        let private = self.private();
        let content = quote!(#private::schema::Content);
        if let Some(form) = Form::find(&variant.attrs, &mut self.errors) {
            let ty = form.ty(&self.krate);
            return quote!(#content::Newtype(#ty));
        }
        if let Some(item) = ["with", "serialize_with", "deserialize_with"]
            .iter()
            .find_map(|name| serde.get(name))
        {
            self.refuse_with(item);
        }
        let rules = Rules::of(serde, "rename_all", &mut self.errors).or(rules);
        let members = self.members(&variant.fields, &rules);
        let types = members.iter().map(|member| &member.ty);
        match &variant.fields {
            Fields::Unit => quote!(#content::Unit),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 && members.is_empty() => {
                quote!(#content::Unit)
            }
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                quote!(#content::Newtype(#(#types),*))
            }
            Fields::Unnamed(_) => quote!(#content::Tuple(&[#(#types),*])),
            Fields::Named(_) => {
                let fields = members.iter().map(|member| member.field(&private));
                quote!(#content::Struct(&[#(#fields),*]))
            }
        }
    }
}

/// A function that writes or reads a field in place of its type.
enum With<'a> {
    /// That of the crate `serde_bytes`.
    SerdeBytes,
    Own(&'a Item),
}

fn with(serde: &Serde) -> Option<With<'_>> {
    let (both, write, read) = (
        serde.get("with"),
        serde.get("serialize_with"),
        serde.get("deserialize_with"),
    );
    let item = both.or(write).or(read)?;
    let is = |item: Option<&Item>, path: &str| {
        let text = item.and_then(|item| item.text.as_ref());
        text.is_some_and(|text| text.value().trim_start_matches("::") == path)
    };
    let of_serde_bytes = is(both, "serde_bytes")
        || is(write, "serde_bytes::serialize") && is(read, "serde_bytes::deserialize");
    Some(if of_serde_bytes {
        With::SerdeBytes
    } else {
        With::Own(item)
    })
}

fn is_marker(ty: &Type) -> bool {
    match ty {
        Type::Group(ty) => is_marker(&ty.elem),
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident == "PhantomData")
        }
        _ => false,
    }
}
