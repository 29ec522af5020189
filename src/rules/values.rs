//! What can stand right of a `=`: plain values, lists, tables of names, instants, JSON.

use super::reading::{At, Reader, Value, wrong};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::{borrow::Cow, collections::BTreeMap, ops::Range};
use toml::{Spanned, de::DeValue};

impl Value for String {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            wrong(value, "a text in quotes", reader);
        }
        text.map(str::to_owned)
    }
}

impl Value for bool {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            wrong(value, "`true` or `false`", reader);
        }
        found
    }
}

impl Value for i64 {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let found = value.get_ref().as_integer().filter(|found| found.radix() == 10);
        let found = found.and_then(|found| found.as_str().parse().ok());
        if found.is_none() {
            wrong(value, "a whole number", reader);
        }
        found
    }
}

impl Value for usize {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let found = i64::read(value, reader)?;
        let size = Self::try_from(found).ok().filter(|size| *size > 0);
        if size.is_none() {
            reader.problem(value.span(), format!("`{found}` is too small: at least 1 is possible here"));
        }
        size
    }
}

impl<T: Value> Value for At<T> {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { value: T::read(value, reader)?, span: value.span() })
    }
}

impl<T: Value> Value for Option<T> {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(Some)
    }
    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(items) = value.get_ref().as_array() else {
            wrong(value, "a list", reader);
            return None;
        };
        // Every item is read, so that the problems of all of them are seen.
        let read: Vec<_> = items.iter().map(|item| T::read(item, reader)).collect();
        read.into_iter().collect()
    }
    fn missing() -> Option<Self> {
        Some(Self::new())
    }
}

/// A table whose keys are names that the file chooses.
impl<T: Value> Value for BTreeMap<Name, T> {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(entries) = value.get_ref().as_table() else {
            wrong(value, "a table", reader);
            return None;
        };
        let read: Vec<_> = entries
            .iter()
            .map(|(key, value)| {
                let name = Name { text: key.get_ref().as_ref().into(), start: key.span().start };
                T::read(value, reader).map(|read| (name, read))
            })
            .collect();
        read.into_iter().collect()
    }
    fn missing() -> Option<Self> {
        Some(Self::new())
    }
}

/// A key that the file chooses, with its place. Compared by its text alone.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) text: Box<str>,
    pub(super) start: usize,
}

impl Name {
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Name {}
impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl<T: Value> Value for OneOrMany<T> {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        if value.get_ref().as_array().is_some() {
            Vec::read(value, reader).map(Self::Many)
        } else {
            T::read(value, reader).map(Self::One)
        }
    }
}

/// An instant: a TOML date-time with an offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant(pub(super) jiff::Timestamp);

impl Value for Instant {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let instant = value.get_ref().as_datetime().and_then(|at| at.to_string().parse().ok());
        if instant.is_none() {
            wrong(value, "an instant with offset such as 2026-11-20T10:00:00Z", reader);
        }
        instant.map(Self)
    }
}

impl JsonSchema for Instant {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Any JSON value, written as TOML.
#[derive(Debug, Clone)]
pub(super) struct Json(pub(super) serde_json::Value);

impl Value for Json {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        let json = match value.get_ref() {
            DeValue::String(text) => text.as_ref().into(),
            DeValue::Boolean(truth) => (*truth).into(),
            DeValue::Integer(_) => i64::read(value, reader)?.into(),
            DeValue::Float(number) => {
                let number = number.as_str().parse::<f64>().ok();
                let number = number.and_then(serde_json::Number::from_f64);
                if number.is_none() {
                    wrong(value, "a number that JSON can write", reader);
                }
                serde_json::Value::Number(number?)
            }
            DeValue::Datetime(_) => {
                wrong(value, "a JSON value (write an instant as a text in quotes)", reader);
                return None;
            }
            DeValue::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| Self::read(item, reader)).collect();
                items.into_iter().map(|item| item.map(|item| item.0)).collect::<Option<_>>()?
            }
            DeValue::Table(entries) => {
                let mut object = serde_json::Map::new();
                for (key, value) in entries {
                    object.insert(key.get_ref().as_ref().to_owned(), Self::read(value, reader)?.0);
                }
                serde_json::Value::Object(object)
            }
        };
        Some(Self(json))
    }
}

impl JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!(true)
    }
}

/// Something that may be broken without hiding the problems of its neighbours.
#[derive(Debug, Clone)]
pub(super) struct Maybe<T>(pub(super) Option<T>);

impl<T: Value> Value for Maybe<T> {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(T::read(value, reader)))
    }
}

impl<T: JsonSchema> JsonSchema for Maybe<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

impl<T: Value> Value for Box<T> {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(Self::new)
    }
}
