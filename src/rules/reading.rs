//! Reads TOML with its places kept: every value knows the bytes it came from, every wrong key and value of a file
//! is reported, not only the first. A table names its keys once, in `keys!`; reader and schema both follow from it.
//!
//! Plain `serde` would stop at the first error, and its `tag`, `untagged` and `flatten` lose the places.

use super::problem::{Problem, Problems, Source, did_you_mean};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::{borrow::Cow, collections::BTreeMap, ops::Deref, ops::Range, sync::Arc};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Where problems of one file go.
#[derive(Debug)]
pub(super) struct Reader<'p> {
    pub(super) source: Arc<Source>,
    pub(super) problems: &'p mut Problems,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.problem_with(span, message, None);
    }

    pub(super) fn problem_with(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.problems.add(Problem { source: self.source.clone(), span, message: message.into(), help });
    }

    /// Reads the whole file as one table of keys. `None` when anything in it is wrong.
    pub(super) fn file<T: Keys>(&mut self) -> Option<T> {
        let source = self.source.clone();
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            self.problem(span, error.message().to_owned());
        }
        let span = 0..0;
        let mut table = Table::new(root.get_ref(), span);
        let read = T::take(&mut table, self);
        table.finish(self);
        read.filter(|_| errors.is_empty())
    }
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
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

/// Something that can stand right of a `=`.
pub(super) trait Value: Sized {
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self>;

    /// What a missing key means; `None`: the key is compulsory.
    fn missing() -> Option<Self> {
        None
    }
}

/// A table with known keys.
pub(super) trait Keys: Sized {
    fn take(table: &mut Table<'_, '_>, reader: &mut Reader<'_>) -> Option<Self>;
}

/// One table while its keys are taken; what is left in the end is unknown.
#[derive(Debug)]
pub(super) struct Table<'t, 'i> {
    entries: &'t DeTable<'i>,
    span: Range<usize>,
    known: Vec<Cow<'static, str>>,
}

impl<'t, 'i> Table<'t, 'i> {
    pub(super) fn new(entries: &'t DeTable<'i>, span: Range<usize>) -> Self {
        Self { entries, span, known: Vec::new() }
    }

    pub(super) fn key<T: Value>(&mut self, field: &'static str, reader: &mut Reader<'_>) -> Option<T> {
        let key = kebab(field);
        let value = self.entries.get(&*key);
        let read = if let Some(value) = value {
            T::read(value, reader)
        } else {
            let missing = T::missing();
            if missing.is_none() {
                reader.problem(self.span.clone(), format!("the key `{key}` is missing here"));
            }
            missing
        };
        self.known.push(key);
        read
    }

    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for key in self.entries.keys() {
            let name = key.get_ref();
            if !self.known.iter().any(|known| known == name) {
                let help = did_you_mean(name, self.known.iter().map(|known| &**known)).unwrap_or_else(|| {
                    let known = self.known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>();
                    format!("known here: {}", known.join(", "))
                });
                reader.problem_with(key.span(), format!("unknown key `{name}`"), Some(help));
            }
        }
    }
}

fn kebab(field: &'static str) -> Cow<'static, str> {
    let field = field.strip_prefix("r#").unwrap_or(field);
    if field.contains('_') { field.replace('_', "-").into() } else { field.into() }
}

pub(super) fn wrong(value: &Spanned<DeValue<'_>>, wanted: &str, reader: &mut Reader<'_>) {
    let found = value.get_ref().type_str();
    reader.problem(value.span(), format!("expected {wanted}, found {found}"));
}

/// Defines a table: its struct, its reader and, by `JsonSchema`, its schema. `.. field: T` takes the keys of
/// another such table at the same level.
macro_rules! keys {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$doc:meta])* $field:ident: $ty:ty,)*
        $(.. $flat:ident: $flat_ty:ty,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, schemars::JsonSchema)]
        #[schemars(rename_all = "kebab-case", deny_unknown_fields)]
        pub(super) struct $name {
            $($(#[$doc])* pub(super) $field: $ty,)*
            $(#[schemars(flatten)] pub(super) $flat: $flat_ty,)?
        }

        impl $crate::rules::reading::Keys for $name {
            fn take(
                table: &mut $crate::rules::reading::Table<'_, '_>,
                reader: &mut $crate::rules::reading::Reader<'_>,
            ) -> Option<Self> {
                $(let $field = table.key(stringify!($field), reader);)*
                $(let $flat = $crate::rules::reading::Keys::take(table, reader);)?
                Some(Self { $($field: $field?,)* $($flat: $flat?,)? })
            }
        }

        impl $crate::rules::reading::Value for $name {
            fn read(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                reader: &mut $crate::rules::reading::Reader<'_>,
            ) -> Option<Self> {
                let Some(entries) = value.get_ref().as_table() else {
                    $crate::rules::reading::wrong(value, "a table", reader);
                    return None;
                };
                let mut table = $crate::rules::reading::Table::new(entries, value.span());
                let read = $crate::rules::reading::Keys::take(&mut table, reader);
                table.finish(reader);
                read
            }
        }
    };
}

/// Defines a closed list of words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
        pub(super) enum $name {
            $($(#[$doc])* #[schemars(rename = $word)] $variant,)*
        }

        impl $crate::rules::reading::Value for $name {
            fn read(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                reader: &mut $crate::rules::reading::Reader<'_>,
            ) -> Option<Self> {
                let word: String = $crate::rules::reading::Value::read(value, reader)?;
                match word.as_str() {
                    $($word => Some(Self::$variant),)*
                    _ => {
                        $crate::rules::reading::unknown_word(&word, &[$($word),*], value.span(), reader);
                        None
                    }
                }
            }
        }
    };
}

pub(super) use {keys, words};

/// Reports a word that is not in a closed list.
pub(super) fn unknown_word(word: &str, known: &[&str], span: Range<usize>, reader: &mut Reader<'_>) {
    let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    let help = did_you_mean(word, known.iter().copied()).unwrap_or_else(|| format!("possible here: {list}"));
    reader.problem_with(span, format!("`{word}` is not known here"), Some(help));
}

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
