//! One struct for each kind of receiver, with a method for each event that it may be sent.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::{at, doc, lints, local, place, private};
use crate::ast::{Event, Field, Namespace, Side};
use crate::attr::{Delivery, SendOptions};
use crate::types;

pub(crate) fn expand(namespace: &Namespace) -> TokenStream {
    let mut tokens = constructors(namespace);
    for side in [Side::Server, Side::Client] {
        tokens.extend(sender(namespace, side));
    }
    tokens.extend(push_sender(namespace));
    tokens
}

/// `Chat::to_server`, `Chat::to_client` and `Chat::to_clients`.
fn constructors(namespace: &Namespace) -> TokenStream {
    let (vis, own_name) = (&namespace.vis, &namespace.ident);
    let krate = at(place(own_name), &namespace.krate);
    let lints = lints(namespace);
    let private = quote!(#krate::__private);
    let (to_server, to_client) = (
        Side::Server.sender(namespace),
        Side::Client.sender(namespace),
    );
    let (to_clients, targets) = (push_name(namespace), namespace.type_parameter("T"));
    let server_docs = doc(format_args!(
        "Sends events of [`{own_name}`] to the server: from a client, or from the \
         [`Link`]({}::Link) that a client's handler gets.",
        path_text(namespace),
    ));
    let client_docs = doc(format_args!(
        "Sends events of [`{own_name}`] to one client, which may be asked for replies: a \
         [`Peer`]({}::Peer), or another target that is a single session.",
        path_text(namespace),
    ));
    let clients_docs = doc(format_args!(
        "Sends events of [`{own_name}`] to many clients: a user, a room, everyone. Nobody \
         answers."
    ));
    quote_spanned! {place(own_name)=>
        #lints
        impl #own_name {
            #server_docs
            #[must_use = "this only chooses the receiver: call the method of an event"]
            #vis fn to_server(link: &impl #krate::AsLink) -> #to_server {
                #to_server {
                    port: #private::Arc::clone(#krate::AsLink::as_link(link).port()),
                }
            }

            #client_docs
            #[must_use = "this only chooses the receiver: call the method of an event"]
            #vis fn to_client(peer: impl #krate::One) -> #to_client {
                #to_client { port: #krate::One::port(peer) }
            }

            #clients_docs
            #[must_use = "this only chooses the receivers: call the method of an event"]
            #vis fn to_clients<#targets: #krate::Targets>(targets: #targets) -> #to_clients<#targets> {
                #to_clients { targets }
            }
        }
    }
}

/// `ChatToServer` or `ChatToClient`: one receiver, who may be asked for replies.
fn sender(namespace: &Namespace, side: Side) -> TokenStream {
    let (vis, own_name, name) = (&namespace.vis, &namespace.ident, side.sender(namespace));
    let lints = lints(namespace);
    let private = private(&namespace.krate);
    let (receiver, constructor, port) = match side {
        Side::Server => (
            "the server",
            "to_server",
            quote!(#private::Arc<#private::Port>),
        ),
        Side::Client => (
            "one client",
            "to_client",
            // The client may be gone; what is sent to it then says so.
            quote!(#private::Option<#private::Arc<#private::Port>>),
        ),
    };
    let docs = doc(format_args!(
        "The events of [`{own_name}`] that go to {receiver}, as methods. \
         [`{own_name}::{constructor}`] makes it."
    ));
    let methods = namespace
        .handled_by(side)
        .map(|(event, options)| method(namespace, side, event, options));
    quote_spanned! {place(own_name)=>
        #docs
        #lints
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #name {
            port: #port,
        }

        #lints
        impl #name {
            #(#methods)*
        }
    }
}

fn method(namespace: &Namespace, side: Side, event: &Event, options: &SendOptions) -> TokenStream {
    let (krate, vis, method) = (&namespace.krate, &namespace.vis, &event.method);
    let private = private(krate);
    let (docs, params, into) = (
        docs(namespace, event, options),
        params(namespace, event),
        into(namespace, event),
    );
    let port = match side {
        Side::Server => quote!(#private::Option::Some(&self.port)),
        Side::Client => quote!(self.port.as_ref()),
    };
    let outline = outline(namespace, event, options);
    let write = write(namespace, event.fields.iter());
    let (output, send) = match &options.reply {
        Some(reply) => {
            let error = options.error.iter();
            let prepare = if options.error.is_some() {
                quote!(call)
            } else {
                quote!(ask)
            };
            let timeout = timeout(namespace, options);
            (
                quote!(#krate::Call<#reply #(, #error)*>),
                quote!(#private::#prepare(#port, #outline, #timeout, #write)),
            )
        }
        None => {
            let key = write_key(namespace, event, options);
            (
                quote!(#private::Result<(), #krate::SendError>),
                quote!(#private::send(#port, #outline, #key, #write)),
            )
        }
    };
    quote_spanned! {place(&event.ident)=>
        #docs
        #vis fn #method(&self, #params) -> #output {
            #into
            #send
        }
    }
}

/// `ChatToClients`: many receivers, who are not asked.
fn push_sender(namespace: &Namespace) -> TokenStream {
    let (krate, vis, own_name) = (&namespace.krate, &namespace.vis, &namespace.ident);
    let lints = lints(namespace);
    let (name, targets) = (push_name(namespace), namespace.type_parameter("T"));
    let docs = doc(format_args!(
        "The events of [`{own_name}`] that can go to many clients, as methods. \
         [`{own_name}::to_clients`] makes it."
    ));
    let methods = namespace
        .handled_by(Side::Client)
        .filter(|(_, options)| !options.is_call())
        .map(|(event, options)| push_method(namespace, event, options));
    quote_spanned! {place(own_name)=>
        #docs
        #lints
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #name<#targets> {
            targets: #targets,
        }

        #lints
        impl<#targets: #krate::Targets> #name<#targets> {
            #(#methods)*
        }
    }
}

fn push_method(namespace: &Namespace, event: &Event, options: &SendOptions) -> TokenStream {
    let (vis, method) = (&namespace.vis, &event.method);
    let private = private(&namespace.krate);
    let docs = sender_docs(namespace, event);
    let deprecated = &event.deprecated;
    let (params, into) = (params(namespace, event), into(namespace, event));
    let outline = outline(namespace, event, options);
    let key = write_key(namespace, event, options);
    let write = write(namespace, event.fields.iter());
    quote_spanned! {place(&event.ident)=>
        #docs
        #[doc = ""]
        #[doc = " Returns for how many sessions on this server it was queued."]
        #deprecated
        #vis fn #method(&self, #params) -> usize {
            #into
            #private::push(&self.targets, #outline, #key, #write)
        }
    }
}

fn push_name(namespace: &Namespace) -> Ident {
    format_ident!("{}ToClients", namespace.ident)
}

fn docs(namespace: &Namespace, event: &Event, options: &SendOptions) -> TokenStream {
    let mut docs = sender_docs(namespace, event);
    if !options.is_call() && !event.docs_text().contains("# Errors") {
        docs.extend(quote! {
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = " If it was not accepted for sending."]
        });
    }
    docs.extend(event.deprecated.to_token_stream());
    docs
}

