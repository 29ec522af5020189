//! Conditions as text with bound values. Nothing of a request ever becomes text.

use rusqlite::types::Value;
use std::fmt::Write as _;

/// A piece of SQL and the values of its `?`, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

/// From so many values on, a list is bound as one JSON array.
const LONG_LIST: usize = 32;

impl Sql {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    pub(super) fn always() -> Self {
        Self::text("1")
    }

    pub(super) fn never() -> Self {
        Self::text("0")
    }

    pub(super) fn with(text: impl Into<String>, values: Vec<Value>) -> Self {
        Self { text: text.into(), values }
    }

    /// `expression IN (values)`.
    pub(super) fn one_of(expression: &str, values: &[String]) -> Self {
        match values {
            [] => Self::never(),
            [one] => Self::with(format!("{expression} = ?"), vec![Value::Text(one.clone())]),
            many if many.len() < LONG_LIST => {
                let marks = vec!["?"; many.len()].join(",");
                Self::with(format!("{expression} IN ({marks})"), many.iter().cloned().map(Value::Text).collect())
            }
            many => {
                let list = serde_json::Value::from(many.to_vec()).to_string();
                Self::with(format!("{expression} IN (SELECT value FROM json_each(?))"), vec![Value::Text(list)])
            }
        }
    }

    pub(super) fn all(parts: Vec<Self>) -> Self {
        Self::join(parts, " AND ").unwrap_or_else(Self::always)
    }

    pub(super) fn any(parts: Vec<Self>) -> Self {
        Self::join(parts, " OR ").unwrap_or_else(Self::never)
    }

    /// Joined as a balanced tree: the store bounds the depth of an expression.
    fn join(mut parts: Vec<Self>, word: &str) -> Option<Self> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let right = Self::join(parts.split_off(parts.len().div_ceil(2)), word);
        let left = Self::join(parts, word);
        match (left, right) {
            (Some(left), Some(right)) => {
                let mut joined = Self::text("(");
                joined.push(&left);
                joined.text.push_str(word);
                joined.push(&right);
                joined.text.push(')');
                Some(joined)
            }
            (one, other) => one.or(other),
        }
    }

    /// Puts the text of `prefix` and `suffix` around.
    pub(super) fn around(mut self, prefix: &str, suffix: &str) -> Self {
        self.text = format!("{prefix}{}{suffix}", self.text);
        self
    }

    /// Appends a piece, values and all.
    pub(super) fn push(&mut self, piece: &Self) {
        self.text.push_str(&piece.text);
        self.values.extend(piece.values.iter().cloned());
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn push_number(&mut self, number: i64) {
        // Writing to a string cannot fail.
        let _ignored = write!(self.text, "{number}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_unions_stay_shallow() {
        let parts = (0..5_000).map(|n| Sql::with("x = ?", vec![Value::Integer(n)])).collect();
        let joined = Sql::any(parts);
        let mut depth = 0;
        let mut deepest = 0;
        for letter in joined.text.chars() {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        assert!(deepest < 20, "{deepest}");
        assert_eq!(joined.values.len(), 5_000);
        assert_eq!(joined.values[4_999], Value::Integer(4_999));
    }

    #[test]
    fn empty_joins_mean_what_they_should() {
        assert_eq!(Sql::all(Vec::new()), Sql::always());
        assert_eq!(Sql::any(Vec::new()), Sql::never());
        assert_eq!(Sql::one_of("x", &[]), Sql::never());
    }
}
