//! From an event that has arrived to its handler: `Chat::server` and `Chat::client`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{doc, lints, local, place, private};
use crate::ast::{Event, Namespace, Side};
use crate::attr::SendOptions;

pub(crate) fn expand(namespace: &Namespace) -> TokenStream {
    let own_name = &namespace.ident;
    let sides = [Side::Server, Side::Client];
    let lints = lints(namespace);
    let routers = sides.map(|side| router(namespace, side));
    let constructors = sides.map(|side| constructor(namespace, side));
    // In a scope of their own, the routers are names that users never meet.
    quote! {
        const _: () = {
            #(#routers)*

            #lints
            impl #own_name {
                #(#constructors)*
            }
        };
    }
}

fn constructor(namespace: &Namespace, side: Side) -> TokenStream {
    let (krate, vis, own_name) = (&namespace.krate, &namespace.vis, &namespace.ident);
    let private = private(krate);
    let (handler_trait, router) = (side.handler(namespace), router_name(namespace, side));
    let handler = namespace.type_parameter("H");
    let (name, direction, who) = match side {
        Side::Server => ("server", "ToServer", "the server"),
        Side::Client => ("client", "ToClient", "a client"),
    };
    let (name, direction) = (format_ident!("{name}"), format_ident!("{direction}"));
    let docs = doc(format_args!(
        "The handlers of [`{own_name}`], ready to be served by {who}'s builder."
    ));
    let must_use = format!("give it to the builder: `.serve({own_name}::{name}(handler))`");
    quote_spanned! {place(own_name)=>
        #docs
        #[must_use = #must_use]
        #vis fn #name<#handler: #handler_trait>(handler: #handler) -> #krate::Routes<#krate::#direction> {
            #krate::Routes::new(
                <Self as #krate::Events>::NAMESPACE,
                #router { handler: #private::Arc::new(handler) },
            )
        }
    }
}

fn router(namespace: &Namespace, side: Side) -> TokenStream {
    let krate = &namespace.krate;
    let private = private(krate);
    let (handler_trait, name) = (side.handler(namespace), router_name(namespace, side));
    let handler = namespace.type_parameter("H");
    let (direction, from_ty) = match side {
        Side::Server => ("ToServer", "Peer"),
        Side::Client => ("ToClient", "Link"),
    };
    let (direction, from_ty) = (format_ident!("{direction}"), format_ident!("{from_ty}"));
    let names = Names {
        from: local("from"),
        event: local("event"),
    };
    let arms: Vec<TokenStream> = namespace
        .handled_by(side)
        .map(|(event, options)| arm(namespace, side, event, options, &names))
        .collect();
    let body = if arms.is_empty() {
        quote!(#private::Result::Err(#private::RouteError::Unsupported))
    } else {
        let event = &names.event;
        quote! {
            match #event.index {
                #(#arms)*
                _ => #private::Result::Err(#private::RouteError::Unsupported),
            }
        }
    };
    let Names { from, event } = if arms.is_empty() {
        Names {
            from: local("_from"),
            event: local("_event"),
        }
    } else {
        names
    };
    let lints = lints(namespace);
    quote! {
        #lints
        struct #name<#handler> {
            handler: #private::Arc<#handler>,
        }

        #[automatically_derived]
        #lints
        impl<#handler: #handler_trait> #private::Route<#krate::#direction> for #name<#handler> {
            fn route(
                &self,
                #from: &#krate::#from_ty,
                #event: &#private::Arrived,
            ) -> #private::Result<
                <#krate::#direction as #private::Direction>::Work,
                #private::RouteError,
            > {
                #body
            }
        }
    }
}

struct Names {
    from: Ident,
    event: Ident,
}

fn arm(
    namespace: &Namespace,
    side: Side,
    event: &Event,
    options: &SendOptions,
    names: &Names,
) -> TokenStream {
    let private = private(&namespace.krate);
    let (fields, handler, codec, answer) = (
        local("fields"),
        local("handler"),
        local("codec"),
        local("answer"),
    );
    let Names {
        from,
        event: arrived,
    } = names;
    let index = Literal::u32_unsuffixed(event.index);
    let (read, mutable) = (event.read(&fields), event.reader_mut());
    let (handler_trait, handler_ty) = (side.handler(namespace), namespace.type_parameter("H"));
    let method = &event.method;
    let params = event.fields.iter().map(|field| &field.param);
    // By its full path: a method of the same name on the user's own type is not meant.
    let handle = quote! {
        <#handler_ty as #handler_trait>::#method(&#handler, &#from #(, #params)*).await
    };
    let id = namespace.id(event);
    let (codec_of_event, work) = if options.is_call() {
        let encode = if options.error.is_some() {
            quote!(result)
        } else {
            quote!(reply)
        };
        let work = quote! {
            let #answer = #handle;
            #private::Option::Some(#private::#encode(#codec, #id, &#answer))
        };
        (Some(quote!(let #codec = #arrived.codec;)), work)
    } else {
        (None, quote!(#handle; #private::Option::None))
    };
    quote! {
        #index => {
            let #mutable #fields = #arrived.fields();
            #read
            #fields.finish(#arrived.exact)?;
            let #handler = #private::Arc::clone(&self.handler);
            let #from = ::core::clone::Clone::clone(#from);
            #codec_of_event
            #private::Result::Ok(#private::Box::pin(async move { #work }))
        }
    }
}

fn router_name(namespace: &Namespace, side: Side) -> Ident {
    match side {
        Side::Server => format_ident!("__{}ServerRouter", namespace.ident),
        Side::Client => format_ident!("__{}ClientRouter", namespace.ident),
    }
}
