//! What a generic type asks of its parameters, found as serde finds it.

use proc_macro2::Ident;
use syn::{GenericArgument, Generics, Path, PathArguments, ReturnType, Type, parse_quote};

use crate::types;

/// The generics with a bound for each parameter, and each type that belongs to one, that is used in
/// these types.
pub(super) fn with_bounds(generics: &Generics, types: &[&Type], krate: &Path) -> Generics {
    let mut generics = generics.clone();
    let params: Vec<Ident> = generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    if params.is_empty() {
        return generics;
    }
    let mut used = Used {
        params: &params,
        found: Vec::new(),
    };
    for ty in types {
        used.visit(ty);
    }
    let found = used.found;
    let clause = generics.make_where_clause();
    for ty in found {
        clause.predicates.push(parse_quote!(#ty: #krate::Schema));
    }
    generics
}

struct Used<'a> {
    params: &'a [Ident],
    found: Vec<Type>,
}

impl Used<'_> {
    fn visit(&mut self, ty: &Type) {
        match ty {
            Type::Array(ty) => self.visit(&ty.elem),
            Type::Group(ty) => self.visit(&ty.elem),
            Type::Paren(ty) => self.visit(&ty.elem),
            Type::Reference(ty) => self.visit(&ty.elem),
            Type::Slice(ty) => self.visit(&ty.elem),
            Type::Tuple(ty) => ty.elems.iter().for_each(|ty| self.visit(ty)),
            Type::Path(path) => {
                let segments = &path.path.segments;
                // It is described whatever it stands for.
                if segments
                    .last()
                    .is_some_and(|last| last.ident == "PhantomData")
                {
                    return;
                }
                let of_param = segments
                    .first()
                    .is_some_and(|first| self.params.contains(&first.ident));
                // `T`, `T::Item`, or `<T as Iterator>::Item`.
                let own = path.qself.is_none() && path.path.leading_colon.is_none() && of_param;
                if own
                    || path
                        .qself
                        .as_ref()
                        .is_some_and(|qself| self.mentions(&qself.ty))
                {
                    let same = |known: &Type| types::canonical(known) == types::canonical(ty);
                    if !self.found.iter().any(same) {
                        self.found.push(ty.clone());
                    }
                    return;
                }
                for segment in segments {
                    self.visit_arguments(&segment.arguments);
                }
            }
            _ => {}
        }
    }

    fn visit_arguments(&mut self, arguments: &PathArguments) {
        match arguments {
            PathArguments::None => {}
            PathArguments::AngleBracketed(arguments) => {
                for argument in &arguments.args {
                    match argument {
                        GenericArgument::Type(ty) => self.visit(ty),
                        GenericArgument::AssocType(ty) => self.visit(&ty.ty),
                        _ => {}
                    }
                }
            }
            PathArguments::Parenthesized(arguments) => {
                arguments
                    .inputs
                    .iter()
                    .for_each(|argument| self.visit(&argument.ty));
                if let ReturnType::Type(_, ty) = &arguments.output {
                    self.visit(ty);
                }
            }
        }
    }

    fn mentions(&self, ty: &Type) -> bool {
        self.params
            .iter()
            .any(|param| types::mention([ty], &param.to_string()))
    }
}
