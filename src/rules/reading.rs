//! Reads TOML with its places kept: every value knows the bytes it came from, every wrong key and value of a file
//! is reported, not only the first. A table names its keys once, in `keys!`; reader and schema both follow from it.
//!
//! Plain `serde` would stop at the first error, and its `tag`, `untagged` and `flatten` lose the places.

use super::problem::{Problem, Problems, Source, did_you_mean};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::{borrow::Cow, ops::Deref, ops::Range, sync::Arc};
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
            self.problem_with(span, error.message().to_owned(), Some("write valid TOML here".to_owned()));
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
                let what =
                    if name.is_empty() { "a key here is empty".to_owned() } else { format!("unknown key `{name}`") };
                reader.problem_with(key.span(), what, Some(help));
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

/// Defines a closed list of words; `=> Type` names the type of the model with the same variants.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident => $model:ident { $($rest:tt)* }) => {
        words! { $(#[$meta])* $name { $($rest)* } }
        words! { @into $name $model { $($rest)* } }
    };
    (@into $name:ident $model:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        impl From<$name> for $model {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant,)* }
            }
        }
    };
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
