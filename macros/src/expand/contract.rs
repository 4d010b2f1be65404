//! The namespace as data, and the enum as a value: `impl Events`.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;

use super::senders::{class, timeout, writes};
use super::{lints, local, place, private};
use crate::ast::{Event, Field, Namespace, Side};

pub(crate) fn expand(namespace: &Namespace) -> TokenStream {
    let (krate, own_name, name) = (&namespace.krate, &namespace.ident, &namespace.name);
    let private = private(krate);
    let events = namespace.events.iter().map(|event| row(namespace, event));
    let about = namespace.events.iter().map(|event| about(namespace, event));
    let handshake = namespace.handshake.as_ref();
    let handshake_type = optional(&private, handshake.map(|ty| described(namespace, ty)));
    let handshake = match handshake {
        Some(ty) => quote!(#ty),
        None => quote!(()),
    };
    let (index, fields, exact) = (local("index"), local("fields"), local("exact"));
    let body = decode(namespace, &index, &fields, &exact);
    // Inlined: where no values are sent, these three are not even compiled.
    let sending = sending(namespace);
    let encode_fields = encode(namespace, "encode", |_| true);
    let encode_key = encode(namespace, "encode_key", |field| field.key.is_some());
    let lints = lints(namespace);
    quote! {
        #[automatically_derived]
        #lints
        impl #krate::Events for #own_name {
            const NAMESPACE: &'static #private::Namespace = &#private::Namespace {
                name: #name,
                handshake: #handshake_type,
                events: &[#(#events),*],
            };

            const ABOUT: &'static #private::About = &#private::About {
                file: ::core::file!(),
                events: &[#(#about),*],
            };

            type Handshake = #handshake;

            fn decode(
                #index: u32,
                #fields: #private::FieldReader<'_>,
                #exact: bool,
            ) -> #private::Option<#private::Result<Self, #private::DecodeError>> {
                #body
            }

            #sending
            #encode_fields
            #encode_key
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

/// The method `sending`. What a mistake, which has been told, left out is sent nowhere.
fn sending(namespace: &Namespace) -> TokenStream {
    let (own_name, private) = (&namespace.ident, private(&namespace.krate));
    let arms = namespace.events.iter().map(|event| {
        let (variant, index) = (&event.ident, Literal::u32_unsuffixed(event.index));
        let [to_server, to_client] = [Side::Server, Side::Client].map(|side| {
            match event.sent_to(side).map(|options| class(namespace, options)) {
                Some(class) => quote!(#private::Option::Some(#class)),
                None => quote!(#private::Option::None),
            }
        });
        quote! {
            #own_name::#variant { .. } => #private::Sending {
                index: #index,
                to_server: #to_server,
                to_client: #to_client,
            },
        }
    });
    let is_whole = !namespace.events.is_empty() && namespace.events.len() == namespace.variants;
    let rest = (!is_whole).then(|| quote!(_ => #private::Sending::NOWHERE,));
    quote! {
        #[inline]
        fn sending(&self) -> #private::Sending {
            match self {
                #(#arms)*
                #rest
            }
        }
    }
}

/// A method that writes fields of the value; none if no event has any, which is the trait's default.
fn encode(namespace: &Namespace, method: &str, is_written: fn(&Field) -> bool) -> TokenStream {
    let private = private(&namespace.krate);
    let (method, writer) = (Ident::new(method, Span::call_site()), local("fields"));
    let mut arms: Vec<TokenStream> = namespace
        .events
        .iter()
        .filter_map(|event| {
            let written = event.fields.iter().filter(|field| is_written(field));
            let writes = writes(&writer, written.clone(), true);
            let (last, first) = writes.split_last()?;
            let pattern = event.take_apart(namespace, written);
            Some(quote!(#pattern => { #(#first?;)* #last }))
        })
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    if arms.len() < namespace.variants {
        arms.push(quote!(_ => #private::Result::Ok(()),));
    }
    quote! {
        #[inline]
        fn #method(
            &self,
            #writer: &mut #private::FieldWriter,
        ) -> #private::Result<(), #private::EncodeError> {
            match self {
                #(#arms)*
            }
        }
    }
}

/// One event in the table of the contract.
fn row(namespace: &Namespace, event: &Event) -> TokenStream {
    let private = private(&namespace.krate);
    let name = namespace.id(event);
    let [to_server, to_client] = [Side::Server, Side::Client].map(|side| {
        let way = match event.sent_to(side) {
            None => quote!(Never),
            Some(options) if options.is_call() => quote!(Call),
            Some(_) => quote!(Event),
        };
        quote!(#private::Way::#way)
    });
    let fields = event.fields.iter().map(|field| {
        let (name, default) = (&field.name, field.default.is_some());
        let ty = match &field.form {
            Some(form) => form.ty(&namespace.krate),
            None => described(namespace, &field.ty),
        };
        quote!(#private::Field { name: #name, ty: #ty, default: #default })
    });
    let reply = match event.answer() {
        Some((reply, error)) => {
            let reply = described(namespace, reply);
            let error = optional(&private, error.map(|ty| described(namespace, ty)));
            quote!(#private::Option::Some(#private::Reply { reply: #reply, error: #error }))
        }
        None => quote!(#private::Option::None),
    };
    quote! {
        #private::Event {
            name: #name,
            to_server: #to_server,
            to_client: #to_client,
            fields: &[#(#fields),*],
            reply: #reply,
        }
    }
}

/// What people want to know of an event.
fn about(namespace: &Namespace, event: &Event) -> TokenStream {
    let private = private(&namespace.krate);
    // Where it stands, it gives the line of the variant.
    let line = quote_spanned!(event.ident.span()=> ::core::line!());
    let docs = event.docs_text();
    let [to_server, to_client] = [Side::Server, Side::Client].map(|side| {
        let sent = event.sent_to(side).map(|options| {
            let (delivery, timeout) = (class(namespace, options), timeout(namespace, options));
            quote!(#private::Sent { delivery: #delivery, timeout: #timeout })
        });
        optional(&private, sent)
    });
    let keys = (0_u32..)
        .zip(&event.fields)
        .filter_map(|(place, field)| field.key.and(Some(Literal::u32_unsuffixed(place))));
    quote! {
        #private::AboutEvent {
            line: #line,
            docs: #docs,
            to_server: #to_server,
            to_client: #to_client,
            keys: &[#(#keys),*],
        }
    }
}

/// A type as data, as an expression.
fn described(namespace: &Namespace, ty: &Type) -> TokenStream {
    let private = private(&namespace.krate);
    quote_spanned!(place(ty)=> #private::schema::Type::of::<#ty>())
}

fn optional(private: &TokenStream, value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(#private::Option::Some(#value)),
        None => quote!(#private::Option::None),
    }
}
