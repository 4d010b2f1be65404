//! A namespace of events as data: what the rules check and the expansion reads.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Fields, ItemEnum, Lit, LitStr, Meta, Path, Type, Variant, Visibility};

use crate::attr::{Delivery, EventsOptions, FieldAttrs, SendOptions, VariantAttrs};
use crate::errors::Errors;
use crate::schema::Form;
use crate::{names, types};

/// An enum with `#[sente::events]`.
pub(crate) struct Namespace {
    /// The enum.
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// Its name on the wire.
    pub(crate) name: String,
    /// Where the crate `sente` is found.
    pub(crate) krate: Path,
    pub(crate) handshake: Option<Type>,
    pub(crate) events: Vec<Event>,
    /// How many variants the enum has: more than events where a mistake has left some out.
    pub(crate) variants: usize,
    /// Whether generated code has to name something deprecated.
    pub(crate) deprecated: bool,
}

/// A variant.
pub(crate) struct Event {
    pub(crate) ident: Ident,
    /// Its number on the wire: its place in the enum.
    pub(crate) index: u32,
    /// Its name on the wire, without the namespace.
    pub(crate) name: String,
    /// Where that name comes from.
    pub(crate) name_span: Span,
    /// The method that sends it, and the one that handles it.
    pub(crate) method: Ident,
    /// `#[doc]` attributes, as written.
    pub(crate) docs: Vec<Attribute>,
    pub(crate) deprecated: Option<Attribute>,
    pub(crate) shape: Shape,
    pub(crate) fields: Vec<Field>,
    pub(crate) to_server: Option<SendOptions>,
    pub(crate) to_client: Option<SendOptions>,
}

/// How a variant is written.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Shape {
    Unit,
    Tuple,
    Struct,
}

/// A field of a variant.
pub(crate) struct Field {
    /// Its parameter in the generated methods.
    pub(crate) param: Ident,
    /// Its name in the contract: for tuples, its place.
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// What is written, where the type does not say.
    pub(crate) form: Option<Form>,
    pub(crate) default: Option<Span>,
    pub(crate) key: Option<Span>,
}

/// Who takes part: the side that handles, which names the direction of what it handles.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl Namespace {
    /// Reads the enum and takes our attributes out of it.
    pub(crate) fn take(
        mut options: EventsOptions,
        item: &mut ItemEnum,
        errors: &mut Errors,
    ) -> Self {
        let name = match &options.namespace {
            Some(literal) => checked_name(literal, errors),
            None => default_name(&item.ident, "namespace = \"…\"", errors),
        };
        if let Some(handshake) = &mut options.handshake {
            check_type(handshake, &item.ident, errors);
        }
        let deprecated =
            |attrs: &[Attribute]| attrs.iter().any(|attr| attr.path().is_ident("deprecated"));
        let any_deprecated = deprecated(&item.attrs)
            || item.variants.iter().any(|variant| {
                deprecated(&variant.attrs)
                    || variant.fields.iter().any(|field| deprecated(&field.attrs))
            });
        let own_name = item.ident.clone();
        let events = (0..)
            .zip(&mut item.variants)
            .filter_map(|(index, variant)| Event::take(index, variant, &own_name, errors))
            .collect();
        Self {
            ident: item.ident.clone(),
            vis: item.vis.clone(),
            name,
            krate: options.krate.unwrap_or_else(|| syn::parse_quote!(::sente)),
            handshake: options.handshake,
            events,
            variants: item.variants.len(),
            deprecated: any_deprecated,
        }
    }

    /// The events that this side handles, each with the options of that direction.
    pub(crate) fn handled_by(&self, side: Side) -> impl Iterator<Item = (&Event, &SendOptions)> {
        self.events
            .iter()
            .filter_map(move |event| Some((event, event.sent_to(side)?)))
    }

    /// An event's full id, for instance `chat/post`.
    pub(crate) fn id(&self, event: &Event) -> String {
        format!("{}/{}", self.name, event.name)
    }

    /// A name for a type parameter that hides no type of the user's.
    pub(crate) fn type_parameter(&self, wanted: &str) -> Ident {
        let mut name = wanted.to_owned();
        while types::mention(self.types(), &name) || self.ident == name {
            name.push('_');
        }
        format_ident!("{name}")
    }

    fn types(&self) -> impl Iterator<Item = &Type> {
        self.events.iter().flat_map(|event| {
            let options = event.to_server.iter().chain(&event.to_client);
            let answers = options.flat_map(|options| options.reply.iter().chain(&options.error));
            event.fields.iter().map(|field| &field.ty).chain(answers)
        })
    }
}

