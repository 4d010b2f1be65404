//! What users write: serde's attributes, as far as they are of interest, and ours.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Path, Token, Type, token};

use crate::errors::Errors;
use crate::expand::{at, private};

/// Serde's attributes on types that can be described, or change nothing that is written.
pub(super) const CONTAINER: &[&str] = &[
    "bound",
    "content",
    "crate",
    "default",
    "deny_unknown_fields",
    "expecting",
    "from",
    "into",
    "non_exhaustive",
    "rename",
    "rename_all",
    "rename_all_fields",
    "tag",
    "transparent",
    "try_from",
    "untagged",
];

/// The same on variants.
pub(super) const VARIANT: &[&str] = &[
    "alias",
    "borrow",
    "bound",
    "deserialize_with",
    "other",
    "rename",
    "rename_all",
    "serialize_with",
    "skip",
    "skip_deserializing",
    "skip_serializing",
    "untagged",
    "with",
];

/// The same on fields.
pub(super) const FIELD: &[&str] = &[
    "alias",
    "borrow",
    "bound",
    "default",
    "deserialize_with",
    "flatten",
    "rename",
    "serialize_with",
    "skip",
    "skip_deserializing",
    "skip_serializing",
    "skip_serializing_if",
    "with",
];

/// What `#[serde(…)]` says of one item of a program.
pub(super) struct Serde(Vec<Item>);

/// One of its attributes.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) span: Span,
    /// `name = "text"`
    pub(super) text: Option<LitStr>,
    /// `name(serialize = "one", deserialize = "other")`
    pub(super) split: Option<(Option<LitStr>, Option<LitStr>)>,
}

impl Serde {
    /// Reads all of them. What serde would not understand either is left to serde to say.
    pub(super) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut items = Vec::new();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            let read = attr.parse_nested_meta(|meta| {
                items.push(Item::read(&meta)?);
                Ok(())
            });
            errors.keep(read);
        }
        Self(items)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Item> {
        self.0.iter().find(|item| item.name == name)
    }

    /// Those of other names than these.
    pub(super) fn unknown(&self, known: &[&str]) -> impl Iterator<Item = &Item> {
        self.0
            .iter()
            .filter(|item| !known.contains(&item.name.as_str()))
    }
}

impl Item {
    fn read(meta: &ParseNestedMeta<'_>) -> syn::Result<Self> {
        let name = meta.path.require_ident()?.unraw().to_string();
        let mut item = Self {
            name,
            span: meta.path.span(),
            text: None,
            split: None,
        };
        if meta.input.peek(Token![=]) {
            item.text = text(meta)?;
        } else if meta.input.peek(token::Paren) {
            let (mut serialize, mut deserialize) = (None, None);
            meta.parse_nested_meta(|meta| {
                let value = text(&meta)?;
                if meta.path.is_ident("serialize") {
                    serialize = value;
                } else {
                    deserialize = value;
                }
                Ok(())
            })?;
            item.split = Some((serialize, deserialize));
        }
        Ok(item)
    }
}

/// What stands behind the `=`, if it is a text.
fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<LitStr>> {
    let mut value: Expr = meta.value()?.parse()?;
    // Around what a `macro_rules!` passed on.
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    Ok(match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    })
}

/// `#[schema(…)]` on a type.
#[derive(Default)]
pub(crate) struct Container {
    pub(super) krate: Option<Path>,
    pub(super) form: Option<Form>,
    pub(super) self_describing: Option<Span>,
}

/// A form that is told and not found out.
pub(crate) enum Form {
    /// `opaque = "name/1"`
    Opaque { name: LitStr, self_describing: bool },
    /// `as = "Type"`
    As(TokenStream),
}

impl Container {
    pub(super) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("schema")) {
            let read = attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("crate") {
                    found.krate = Some(path(&meta)?);
                    return Ok(());
                }
                if meta.path.is_ident("self_describing") {
                    found.self_describing = Some(meta.path.span());
                    return Ok(());
                }
                found.form = Some(Form::read(&meta, "`crate`, `self_describing`")?);
                Ok(())
            });
            errors.keep(read);
        }
        if let (
            Some(Form::Opaque {
                self_describing, ..
            }),
            Some(_),
        ) = (&mut found.form, found.self_describing)
        {
            *self_describing = true;
        }
        found
    }
}

impl Form {
    /// Reads `#[schema(…)]` on a field or variant, and says which it was.
    pub(crate) fn of(attr: &Attribute, errors: &mut Errors) -> Option<Self> {
        let (mut form, mut describing) = (None, None);
        let read = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("self_describing") {
                describing = Some(meta.path.span());
                return Ok(());
            }
            form = Some(Self::read(&meta, "`self_describing`")?);
            Ok(())
        });
        errors.keep(read)?;
        match (&mut form, describing) {
            (
                Some(Self::Opaque {
                    self_describing, ..
                }),
                Some(_),
            ) => *self_describing = true,
            (_, Some(span)) => errors.span(
                span,
                "here `self_describing` belongs to an `opaque` form; it may also go on the type",
            ),
            (None, None) => errors.at(attr, "say which form: `#[schema(opaque = \"name/1\")]`"),
            (Some(_), None) => {}
        }
        form
    }

    /// The first on a field or variant.
    pub(super) fn find(attrs: &[Attribute], errors: &mut Errors) -> Option<Self> {
        let mut ours = attrs.iter().filter(|attr| attr.path().is_ident("schema"));
        let form = Self::of(ours.next()?, errors);
        if let Some(second) = ours.next() {
            errors.at(second, "`#[schema(…)]` was given before");
        }
        form
    }

    fn read(meta: &ParseNestedMeta<'_>, others: &str) -> syn::Result<Self> {
        let name = meta.path.require_ident().map(IdentExt::unraw)?;
        if name == "opaque" {
            let name: LitStr = meta.value()?.parse()?;
            return if name.value().is_empty() {
                Err(syn::Error::new(
                    name.span(),
                    "a form needs a name, with a number to count up when it changes: `money/1`",
                ))
            } else {
                Ok(Self::Opaque {
                    name,
                    self_describing: false,
                })
            };
        }
        if name == "as" {
            let literal: LitStr = meta.value()?.parse()?;
            let ty: Type = literal.parse()?;
            return Ok(Self::As(at(literal.span(), ty)));
        }
        Err(meta.error(format!(
            "unknown option `{name}`, expected one of: `opaque`, `as`, {others}"
        )))
    }

    /// Its shape, as an expression.
    pub(super) fn shape(&self, krate: &Path) -> TokenStream {
        let private = private(krate);
        match self {
            Self::Opaque {
                name,
                self_describing,
            } => quote! {
                #private::schema::Shape::Opaque { name: #name, self_describing: #self_describing }
            },
            Self::As(..) => {
                let ty = self.ty(krate);
                quote!(#private::schema::Shape::Same(#ty))
            }
        }
    }

    /// A type of this form, as an expression.
    pub(crate) fn ty(&self, krate: &Path) -> TokenStream {
        let private = private(krate);
        match self {
            Self::Opaque { .. } => {
                let shape = self.shape(krate);
                quote!(#private::schema::Type::new(|| &#shape))
            }
            Self::As(ty) => quote!(#private::schema::Type::of::<#ty>()),
        }
    }
}

/// A path, or a text with one.
fn path(meta: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    let input = meta.value()?;
    if input.peek(LitStr) {
        input.parse::<LitStr>()?.parse_with(Path::parse_mod_style)
    } else {
        input.call(Path::parse_mod_style)
    }
}
