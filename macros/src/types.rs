//! What the macro can see of a type, which is its tokens.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Error, GenericArgument, PathArguments, Type};

/// Refuses what cannot be stored, sent and repeated in the generated signatures.
pub(crate) fn check_owned(ty: &Type, own_name: &Ident) -> Result<(), Error> {
    match ty {
        Type::Reference(_) => Err(Error::new_spanned(
            ty,
            "the types of an event are owned, because it outlives the call that sends it: \
             write `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`",
        )),
        Type::Ptr(_) => Err(Error::new_spanned(
            ty,
            "a pointer cannot be sent: use an owned type",
        )),
        Type::ImplTrait(_) => Err(Error::new_spanned(
            ty,
            "both sides have to know the same type: name one instead of `impl`",
        )),
        Type::Infer(_) => Err(Error::new_spanned(
            ty,
            "both sides have to know the same type: write it out",
        )),
        Type::Array(array) => check_owned(&array.elem, own_name),
        Type::Group(group) => check_owned(&group.elem, own_name),
        Type::Paren(paren) => check_owned(&paren.elem, own_name),
        Type::Slice(slice) => check_owned(&slice.elem, own_name),
        Type::Tuple(tuple) => tuple
            .elems
            .iter()
            .try_for_each(|ty| check_owned(ty, own_name)),
        Type::Path(path) => {
            if path
                .path
                .segments
                .first()
                .is_some_and(|segment| segment.ident == "Self")
            {
                return Err(Error::new(
                    path.path.span(),
                    format!(
                        "write `{own_name}` instead of `Self`: the type is repeated in the \
                         generated traits, where `Self` is something else"
                    ),
                ));
            }
            path.path
                .segments
                .iter()
                .try_for_each(|segment| match &segment.arguments {
                    PathArguments::AngleBracketed(arguments) => {
                        arguments
                            .args
                            .iter()
                            .try_for_each(|argument| match argument {
                                GenericArgument::Type(ty) => check_owned(ty, own_name),
                                _ => Ok(()),
                            })
                    }
                    _ => Ok(()),
                })
        }
        _ => Ok(()),
    }
}

/// Whether the type is written as `String`, by one of its paths.
pub(crate) fn is_string(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_string(&group.elem),
        Type::Paren(paren) => is_string(&paren.elem),
        Type::Path(path) if path.qself.is_none() => {
            let segments: Vec<String> = path
                .path
                .segments
                .iter()
                .map(|segment| segment.to_token_stream().to_string())
                .collect();
            let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
            matches!(
                segments[..],
                ["String"] | ["std" | "alloc", "string", "String"]
            )
        }
        _ => false,
    }
}

/// The tokens of a type with one space after each, however it was written and laid out.
pub(crate) fn canonical(ty: &Type) -> String {
    fn write(tokens: TokenStream, text: &mut String) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("( ", ") "),
                        Delimiter::Brace => ("{ ", "} "),
                        Delimiter::Bracket => ("[ ", "] "),
                        // Only in the compiler's mind, around what a `macro_rules!` passed on.
                        Delimiter::None => ("", ""),
                    };
                    text.push_str(open);
                    write(group.stream(), text);
                    text.push_str(close);
                }
                token => {
                    text.push_str(&token.to_string());
                    text.push(' ');
                }
            }
        }
    }
    let mut text = String::new();
    write(ty.to_token_stream(), &mut text);
    text
}

/// Whether the identifier is used anywhere in these types.
pub(crate) fn mention<'a>(types: impl IntoIterator<Item = &'a Type>, name: &str) -> bool {
    fn find(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => find(group.stream(), name),
            TokenTree::Ident(ident) => ident == name,
            _ => false,
        })
    }
    types.into_iter().any(|ty| find(ty.to_token_stream(), name))
}

#[cfg(test)]
mod tests {
    use quote::format_ident;
    use syn::parse_quote;

    use super::*;

    fn fault(ty: &Type) -> Option<String> {
        check_owned(ty, &format_ident!("Chat"))
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn owned_types_pass() {
        for ty in [
            parse_quote!(String),
            parse_quote!(std::borrow::Cow<'static, str>),
            parse_quote!(Option<Vec<(u8, [u8; 4])>>),
            parse_quote!(Box<Chat>),
            parse_quote!(()),
        ] {
            assert_eq!(fault(&ty), None);
        }
    }

    #[test]
    fn borrowed_and_unnamed_types_are_refused_however_deep() {
        for (ty, expected) in [
            (parse_quote!(&'static str), "write `String` for `&str`"),
            (parse_quote!(Option<Vec<(u8, &str)>>), "are owned"),
            (parse_quote!(*const u8), "a pointer cannot be sent"),
            (
                parse_quote!(Vec<impl Display>),
                "name one instead of `impl`",
            ),
            (parse_quote!(Vec<_>), "write it out"),
            (parse_quote!(Box<Self>), "write `Chat` instead of `Self`"),
        ] {
            let fault = fault(&ty).unwrap_or_default();
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn strings_are_known_by_their_paths() {
        for ty in [
            parse_quote!(String),
            parse_quote!(std::string::String),
            parse_quote!(::alloc::string::String),
        ] {
            assert!(is_string(&ty));
        }
        for ty in [
            parse_quote!(Option<String>),
            parse_quote!(my::String),
            parse_quote!(str),
        ] {
            assert!(!is_string(&ty));
        }
    }
}