fn sender_docs(namespace: &Namespace, event: &Event) -> TokenStream {
    if event.docs.is_empty() {
        return doc(format_args!("Sends `{}`.", namespace.id(event)));
    }
    event.docs.iter().map(ToTokens::to_token_stream).collect()
}

fn params(namespace: &Namespace, event: &Event) -> TokenStream {
    let private = private(&namespace.krate);
    event
        .fields
        .iter()
        .map(|field| {
            let (param, ty) = (&field.param, &field.ty);
            if types::is_string(ty) {
                quote!(#param: impl #private::Into<#ty>,)
            } else {
                quote!(#param: #ty,)
            }
        })
        .collect()
}

/// Statements that turn what a `String` parameter took into a `String`.
fn into(namespace: &Namespace, event: &Event) -> TokenStream {
    let private = private(&namespace.krate);
    event
        .fields
        .iter()
        .filter(|field| types::is_string(&field.ty))
        .map(|Field { param, ty, .. }| quote!(let #param: #ty = #private::Into::into(#param);))
        .collect()
}

fn outline(namespace: &Namespace, event: &Event, options: &SendOptions) -> TokenStream {
    let (krate, own_name) = (&namespace.krate, &namespace.ident);
    let private = private(krate);
    let index = proc_macro2::Literal::u32_unsuffixed(event.index);
    let delivery = class(namespace, options);
    quote! {
        &#private::Outline {
            namespace: <#own_name as #krate::Events>::NAMESPACE,
            index: #index,
            delivery: #delivery,
        }
    }
}

/// How an event is delivered, as a value.
pub(super) fn class(namespace: &Namespace, options: &SendOptions) -> TokenStream {
    let private = private(&namespace.krate);
    let delivery = match options.delivery() {
        Delivery::Reliable => quote!(Reliable),
        Delivery::Volatile => quote!(Volatile),
        Delivery::Latest => quote!(Latest),
    };
    quote!(#private::Delivery::#delivery)
}

/// How long a caller waits, as an expression: `None` for the default.
pub(super) fn timeout(namespace: &Namespace, options: &SendOptions) -> TokenStream {
    let private = private(&namespace.krate);
    let Some((timeout, _)) = &options.timeout else {
        return quote!(#private::Option::None);
    };
    let seconds = proc_macro2::Literal::u64_unsuffixed(timeout.as_secs());
    let nanos = grouped(timeout.subsec_nanos());
    quote!(#private::Option::Some(#private::Duration::new(#seconds, #nanos)))
}

/// A number as people write it, which is also how clippy wants it in a user's crate.
fn grouped(number: u32) -> syn::LitInt {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    syn::LitInt::new(&text, proc_macro2::Span::call_site())
}

fn write_key(namespace: &Namespace, event: &Event, options: &SendOptions) -> TokenStream {
    write(namespace, event.keys(options))
}

/// A closure that writes these fields.
fn write<'a>(namespace: &Namespace, fields: impl Iterator<Item = &'a Field>) -> TokenStream {
    let private = private(&namespace.krate);
    let writer = local("fields");
    match &writes(&writer, fields, false)[..] {
        [] => quote!(|_| #private::Result::Ok(())),
        [only] => quote!(|#writer| #only),
        [first @ .., last] => quote!(|#writer| { #(#first?;)* #last }),
    }
}

/// An expression for each field that writes it, from the variable of its parameter's name, or through
/// the reference that this is.
///
/// Its place is the field's type, whoever writes the field: so the compiler tells a mistake once.
pub(super) fn writes<'a>(
    writer: &Ident,
    fields: impl Iterator<Item = &'a Field>,
    is_reference: bool,
) -> Vec<TokenStream> {
    let write = |Field { param, ty, .. }: &Field| {
        let place = place(ty);
        let value = if is_reference {
            quote_spanned!(place=> &*#param)
        } else {
            quote_spanned!(place=> &#param)
        };
        quote_spanned!(place=> #writer.field(#value))
    };
    fields.map(write).collect()
}

/// The path of the crate for links in comments.
fn path_text(namespace: &Namespace) -> String {
    namespace
        .krate
        .to_token_stream()
        .to_string()
        .replace(' ', "")
}
