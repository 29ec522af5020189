//! The strict JSON reader of client and upstream bodies.
//!
//! Refused: duplicate keys (also after unescaping, or differing by case only), reserved keys, trailing data,
//! a byte order mark, invalid UTF-8, lone surrogates, NUL in keys, depth and size over the limit, numbers that
//! no double can hold. Numbers are kept exactly as written; strings are decoded and written again in one
//! canonical spelling. It never guesses, repairs or drops: a text is read whole or refused with its place.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{JsonError, Limits, What, parse, parse_object};
pub use write::{write, write_text};

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

impl Value {
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::Text(text.into())
    }

    pub fn int(number: i64) -> Self {
        Self::Number(number.to_string().into())
    }

    pub fn array(items: impl IntoIterator<Item = Value>) -> Self {
        Self::Array(items.into_iter().collect())
    }

    /// The caller names each key once.
    pub fn object<K: Into<Box<str>>>(members: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// A whole number as it was written: `1.0` and `1e2` are none.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Number(text) = self { text.parse().ok() } else { None }
    }

    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Number(text) = self { text.parse().ok() } else { None }
    }

    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    pub fn as_object(&self) -> Option<&[(Box<str>, Value)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    pub fn as_object_mut(&mut self) -> Option<&mut Vec<(Box<str>, Value)>> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The member with exactly this key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.as_object_mut()?.iter_mut().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// The value at a definite path of keys; the empty path is the value itself.
    pub fn at<K: AsRef<str>>(&self, path: &[K]) -> Option<&Value> {
        path.iter().try_fold(self, |here, key| here.get(key.as_ref()))
    }

    pub fn at_mut<K: AsRef<str>>(&mut self, path: &[K]) -> Option<&mut Value> {
        path.iter().try_fold(self, |here, key| here.get_mut(key.as_ref()))
    }

    /// Replaces the member in its place, or appends it. `false` when this is no object.
    pub fn set(&mut self, key: &str, value: Value) -> bool {
        let Some(members) = self.as_object_mut() else {
            return false;
        };
        match members.iter_mut().find(|(name, _)| &**name == key) {
            Some((_, old)) => *old = value,
            None => members.push((key.into(), value)),
        }
        true
    }

    /// Sets the value at a definite path and makes the objects that are missing on the way.
    /// `false`, and nothing changed, when something on the way is no object.
    pub fn set_at<K: AsRef<str>>(&mut self, path: &[K], value: Value) -> bool {
        let Some((first, rest)) = path.split_first() else {
            *self = value;
            return true;
        };
        if rest.is_empty() {
            return self.set(first.as_ref(), value);
        }
        if let Some(next) = self.get_mut(first.as_ref()) {
            return next.set_at(rest, value);
        }
        let mut made = Self::Object(Vec::new());
        made.set_at(rest, value) && self.set(first.as_ref(), made)
    }

    /// Takes the member out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let members = self.as_object_mut()?;
        let place = members.iter().position(|(name, _)| &**name == key)?;
        Some(members.remove(place).1)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write(self, &mut out);
        out
    }
}
