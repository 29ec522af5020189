//! Field by field: the allow-list of an answer, and masks.

use super::GuardPlan;
use crate::{model::answer::Keep, query::json::Value};
use std::collections::BTreeSet;

/// What a masked string looks like.
const MASKED: &str = "***";

/// Drops every field that no level of the allow-list names.
pub(super) fn keep(keep: &Keep, answer: Value) -> Value {
    prune(keep, answer, ("", ""), |_, value| value)
}

/// The same of an object of one level.
pub(super) fn keep_below(keep: &Keep, level: &str, row: Value) -> Value {
    prune(keep, row, (level, ""), |_, value| value)
}

/// The same where nobody judged what the fields hold: no object passes that no level lists, and no link that leads away.
pub(super) fn keep_listed(keep: &Keep, answer: Value) -> Value {
    prune(keep, answer, ("", ""), bare)
}

/// `level` and the `name` of the field that holds the value.
fn prune(keep: &Keep, value: Value, (level, name): (&str, &str), unlisted: fn(&str, Value) -> Value) -> Value {
    let Some(listed) = keep.levels.get(level) else {
        return unlisted(name, value);
    };
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(name, _)| listed.contains(name))
                .map(|(name, value)| {
                    let below = if level.is_empty() { name.to_string() } else { format!("{level}.{name}") };
                    let value = prune(keep, value, (&below, &name), unlisted);
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| prune(keep, item, (level, name), unlisted)).collect())
        }
        // Where an object or a list is due, a bare value could say anything.
        _ => Value::Null,
    }
}

/// A value, or a list of values; an object could say anything, and a link to another host goes round this guard.
fn bare(name: &str, value: Value) -> Value {
    match value {
        Value::Object(_) => Value::Null,
        Value::Text(text) if is_link(name) && !stays_here(&text) => Value::Null,
        Value::Array(items) => Value::Array(items.into_iter().map(|item| bare(name, item)).collect()),
        value => value,
    }
}

/// Whether clients follow what such a field holds. Other texts may speak of links as they like.
fn is_link(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix('s').unwrap_or(&name);
    ["uri", "url", "href", "link"].iter().any(|word| name.ends_with(word))
}

/// A path of this API: one slash first, and nothing that any client could read as a host or a scheme.
fn stays_here(link: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    link.starts_with('/') && !link.starts_with("//") && link.bytes().all(plain)
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
        let answer = br#"{"a":1,"b":{"x":1},"c":[{"d":"t","e":2},3,{"d":[{"f":1},"u",["v"]]}],"z":0}"#;
        let answer = || json::parse_object(answer, &Limits::default()).unwrap();
        let text = |value: Value| String::from_utf8(value.to_bytes()).unwrap();
        let due = r#"{"a":1,"b":null,"c":[{"d":"t"},null,{"d":[null,"u",["v"]]}]}"#;
        assert_eq!(text(keep_listed(&list, answer())), due);
        assert!(text(keep(&list, answer())).contains(r#""b":{"x":1}"#));
    }

    #[test]
    fn a_field_of_links_holds_nothing_but_paths_of_this_api() {
        for name in ["nextUri", "selfUri", "pageUrl", "URL", "links", "hrefs"] {
            assert!(is_link(name), "{name}");
        }
        for name in ["description", "name", "curl_of_hair", "linkage"] {
            assert!(!is_link(name), "{name}");
        }
        for away in [
            "https://a",
            " HTTP://a",
            "//a/b",
            "\\\\a\\b",
            "wss://a",
            "https:x",
            "java\tscript:x",
            "/\t/a",
            "/\\a",
            "data:,x",
            "/a b",
            "",
            "a",
            "/\u{e9}",
        ] {
            assert!(!stays_here(away), "{away:?}");
        }
        for here in ["/api/v2/x?next=2", "/", "/a//b"] {
            assert!(stays_here(here), "{here}");
        }
    }

    #[test]
    fn a_text_that_speaks_of_a_link_is_left_as_it_is() {
        let levels = BTreeMap::from([("".into(), ["description", "nextUri"].map(Into::into).into())]);
        let answer = br#"{"description":"https://wiki.example/page","nextUri":"https:x"}"#;
        let answer = json::parse_object(answer, &Limits::default()).unwrap();
        let kept = String::from_utf8(keep_listed(&Keep { levels }, answer).to_bytes()).unwrap();
        assert_eq!(kept, r#"{"description":"https://wiki.example/page","nextUri":null}"#);
    }
}
