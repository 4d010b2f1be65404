//! The trait of each side's handlers.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{at, doc, lints, place, private};
use crate::ast::{Event, Namespace, Side};
use crate::attr::SendOptions;

pub(crate) fn expand(namespace: &Namespace, side: Side) -> TokenStream {
    let (krate, vis, name) = (&namespace.krate, &namespace.vis, side.handler(namespace));
    let private = private(krate);
    let bounds = match side {
        Side::Server => quote!(#private::Send + #private::Sync + 'static),
        Side::Client => quote!(#private::MaybeSend + #private::MaybeSync + 'static),
    };
    let own_name = &namespace.ident;
    let lints = lints(namespace);
    let (who, method) = match side {
        Side::Server => ("clients send", "server"),
        Side::Client => ("the server sends", "client"),
    };
    let what = doc(format_args!(
        "Handles the events of [`{own_name}`] that {who}."
    ));
    let how = doc(format_args!(
        "Implement each method as an `async fn`, and give the handler to the builder with \
         `.serve({own_name}::{method}(handler))`."
    ));
    let message = format!("`{{Self}}` does not handle the events of `{own_name}` that {who}");
    let note = format!("implement `{name}` for it");
    let methods = namespace
        .handled_by(side)
        .map(|(event, options)| self::method(namespace, side, event, options));
    // Nothing to handle: nobody should have to write a handler for that.
    let nobody = namespace.handled_by(side).next().is_none().then(|| {
        quote! {
            #[automatically_derived]
            impl #name for () {}
        }
    });
    quote_spanned! {place(own_name)=>
        #what
        #[doc = ""]
        #how
        #lints
        #[diagnostic::on_unimplemented(message = #message, note = #note)]
        #vis trait #name: #bounds {
            #(#methods)*
        }
        #nobody
    }
}

fn method(namespace: &Namespace, side: Side, event: &Event, options: &SendOptions) -> TokenStream {
    // All of it at the variant's place: there errors point that a handler's signature causes.
    let (place, method) = (place(&event.ident), &event.method);
    let krate = at(place, &namespace.krate);
    let private = quote_spanned!(place=> #krate::__private);
    let docs = docs(namespace, event);
    let (sender, sender_ty, send) = match side {
        Side::Server => (unused(event, &["from", "peer", "sender"]), "Peer", "Send"),
        Side::Client => (
            unused(event, &["link", "server", "sender"]),
            "Link",
            "MaybeSend",
        ),
    };
    let (sender_ty, send) = (Ident::new(sender_ty, place), Ident::new(send, place));
    let params = event.fields.iter().map(|field| {
        let (param, ty) = (&field.param, &field.ty);
        quote!(#param: #ty)
    });
    let output = match (&options.reply, &options.error) {
        (Some(reply), Some(error)) => quote_spanned!(place=> #private::Result<#reply, #error>),
        (Some(reply), None) => quote!(#reply),
        (None, _) => quote_spanned!(place=> ()),
    };
    quote_spanned! {place=>
        #docs
        fn #method(&self, #sender: &#krate::#sender_ty, #(#params),*)
            -> impl #private::Future<Output = #output> + #private::#send;
    }
}

fn docs(namespace: &Namespace, event: &Event) -> TokenStream {
    if event.docs.is_empty() {
        return doc(format_args!("Handles `{}`.", namespace.id(event)));
    }
    event.docs.iter().map(|attr| quote!(#attr)).collect()
}

/// The first of these names that no field has: who reads the signature should see two names.
fn unused(event: &Event, wanted: &[&str]) -> Ident {
    let taken = |name: &str| event.fields.iter().any(|field| field.name == name);
    let free = wanted
        .iter()
        .find(|name| !taken(name))
        .map(|name| (*name).to_owned());
    let name = free.unwrap_or_else(|| {
        let mut name = String::from("sender_");
        while taken(&name) {
            name.push('_');
        }
        name
    });
    format_ident!("{name}")
}
