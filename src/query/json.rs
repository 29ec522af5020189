//! The strict JSON reader of client and upstream bodies.
//!
//! Refused: duplicate keys (also after unescaping, or differing by case only), reserved keys, trailing data,
//! a byte order mark, invalid UTF-8, lone surrogates, NUL in keys, depth and size over the limit. Numbers are
//! kept exactly as written; strings are decoded and written again in one canonical spelling.

/// A parsed value. Order of members is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    /// The number's own text.
    Number(Box<str>),
    Text(Box<str>),
    Array(Vec<Value>),
    Object(Vec<(Box<str>, Value)>),
}
