//! Field by field: the allow-list of an answer, and masks.

use super::GuardPlan;
use crate::{model::answer::Keep, query::json::Value};
use std::collections::BTreeSet;

/// What a masked string looks like.
const MASKED: &str = "***";

/// Drops every field that no level of the allow-list names.
pub(super) fn keep(keep: &Keep, answer: Value) -> Value {
    prune(keep, answer, "", std::convert::identity)
}

/// The same where nobody judged what the fields hold: no object passes that no level lists.
pub(super) fn keep_listed(keep: &Keep, answer: Value) -> Value {
    prune(keep, answer, "", bare)
}

fn prune(keep: &Keep, value: Value, level: &str, unlisted: fn(Value) -> Value) -> Value {
    let Some(listed) = keep.levels.get(level) else {
        return unlisted(value);
    };
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(name, _)| listed.contains(name))
                .map(|(name, value)| {
                    let below = if level.is_empty() { name.to_string() } else { format!("{level}.{name}") };
                    let value = prune(keep, value, &below, unlisted);
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| prune(keep, item, level, unlisted)).collect()),
        // Where an object or a list is due, a bare value could say anything.
        _ => Value::Null,
    }
}

/// A value, or a list of values; an object could say anything, and a link to another host goes round this guard.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(_) => Value::Null,
        Value::Text(text) if leads_away(&text) => Value::Null,
        Value::Array(items) => Value::Array(items.into_iter().map(bare).collect()),
        value => value,
    }
}

/// `https://...`, `//host/...` and their like, however they are spelt.
fn leads_away(text: &str) -> bool {
    let text = text.trim_start().replace('\\', "/");
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let named = scheme.is_some_and(|scheme| scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)));
    text.starts_with("//") || named
}

/// Masks the fields of one object, but those whose class is lifted here.
pub(super) fn mask(plan: &GuardPlan, value: &mut Value, lifted: &BTreeSet<&str>) {
    let Value::Object(members) = value else {
        return;
    };
    for (name, value) in members {
        let class = plan.operation.answer.mask.get(name);
        if class.is_some_and(|class| !lifted.contains(&**class)) && !value.is_null() {
            *value = Value::text(MASKED);
        }
    }
}

pub(super) fn remove(value: &mut Value, path: &[Box<str>]) {
    let Some((last, above)) = path.split_last() else {
        return;
    };
    if let Some(holder) = value.at_mut(above) {
        holder.remove(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::json::{self, Limits};
    use std::collections::BTreeMap;

    #[test]
    fn nothing_passes_below_a_field_that_no_level_lists() {
        let level = |fields: &[&str]| fields.iter().map(|field| (*field).into()).collect();
        let levels = BTreeMap::from([("".into(), level(&["a", "b", "c"])), ("c".into(), level(&["d"]))]);
        let list = Keep { levels };
        let answer =
            br#"{"a":1,"b":{"x":1},"c":[{"d":"t","e":2},3,{"d":[{"f":1},"u",["https://elsewhere.example/x"]]}],"z":0}"#;
        let answer = || json::parse_object(answer, &Limits::default()).unwrap();
        let text = |value: Value| String::from_utf8(value.to_bytes()).unwrap();
        let due = r#"{"a":1,"b":null,"c":[{"d":"t"},null,{"d":[null,"u",[null]]}]}"#;
        assert_eq!(text(keep_listed(&list, answer())), due);
        assert!(text(keep(&list, answer())).contains(r#""b":{"x":1}"#));
    }

    #[test]
    fn links_to_other_hosts_are_known_in_every_spelling() {
        for away in ["https://a", " HTTP://a", "//a/b", "\\\\a\\b", "wss://a", "https:\\\\a", "x-y.z+1://a"] {
            assert!(leads_away(away), "{away}");
        }
        for here in ["/api/v2/x?next=2", "a text: see http", "", "a sentence with https://a in it", "12:30"] {
            assert!(!leads_away(here), "{here}");
        }
    }
}