impl Event {
    /// Reads a variant. `None` if no method can be made of it.
    fn take(
        index: u32,
        variant: &mut Variant,
        own_name: &Ident,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut attrs = VariantAttrs::take(&mut variant.attrs, errors);
        refuse_cfg(&mut variant.attrs, "an event", errors);
        if let Some((_, value)) = variant.discriminant.take() {
            errors.at(
                value,
                "events are known by name, not by number: remove the value \
                 (`#[event(name = \"…\")]` keeps a name when a variant is renamed)",
            );
        }
        for options in attrs.to_server.iter_mut().chain(&mut attrs.to_client) {
            for ty in options.reply.iter_mut().chain(&mut options.error) {
                check_type(ty, own_name, errors);
            }
        }
        let (name, name_span) = match &attrs.name {
            Some(literal) => (checked_name(literal, errors), literal.span()),
            None => (
                default_name(&variant.ident, "#[event(name = \"…\")]", errors),
                variant.ident.span(),
            ),
        };
        let snake = names::snake_case(&variant.ident.unraw().to_string());
        let method = names::method(&snake, variant.ident.span());
        if method.is_none() {
            let message = format!(
                "this event would be sent by a method `{snake}`, which Rust cannot name: rename \
                 the variant (`#[event(name = \"{name}\")]` keeps the name on the wire)"
            );
            errors.at(&variant.ident, message);
        }
        let (shape, fields) = read_fields(&mut variant.fields, own_name, errors);
        let with = |name: &str| {
            variant
                .attrs
                .iter()
                .filter(move |attr| attr.path().is_ident(name))
                .cloned()
                .collect::<Vec<_>>()
        };
        Some(Self {
            ident: variant.ident.clone(),
            index,
            name,
            name_span,
            method: method?,
            docs: with("doc"),
            deprecated: with("deprecated").pop(),
            shape,
            fields,
            to_server: attrs.to_server,
            to_client: attrs.to_client,
        })
    }

    /// How it is sent to this side; `None` if it is not.
    pub(crate) fn sent_to(&self, side: Side) -> Option<&SendOptions> {
        match side {
            Side::Server => self.to_server.as_ref(),
            Side::Client => self.to_client.as_ref(),
        }
    }

    /// The reply and the error of a call. Where both directions are calls, they have the same.
    pub(crate) fn answer(&self) -> Option<(&Type, Option<&Type>)> {
        [&self.to_server, &self.to_client]
            .into_iter()
            .flatten()
            .find_map(|options| Some((options.reply.as_ref()?, options.error.as_ref())))
    }

    /// The fields that tell events of `delivery = latest` apart.
    pub(crate) fn keys(&self, options: &SendOptions) -> impl Iterator<Item = &Field> {
        let latest = options.delivery() == Delivery::Latest;
        self.fields
            .iter()
            .filter(move |field| latest && field.key.is_some())
    }

    /// The comment on the variant as plain text.
    pub(crate) fn docs_text(&self) -> String {
        let lines = self.docs.iter().filter_map(|attr| match &attr.meta {
            Meta::NameValue(meta) => match &meta.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        let lines: Vec<String> = lines
            .map(|line| {
                line.strip_prefix(' ')
                    .unwrap_or(&line)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        lines.join("\n").trim().to_owned()
    }
}

impl SendOptions {
    /// Whether whoever sends it waits for an answer.
    pub(crate) const fn is_call(&self) -> bool {
        self.reply.is_some()
    }
}

fn read_fields(fields: &mut Fields, own_name: &Ident, errors: &mut Errors) -> (Shape, Vec<Field>) {
    let shape = match fields {
        Fields::Unit => Shape::Unit,
        Fields::Unnamed(_) => Shape::Tuple,
        Fields::Named(_) => Shape::Struct,
    };
    let single = fields.len() == 1;
    let fields = fields.iter_mut().enumerate().map(|(place, field)| {
        let attrs = FieldAttrs::take(&mut field.attrs, errors);
        refuse_cfg(&mut field.attrs, "a field", errors);
        check_type(&mut field.ty, own_name, errors);
        let (param, name) = match &field.ident {
            Some(ident) => (ident.clone(), ident.unraw().to_string()),
            None if single => (Ident::new("value", field.ty.span()), place.to_string()),
            None => (
                Ident::new(&format!("value{place}"), field.ty.span()),
                place.to_string(),
            ),
        };
        Field {
            param,
            name,
            ty: field.ty.clone(),
            form: attrs.form,
            default: attrs.default,
            key: attrs.key,
        }
    });
    (shape, fields.collect())
}

fn check_type(ty: &mut Type, own_name: &Ident, errors: &mut Errors) {
    if errors.keep(types::check_owned(ty, own_name)).is_none() {
        // The mistake has been told; a type that works keeps the compiler from telling it again.
        *ty = syn::parse_quote!(());
    }
}

fn checked_name(literal: &LitStr, errors: &mut Errors) -> String {
    let name = literal.value();
    if let Some(fault) = names::fault(&name) {
        errors.span(literal.span(), fault);
    }
    name
}

/// The name on the wire that an identifier gives.
fn default_name(ident: &Ident, option: &str, errors: &mut Errors) -> String {
    let name = names::snake_case(&ident.unraw().to_string());
    if let Some(fault) = names::fault(&name) {
        errors.at(
            ident,
            format!("{fault}; or give it another name on the wire with `{option}`"),
        );
    }
    name
}

/// The macro cannot know which variants a `cfg` leaves, and the other side may leave others.
fn refuse_cfg(attrs: &mut Vec<Attribute>, what: &str, errors: &mut Errors) {
    attrs.retain(|attr| {
        let is_cfg = attr.path().is_ident("cfg");
        if is_cfg {
            let message = format!(
                "{what} cannot depend on `cfg`: the contract has to be the same on both sides. \
                 Leave it in and handle it where it matters, or move it to an enum of its own"
            );
            errors.at(attr, message);
        }
        !is_cfg
    });
}
