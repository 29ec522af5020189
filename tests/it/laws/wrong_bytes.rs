//! Small faults in the filters of a body, one at a time, in the words of both dialects.

use serde_json::{Value, json};

/// Every body that differs from this one by one small fault in a filter.
pub(super) fn faulty(body: &Value, ids: &[String]) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    walk(body, ids, &mut |what, changed| all.push((what, changed)));
    for list in ["segmentFilters", "evaluationFilters", "filter"] {
        if body.get(list).is_some() {
            let mut changed = body.clone();
            changed.as_object_mut().unwrap().shift_remove(list);
            all.push(("a filter is left out", changed));
        }
    }
    if body["query"].get("filter").is_some() {
        let mut changed = body.clone();
        changed["query"].as_object_mut().unwrap().shift_remove("filter");
        all.push(("a filter is left out", changed));
    }
    all
}

fn walk(value: &Value, ids: &[String], out: &mut dyn FnMut(&'static str, Value)) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                if items.len() > 1 && item.is_object() {
                    let mut fewer = items.clone();
                    fewer.remove(at);
                    out("a part is left out", Value::Array(fewer));
                }
                walk(item, ids, &mut |what, changed| {
                    let mut items = items.clone();
                    items[at] = changed;
                    out(what, Value::Array(items));
                });
            }
        }
        Value::Object(members) => {
            faults_of(members, ids, out);
            for (key, member) in members {
                walk(member, ids, &mut |what, changed| {
                    let mut members = members.clone();
                    members[key] = changed;
                    out(what, Value::Object(members));
                });
            }
        }
        _ => {}
    }
}

fn faults_of(members: &serde_json::Map<String, Value>, ids: &[String], out: &mut dyn FnMut(&'static str, Value)) {
    let mut put = |what, key: &str, value: Value| {
        let mut members = members.clone();
        members.insert(key.to_owned(), value);
        out(what, Value::Object(members));
    };
    if members.contains_key("predicates") || members.contains_key("clauses") {
        match members["type"].as_str() {
            Some("and") => put("`and` becomes `or`", "type", json!("or")),
            Some("AND") => put("`and` becomes `or`", "type", json!("OR")),
            Some("or") => put("`or` becomes `and`", "type", json!("and")),
            Some("OR") => put("`or` becomes `and`", "type", json!("AND")),
            _ => {}
        }
        if let Some(predicates) = members.get("predicates").and_then(Value::as_array) {
            for id in ids {
                let Some(like) =
                    predicates.iter().find(|one| one.get("value").is_some() || one.get("values").is_some())
                else {
                    continue;
                };
                let mut more = predicates.clone();
                let mut one = like.clone();
                if one.get("value").is_some() {
                    one["value"] = json!(id);
                } else {
                    one["values"] = json!([id]);
                }
                more.push(one);
                put("one value more", "predicates", json!(more));
            }
        }
        for part in ["predicates", "clauses"] {
            if members.get(part).is_some() && members.len() > 2 {
                put("a list is emptied", part, json!([]));
            }
        }
    }
    for id in ids {
        if members.get("value").is_some() {
            put("another value", "value", json!(id));
        }
        if members.get("values").is_some_and(|values| values.as_array().is_some_and(|values| !values.is_empty())) {
            put("another value", "values", json!([id]));
        }
    }
    for (key, twin) in [("queueId", "userId"), ("userId", "queueId"), ("queueId", "mediaType")] {
        if members.get("dimension").is_some_and(|dimension| dimension == key) {
            put("another dimension", "dimension", json!(twin));
        }
    }
    if let Some(operator) = members.get("operator").and_then(Value::as_str) {
        let other = match operator {
            "matches" => "exists",
            "exists" => "notExists",
            "notExists" => "exists",
            "EQUALS" => "NOT_EQUALS",
            "NOT_EQUALS" => "EQUALS",
            "IN" => "NOT_IN",
            "NOT_IN" => "IN",
            "NOT_EXISTS" => "EXISTS",
            "EXISTS" => "NOT_EXISTS",
            _ => return,
        };
        let mut changed = members.clone();
        changed.insert("operator".to_owned(), json!(other));
        if operator == "matches" {
            changed.shift_remove("value");
        }
        out("another operator", Value::Object(changed));
    }
}

/// What the upstream would take at all: no filter is empty.
pub(super) fn well_formed(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(well_formed),
        Value::Object(members) => {
            let parts = |name: &str| members.get(name).and_then(Value::as_array).map_or(0, Vec::len);
            let filter = members.contains_key("predicates") || members.contains_key("clauses");
            (!filter || parts("predicates") + parts("clauses") > 0) && members.values().all(well_formed)
        }
        _ => true,
    }
}
