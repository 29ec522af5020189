//! Whether two bodies say the same. The bytes themselves are canonical and tested elsewhere; tests of rules are about
//! meaning, so that nobody has to guess how the writer of a dialect nests.

use serde_json::{Map, Value};

/// Members in any order; filters up to nesting, order of predicates, and what may be left out; entries of filter
/// arrays in any order; everything else as written.
pub fn same(left: &Value, right: &Value) -> bool {
    normal(left) == normal(right)
}

fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) if is_filter(members) => filter(members),
        Value::Object(members) => {
            let read = |(name, value): (&String, &Value)| {
                let mut value = normal(value);
                if let (true, Value::Array(entries)) = (name.ends_with("Filters"), &mut value) {
                    entries.sort_by_key(ToString::to_string);
                }
                (name.clone(), value)
            };
            Value::Object(members.iter().map(read).collect())
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        other => other.clone(),
    }
}

fn is_filter(members: &Map<String, Value>) -> bool {
    members.contains_key("predicates") || members.contains_key("clauses")
}

/// `["and" | "or", parts...]` in order, without groups of one and groups in a group of the same type.
fn filter(members: &Map<String, Value>) -> Value {
    let kind = members.get("type").and_then(Value::as_str).unwrap_or("and").to_ascii_lowercase();
    let list = |key: &str| members.get(key).and_then(Value::as_array).into_iter().flatten();
    let mut parts = Vec::new();
    for part in list("predicates").map(predicate).chain(list("clauses").map(normal)) {
        match part {
            Value::Array(inner) if inner.first().and_then(Value::as_str) == Some(&kind) => {
                parts.extend(inner.into_iter().skip(1));
            }
            other => parts.push(other),
        }
    }
    parts.sort_by_key(ToString::to_string);
    parts.dedup();
    if parts.len() == 1 {
        return parts.remove(0);
    }
    parts.insert(0, kind.into());
    Value::Array(parts)
}

/// What may be left out is left out; one value among several is one predicate each in one dialect, a list in the other.
fn predicate(predicate: &Value) -> Value {
    let Value::Object(members) = predicate else {
        return predicate.clone();
    };
    let mut members = members.clone();
    if members.get("type").is_some_and(|kind| kind == "dimension") {
        members.shift_remove("type");
    }
    if members.get("operator").is_some_and(|operator| operator == "matches") {
        members.shift_remove("operator");
    }
    if let Some(Value::Array(values)) = members.get_mut("values") {
        values.sort_by_key(ToString::to_string);
        let one = values.len() == 1;
        if one && members.get("operator").is_some_and(|operator| operator == "IN") {
            members.insert("operator".to_owned(), "EQUALS".into());
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nesting_and_order_of_a_filter_do_not_count() {
        let flat = json!({ "filter": { "type": "or", "predicates": [
            { "dimension": "queueId", "value": "a" }, { "type": "dimension", "dimension": "queueId", "operator": "matches", "value": "b" },
        ] } });
        let nested = json!({ "filter": { "type": "and", "clauses": [{ "type": "OR", "predicates": [
            { "dimension": "queueId", "value": "b" }, { "dimension": "queueId", "value": "a" },
        ] }] } });
        assert!(same(&flat, &nested));
    }

    #[test]
    fn what_a_filter_says_counts() {
        let queue = |kind: &str, second: &str| {
            json!({ "filter": { "type": kind, "predicates": [
                { "dimension": "queueId", "value": "a" }, { "dimension": "queueId", "value": second },
            ] } })
        };
        assert!(!same(&queue("or", "b"), &queue("and", "b")));
        assert!(!same(&queue("or", "b"), &queue("or", "c")));
        assert!(!same(&json!({ "metrics": ["a", "b"] }), &json!({ "metrics": ["b", "a"] })));
    }

    #[test]
    fn one_value_is_equal_or_in_a_list_of_one() {
        let with = |operator: &str| json!({ "predicates": [{ "dimension": "queueId", "operator": operator, "values": ["a"] }] });
        assert!(same(&with("IN"), &with("EQUALS")));
        assert!(!same(&with("IN"), &with("NOT_EQUALS")));
    }
}
