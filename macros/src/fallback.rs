//! What is left when an enum has a mistake: as much as keeps the one mistake one error.
//!
//! Without it, every use of the enum, of its traits and of its functions would be an error of its
//! own, and the one to read would be somewhere among them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::ast::Namespace;
use crate::errors::Errors;
use crate::{expand, valid};

/// The item, what can be generated all the same, and the errors.
pub(crate) fn expand(
    item: &impl ToTokens,
    namespace: Option<Namespace>,
    errors: Errors,
) -> TokenStream {
    let mut tokens = quote!(#[allow(dead_code)] #item);
    if let Some(mut namespace) = namespace {
        // Two methods of one name would be errors again.
        let clashing: Vec<u32> = valid::method_clashes(&namespace)
            .iter()
            .map(|(event, _)| event.index)
            .collect();
        namespace
            .events
            .retain(|event| !clashing.contains(&event.index));
        tokens.extend(expand::items(&namespace));
    }
    tokens.extend(errors.into_tokens());
    tokens
}
