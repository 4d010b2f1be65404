//! The namespace as data, and the enum as a value: `impl Events`.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use syn::{LitInt, Type};

use super::{lints, local, private};
use crate::ast::{Event, Namespace};
use crate::types;

pub(crate) fn expand(namespace: &Namespace) -> TokenStream {
    let (krate, own_name, name) = (&namespace.krate, &namespace.ident, &namespace.name);
    let private = private(krate);
    let events = namespace.events.iter().map(|event| row(namespace, event));
    let handshake = match &namespace.handshake {
        Some(ty) => quote!(#ty),
        None => quote!(()),
    };
    let (index, fields, exact) = (local("index"), local("fields"), local("exact"));
    let body = decode(namespace, &index, &fields, &exact);
    let lints = lints(namespace);
    quote! {
        #[automatically_derived]
        #lints
        impl #krate::Events for #own_name {
            const NAMESPACE: &'static #private::Namespace = &#private::Namespace {
                name: #name,
                events: &[#(#events),*],
            };

            type Handshake = #handshake;

            fn decode(
                #index: u32,
                #fields: #private::FieldReader<'_>,
                #exact: bool,
            ) -> #private::Option<#private::Result<Self, #private::DecodeError>> {
                #body
            }
        }
    }
}

/// The body of `decode`.
fn decode(namespace: &Namespace, index: &Ident, fields: &Ident, exact: &Ident) -> TokenStream {
    let (own_name, private) = (&namespace.ident, private(&namespace.krate));
    if namespace.events.is_empty() {
        // A mistake, which has been told. The usual body would add a warning.
        return quote! {
            let _ = (#index, #fields, #exact);
            #private::Option::None
        };
    }
    let arms = namespace.events.iter().map(|event| {
        let number = Literal::u32_unsuffixed(event.index);
        let (read, value) = (event.read(fields), event.construct(namespace));
        quote! {
            #number => {
                #read
                #fields.finish(#exact)?;
                #value
            }
        }
    });
    let mutable = namespace.events.iter().find_map(Event::reader_mut);
    quote! {
                fn read(
                    #index: u32,
                    #mutable #fields: #private::FieldReader<'_>,
                    #exact: bool,
                ) -> #private::Result<#private::Option<#own_name>, #private::DecodeError> {
                    #private::Result::Ok(#private::Option::Some(match #index {
                        #(#arms)*
                        _ => return #private::Result::Ok(#private::Option::None),
                    }))
                }
        read(#index, #fields, #exact).transpose()
    }
}

/// One event in the table of the contract.
fn row(namespace: &Namespace, event: &Event) -> TokenStream {
    let private = private(&namespace.krate);
    let (name, docs) = (namespace.id(event), event.docs_text());
    let (to_server, to_client) = (event.to_server.is_some(), event.to_client.is_some());
    let fields = event.fields.iter().map(|field| {
        let (name, default) = (&field.name, field.default.is_some());
        let fingerprint = fingerprint(&field.ty);
        quote!(#private::Field { name: #name, fingerprint: #fingerprint, default: #default })
    });
    let reply = match event.answer() {
        Some((reply, error)) => {
            let reply = fingerprint(reply);
            let error = error.map_or_else(|| quote!(0), fingerprint);
            quote!(#private::Option::Some(#private::Reply { reply: #reply, error: #error }))
        }
        None => quote!(#private::Option::None),
    };
    quote! {
        #private::Event {
            name: #name,
            docs: #docs,
            to_server: #to_server,
            to_client: #to_client,
            fields: &[#(#fields),*],
            reply: #reply,
        }
    }
}

/// The expression that is a type's fingerprint.
fn fingerprint(ty: &Type) -> TokenStream {
    let print = types::fingerprint(ty);
    let [a, b, c, d] = [print >> 48, print >> 32, print >> 16, print].map(|part| part & 0xffff);
    let literal = LitInt::new(
        &format!("0x{a:04x}_{b:04x}_{c:04x}_{d:04x}"),
        Span::call_site(),
    );
    quote!(#literal)
}
