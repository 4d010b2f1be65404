//! Whether a value, as JSON, is what a shape says.

use sente::schema::{Content, Field, Presence, Primitive, Shape, Tagging, Type};
use serde_json::Value;

/// Why it is not; `None` if it is.
pub(crate) fn misfit(ty: Type, value: &Value) -> Option<String> {
    let shape = ty.shape();
    let fits = match (shape, value) {
        (Shape::Primitive(primitive), value) => of_primitive(*primitive, value),
        (Shape::Option(_), Value::Null) => true,
        (Shape::Option(ty), value) => return misfit(*ty, value),
        (Shape::Sequence(ty), Value::Array(values)) => {
            return values.iter().find_map(|value| misfit(*ty, value));
        }
        (Shape::Array(ty, length), Value::Array(values)) if values.len() == *length => {
            return values.iter().find_map(|value| misfit(*ty, value));
        }
        (Shape::Map(_, ty), Value::Object(values)) => {
            return values.values().find_map(|value| misfit(*ty, value));
        }
        (Shape::Tuple(types), value) => return of_tuple(types, value),
        (Shape::Struct { fields, .. }, value) => return of_struct(fields, &[], value),
        (Shape::Opaque { .. }, _) => true,
        (
            Shape::Enum {
                tagging, variants, ..
            },
            value,
        ) => {
            let content = |content: &Content, value: Option<&Value>, beside: &[&str]| {
                match (content, value) {
                    (Content::Unit, None) => None,
                    (Content::Unit, Some(Value::Object(_))) if !beside.is_empty() => None,
                    (Content::Newtype(ty), Some(value)) if beside.is_empty() => misfit(*ty, value),
                    // Its tag is among its fields.
                    (Content::Newtype(_), Some(Value::Object(_))) => None,
                    (Content::Tuple(types), Some(value)) => of_tuple(types, value),
                    (Content::Struct(fields), Some(value)) => of_struct(fields, beside, value),
                    (content, value) => Some(format!("{value:?} is not {content:?}")),
                }
            };
            let named = |name: &Value| {
                variants
                    .iter()
                    .filter(|variant| !variant.untagged)
                    .find(|variant| *variant.name == *name)
            };
            let untagged = variants
                .iter()
                .filter(|variant| variant.untagged || *tagging == Tagging::Untagged)
                .any(|variant| content(&variant.content, Some(value), &[]).is_none());
            let tagged = match (tagging, value) {
                (Tagging::External, Value::String(_)) => {
                    named(value).map(|variant| content(&variant.content, None, &[]))
                }
                (Tagging::External, Value::Object(values)) if values.len() == 1 => {
                    let (name, value) = values.iter().next().expect("there is one");
                    named(&Value::from(name.as_str()))
                        .map(|variant| content(&variant.content, Some(value), &[]))
                }
                (Tagging::Internal(tag), Value::Object(values)) => {
                    let variant = values.get(*tag).and_then(named);
                    variant.map(|variant| content(&variant.content, Some(value), &[tag]))
                }
                (Tagging::Adjacent(tag, of), Value::Object(values)) => {
                    let variant = values.get(*tag).and_then(named);
                    variant.map(|variant| content(&variant.content, values.get(*of), &[]))
                }
                _ => None,
            };
            match tagged {
                Some(misfit) => return misfit,
                None => untagged,
            }
        }
        _ => false,
    };
    (!fits).then(|| format!("{value} is not {shape:?}"))
}

fn of_primitive(primitive: Primitive, value: &Value) -> bool {
    match primitive {
        Primitive::Bool => value.is_boolean(),
        Primitive::Char | Primitive::Str => value.is_string(),
        Primitive::Bytes => value.is_array(),
        Primitive::Unit | Primitive::UnitStruct => value.is_null(),
        Primitive::F32 | Primitive::F64 => value.is_f64(),
        _ => value.is_number(),
    }
}

fn of_tuple(types: &[Type], value: &Value) -> Option<String> {
    match value {
        Value::Array(values) if values.len() == types.len() => {
            let mut each = types.iter().zip(values);
            each.find_map(|(ty, value)| misfit(*ty, value))
        }
        _ => Some(format!("{value} is not a tuple of {types:?}")),
    }
}

/// `beside`: keys that are not those of fields.
fn of_struct(fields: &[Field], beside: &[&str], value: &Value) -> Option<String> {
    let Value::Object(values) = value else {
        return Some(format!("{value} is not a struct of {fields:?}"));
    };
    let flattens = fields
        .iter()
        .any(|field| field.presence == Presence::Flattened);
    let known = |key: &str| beside.contains(&key) || fields.iter().any(|field| field.name == key);
    if let Some(stranger) = values.keys().find(|key| !flattens && !known(key)) {
        return Some(format!("no field is called {stranger}: {fields:?}"));
    }
    fields
        .iter()
        .find_map(|field| match values.get(field.name) {
            Some(value) => misfit(field.ty, value),
            None if field.presence == Presence::Always => {
                Some(format!("{} is not in {value}", field.name))
            }
            None => None,
        })
}
