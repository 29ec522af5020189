//! JSON: three readers agree about what one of ours takes.

use crate::{
    query::json::{Limits, Value, What, parse, parse_object},
    verify::fuzzed::{self, Tree},
};

/// Of what both readers take.
const DEPTH: usize = 48;

/// What the reader of bodies takes, `serde_json` reads as the same, it is written in one spelling only, and the second reader reads
/// that spelling as the same; and the second reader takes no other.
pub fn json(bytes: &[u8]) {
    let limits = Limits { depth: DEPTH, ..Limits::default() };
    let second = fuzzed::json(bytes);
    let value = match parse(bytes, &limits) {
        Ok(value) => value,
        Err(why) => {
            let reserved = matches!(why.what, What::ReservedKey(_));
            assert!(second.is_err() || reserved, "only the second reader takes it: {why}");
            return;
        }
    };
    #[expect(clippy::disallowed_methods, reason = "another reader to hold ours against")]
    let by_others: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    assert!(by_others.as_ref().is_some_and(|other| same(&value, other)), "{value:?} and {by_others:?}");
    let written = value.to_bytes();
    assert_eq!(parse(&written, &limits).as_ref(), Ok(&value), "written and read again");
    assert_eq!(parse_object(bytes, &limits).is_ok(), value.as_object().is_some());
    assert_eq!(fuzzed::json(&written), Ok(of(&value)));
    if second.is_ok() {
        assert_eq!(written, bytes, "the second reader takes another spelling");
    }
}

fn of(value: &Value) -> Tree {
    match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(*value),
        Value::Number(number) => Tree::Number(number.to_string()),
        Value::Text(text) => Tree::Text(text.to_string()),
        Value::Array(items) => Tree::Array(items.iter().map(of).collect()),
        Value::Object(members) => {
            Tree::Object(members.iter().map(|(name, value)| (name.to_string(), of(value))).collect())
        }
    }
}

fn same(ours: &Value, other: &serde_json::Value) -> bool {
    use serde_json::Value as Other;
    match (ours, other) {
        (Value::Null, Other::Null) => true,
        (Value::Bool(one), Other::Bool(other)) => one == other,
        // ours keep their text: as a double they are what others make of them, who may round the last digit otherwise
        (Value::Number(text), Other::Number(number)) => {
            let read = text.parse::<f64>().ok().zip(number.as_f64());
            read.is_some_and(|(one, other)| (one - other).abs() <= one.abs() * 1e-15)
        }
        (Value::Text(one), Other::String(other)) => **one == **other,
        (Value::Array(ours), Other::Array(others)) => {
            ours.len() == others.len() && ours.iter().zip(others).all(|(one, other)| same(one, other))
        }
        (Value::Object(ours), Other::Object(others)) => {
            let named = |((name, one), (other_name, other)): (&(Box<str>, Value), (&String, &Other))| {
                **name == **other_name && same(one, other)
            };
            ours.len() == others.len() && ours.iter().zip(others).all(named)
        }
        _ => false,
    }
}
