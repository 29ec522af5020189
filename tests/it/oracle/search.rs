//! What an index of documents answers to a search, document by document: the meaning of the query language in plain lines.

use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// Documents have `_id` and fields of one value each, or none.
pub(crate) fn answer(body: &Value, documents: &[Value]) -> Value {
    let found: Vec<&Value> =
        documents.iter().filter(|one| body.get("query").is_none_or(|query| holds(query, one))).collect();
    let mut page = found.clone();
    for one in body["sort"].as_array().into_iter().flatten().rev() {
        let (field, way) = match one {
            Value::String(field) => (field.as_str(), "asc"),
            one => {
                let (field, way) = one.as_object().unwrap().iter().next().unwrap();
                (field.as_str(), way.as_str().unwrap_or_else(|| way["order"].as_str().unwrap()))
            }
        };
        page.sort_by(|one, other| in_order(&one[field], &other[field], way == "desc"));
    }
    let number = |key: &str, default: u64| body.get(key).map_or(default, |value| value.as_u64().unwrap()) as usize;
    let hits: Vec<Value> =
        page.into_iter().skip(number("from", 0)).take(number("size", 10)).map(|one| hit(body, one)).collect();
    let mut answer = json!({ "took": 1, "timed_out": false, "hits": { "hits": hits } });
    if body["track_total_hits"] != json!(false) {
        answer["hits"]["total"] = json!({ "value": found.len(), "relation": "eq" });
    }
    if let Some(asked) = body.get("aggs").or_else(|| body.get("aggregations")) {
        answer["aggregations"] = aggregations(asked, &found);
    }
    answer
}

fn hit(body: &Value, document: &Value) -> Value {
    let asked = body["_source"].as_array();
    let mut source = Map::new();
    for (name, value) in document.as_object().unwrap().iter().filter(|(name, _)| *name != "_id") {
        if asked.is_none_or(|asked| asked.iter().any(|one| one == name)) {
            source.insert(name.clone(), value.clone());
        }
    }
    json!({ "_index": "contacts-legs", "_id": document["_id"], "_score": 1.0, "_source": source })
}

/// Documents without a value come last, whatever the order.
fn in_order(one: &Value, other: &Value, descending: bool) -> Ordering {
    match (one.is_null(), other.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => compare(other, one),
        (false, false) => compare(one, other),
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => one.as_f64().unwrap().partial_cmp(&other.as_f64().unwrap()).unwrap(),
    }
}

/// Whether a document satisfies a query.
pub(crate) fn holds(query: &Value, document: &Value) -> bool {
    let (kind, inner) = query.as_object().unwrap().iter().next().unwrap();
    let member = || inner.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "match_all" => true,
        "exists" => document.get(inner["field"].as_str().unwrap()).is_some(),
        "term" => {
            let (field, value) = member();
            document.get(field) == Some(value.get("value").unwrap_or(value))
        }
        "terms" => {
            let (field, values) = member();
            document.get(field).is_some_and(|value| values.as_array().unwrap().contains(value))
        }
        "range" => {
            let (field, bounds) = member();
            let Some(value) = document.get(field) else { return false };
            bounds.as_object().unwrap().iter().all(|(bound, to)| {
                let way = compare(value, to);
                match bound.as_str() {
                    "gt" => way == Ordering::Greater,
                    "gte" => way != Ordering::Less,
                    "lt" => way == Ordering::Less,
                    "lte" => way != Ordering::Greater,
                    other => panic!("no bound: {other}"),
                }
            })
        }
        "bool" => {
            let clauses = |key: &str| match inner.get(key) {
                None => vec![],
                Some(Value::Array(clauses)) => clauses.clone(),
                Some(one) => vec![one.clone()],
            };
            let required = [clauses("must"), clauses("filter")].concat();
            let should = clauses("should");
            let least = match inner.get("minimum_should_match") {
                Some(least) => least.as_u64().unwrap() as usize,
                None => usize::from(required.is_empty() && !should.is_empty()),
            };
            required.iter().all(|one| holds(one, document))
                && !clauses("must_not").iter().any(|one| holds(one, document))
                && should.iter().filter(|one| holds(one, document)).count() >= least
        }
        other => panic!("no such query: {other}"),
    }
}

fn aggregations(asked: &Value, documents: &[&Value]) -> Value {
    let of = |(name, one): (&String, &Value)| (name.clone(), aggregation(one, documents));
    Value::Object(asked.as_object().unwrap().iter().map(of).collect())
}

fn aggregation(asked: &Value, documents: &[&Value]) -> Value {
    let members = asked.as_object().unwrap();
    let (kind, spec) = members.iter().find(|(name, _)| !name.starts_with("agg")).unwrap();
    let inner = asked.get("aggs").or_else(|| asked.get("aggregations"));
    let field = spec["field"].as_str().unwrap();
    let there: Vec<&&Value> = documents.iter().filter(|one| one.get(field).is_some()).collect();
    let numbers = || there.iter().map(|one| one[field].as_f64().unwrap());
    let value = match kind.as_str() {
        "value_count" => json!(there.len()),
        "sum" => json!(numbers().sum::<f64>()),
        "avg" if !there.is_empty() => json!(numbers().sum::<f64>() / there.len() as f64),
        "min" if !there.is_empty() => json!(numbers().fold(f64::MAX, f64::min)),
        "max" if !there.is_empty() => json!(numbers().fold(f64::MIN, f64::max)),
        "avg" | "min" | "max" => Value::Null,
        "terms" | "date_histogram" => return buckets(spec, (kind == "terms", field), inner, &there),
        other => panic!("no such aggregation: {other}"),
    };
    json!({ "value": value })
}

fn buckets(spec: &Value, (terms, field): (bool, &str), inner: Option<&Value>, documents: &[&&Value]) -> Value {
    let key = |one: &Value| {
        let text = one[field].as_str().unwrap();
        // spans are days, or hours
        let length = if terms {
            text.len()
        } else if spec["calendar_interval"] == json!("day") {
            10
        } else {
            13
        };
        text[..length].to_owned()
    };
    let mut keys: Vec<String> = documents.iter().map(|one| key(one)).collect();
    keys.sort();
    keys.dedup();
    let within = |wanted: &String| documents.iter().filter(|one| key(one) == *wanted).map(|one| **one).collect();
    let mut made: Vec<(String, Vec<&Value>)> = keys.into_iter().map(|key| (key.clone(), within(&key))).collect();
    made.retain(|(_, inside)| inside.len() as u64 >= spec["min_doc_count"].as_u64().unwrap());
    if terms {
        match (spec["order"]["_key"].as_str(), spec["order"]["_count"].as_str()) {
            (Some("desc"), _) => made.reverse(),
            (Some(_), _) => {}
            (_, Some("asc")) => made.sort_by_key(|(_, inside)| inside.len()),
            _ => made.sort_by_key(|(_, inside)| std::cmp::Reverse(inside.len())),
        }
        made.truncate(spec["size"].as_u64().unwrap_or(10) as usize);
    }
    let written = made.into_iter().map(|(key, inside)| {
        let mut bucket = json!({ "key": key, "doc_count": inside.len() });
        if let Some(inner) = inner {
            bucket.as_object_mut().unwrap().extend(aggregations(inner, &inside).as_object().unwrap().clone());
        }
        bucket
    });
    json!({ "doc_count_error_upper_bound": 0, "sum_other_doc_count": 7, "buckets": written.collect::<Vec<_>>() })
}
