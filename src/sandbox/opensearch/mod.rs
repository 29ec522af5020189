//! `POST /contacts-legs/_search`: the legs once more, as documents of an OpenSearch index, one for each leg.
//!
//! Names of fields are case-sensitive, queries negate, `should` is optional beside `must` and `filter`.

mod buckets;
mod clauses;

use super::{condition::Lens, interval::show, problem::Problem, sql::Sql, store::Store};
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value, json};

pub(super) const PATH: &str = "/contacts-legs/_search";
const INDEX: &str = "contacts-legs";
/// What OpenSearch gives to whoever says nothing.
const SIZE: i64 = 10;
/// The furthest place that a page may reach.
const WINDOW: i64 = 10_000;

/// Field, expression, whether it holds an instant.
const FIELDS: [(&str, &str, bool); 9] = [
    ("conversationId", "c.id", false),
    ("direction", "l.direction", false),
    ("divisionId", "l.division", false),
    ("endTime", "l.end", true),
    ("handleTime", "l.handle", false),
    ("mediaType", "l.media", false),
    ("queueId", "l.queue", false),
    ("startTime", "l.start", true),
    ("userId", "l.agent", false),
];

/// The expression of a field, and whether it holds an instant.
fn field(name: &str) -> Option<(&'static str, bool)> {
    FIELDS.iter().find(|(known, ..)| *known == name).map(|(_, expression, time)| (*expression, *time))
}

/// The legs behind one query.
struct Index<'s> {
    store: &'s Store,
    lens: Lens,
}

impl Index<'_> {
    /// `what` of the documents that meet a condition.
    fn select(&self, what: &str, condition: &Sql, rest: &str) -> Sql {
        let legs = self.lens.legs;
        let before = format!("SELECT {what} FROM {legs} l JOIN conversations c ON c.n = l.conversation WHERE ");
        condition.clone().around(&before, rest)
    }
}

pub(super) fn search(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    const KNOWN: [&str; 8] = ["_source", "aggregations", "aggs", "from", "query", "size", "sort", "track_total_hits"];
    let members = body.as_object().into_iter().flatten();
    if let Some((name, _)) = members.into_iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(Problem::bad(format!("unknown key [{name}]")));
    }
    let index = Index { store, lens };
    let asked = body.get("query").map_or_else(|| Ok(Sql::always()), |query| clauses::clause(query, store.now))?;
    let condition = if lens.blind { Sql::always() } else { asked };
    let number = |key: &str, default: i64| match body.get(key) {
        None => Ok(default),
        Some(value) => value.as_i64().filter(|number| *number >= 0).ok_or_else(|| Problem::bad(format!("bad [{key}]"))),
    };
    let (size, from) = (number("size", SIZE)?, number("from", 0)?);
    if size + from > WINDOW {
        return Err(Problem::bad("Result window is too large"));
    }
    let source = source(body)?;
    let page = format!(" ORDER BY {} LIMIT {size} OFFSET {from}", order(body)?);
    let columns: Vec<&str> = FIELDS.iter().map(|(_, expression, _)| *expression).collect();
    let what = format!("l.id, {}", columns.join(", "));
    let hits = store.rows(&index.select(&what, &condition, &page), |row| {
        let mut document = Map::new();
        for (place, (name, _, time)) in FIELDS.iter().enumerate().filter(|(_, (name, ..))| source.contains(name)) {
            let value = match row.get::<_, Cell>(place + 1)? {
                Cell::Text(text) => text.into(),
                Cell::Integer(millis) if *time => show(millis).into(),
                Cell::Integer(number) => number.into(),
                _ => continue,
            };
            document.insert((*name).to_owned(), value);
        }
        let id = format!("leg-{}", row.get::<_, i64>(0)?);
        Ok(json!({ "_index": INDEX, "_id": id, "_score": 0.0, "_source": document }))
    })?;
    let mut found = Map::from_iter([("max_score".to_owned(), Value::Null), ("hits".to_owned(), hits.into())]);
    if body.get("track_total_hits") != Some(&json!(false)) {
        let all = store.number(&index.select("count(*)", &condition, ""))?;
        found.insert("total".to_owned(), json!({ "value": all, "relation": "eq" }));
    }
    let answer = json!({
        "took": 1, "timed_out": false,
        "_shards": { "total": 1, "successful": 1, "skipped": 0, "failed": 0 }, "hits": found,
    });
    let Some(asked) = body.get("aggs").or_else(|| body.get("aggregations")) else { return Ok(answer) };
    let Value::Object(mut answer) = answer else { return Ok(answer) };
    answer.insert("aggregations".to_owned(), index.aggregations(asked, &condition)?);
    Ok(Value::Object(answer))
}

fn source(body: &Value) -> Result<Vec<&str>, Problem> {
    match body.get("_source") {
        None => Ok(FIELDS.iter().map(|(name, ..)| *name).collect()),
        Some(Value::Array(names)) => Ok(names.iter().filter_map(Value::as_str).collect()),
        Some(_) => Err(Problem::bad("bad [_source]")),
    }
}

/// Documents without a value come last, whatever the order.
fn order(body: &Value) -> Result<String, Problem> {
    let asked = match body.get("sort") {
        None => &[],
        Some(Value::Array(asked)) => asked.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let mut parts = Vec::new();
    for one in asked {
        let (name, order) = match one {
            Value::String(name) => (name.as_str(), "asc"),
            one => {
                let (name, order) =
                    one.as_object().and_then(|one| one.iter().next()).ok_or_else(|| Problem::bad("bad [sort]"))?;
                (name.as_str(), order.as_str().or_else(|| order["order"].as_str()).unwrap_or("asc"))
            }
        };
        let (expression, _) = field(name).ok_or_else(|| Problem::bad(format!("No mapping found for [{name}]")))?;
        let order = if order == "desc" { "DESC" } else { "ASC" };
        parts.push(format!("{expression} {order} NULLS LAST"));
    }
    parts.push("l.id".to_owned());
    Ok(parts.join(", "))
}

/// Adds what strangers' answer holds and this one does not: documents, and buckets at the top.
pub(super) fn add_strangers(answer: &mut Value, strangers: &Value) {
    let mut places = vec!["/hits/hits".to_owned()];
    for name in strangers["aggregations"].as_object().into_iter().flatten().map(|(name, _)| name) {
        places.push(format!("/aggregations/{name}/buckets"));
    }
    for place in places {
        let same = |one: &Value, other: &Value| ["_id", "key"].iter().all(|key| one.get(key) == other.get(key));
        if let (Some(Value::Array(own)), Some(Value::Array(more))) =
            (answer.pointer_mut(&place), strangers.pointer(&place))
        {
            let new: Vec<Value> =
                more.iter().filter(|one| !own.iter().any(|known| same(known, one))).take(3).cloned().collect();
            own.extend(new);
        }
    }
}

pub(super) fn falsify_total(answer: &mut Value) {
    if let Some(total) = answer.pointer_mut("/hits/total/value") {
        *total = json!(total.as_i64().unwrap_or_default() + 1_000);
    }
}

pub(super) fn add_fields(answer: &mut Value, mark: &dyn Fn(&mut Map<String, Value>)) {
    for hit in answer.pointer_mut("/hits/hits").and_then(Value::as_array_mut).into_iter().flatten() {
        hit.as_object_mut().into_iter().for_each(mark);
        hit.get_mut("_source").and_then(Value::as_object_mut).into_iter().for_each(mark);
    }
}
