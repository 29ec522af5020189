//! `POST /api/v2/analytics/conversations/details/query`.
//!
//! Finds conversations that started on a day which the interval touches. An entry of a filter array asks
//! whether the conversation *has* such a part; what comes back is the whole conversation.

use super::{
    condition::Lens,
    conversation,
    dimension::Level,
    facets,
    filter::{self, Node},
    interval::Interval,
    lists::Params,
    problem::Problem,
    sql::Sql,
    stage::DAY,
    store::Store,
};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

const ARRAYS: [(&str, Level); 4] = [
    ("conversationFilters", Level::Conversation),
    ("segmentFilters", Level::Segment),
    ("evaluationFilters", Level::Evaluation),
    ("surveyFilters", Level::Survey),
];

/// The longest interval is a week, and a month where something is asked for.
pub(super) fn within_limit(interval: Interval, asked: bool) -> Result<(), Problem> {
    let limit = if asked { 31 } else { 7 };
    if interval.length() > limit * DAY {
        return Err(Problem::constraint(format!("the interval is longer than {limit} days")));
    }
    Ok(())
}

pub(super) fn query(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let interval = Interval::of(body)?;
    let mut entries = Vec::new();
    for (member, level) in ARRAYS {
        for node in filter::array(body, member)? {
            entries.push(entry(lens, level, &node)?);
        }
    }
    if body.get("resolutionFilters").is_some_and(|filters| filters.as_array().is_none_or(|filters| !filters.is_empty()))
    {
        return Err(Problem::bad("`resolutionFilters` is not supported here"));
    }
    if !lens.job {
        within_limit(interval, !entries.is_empty())?;
    }
    let order = order(body, lens)?;
    let (size, number) = if lens.job { (i64::MAX, 1) } else { paging(body)? };
    let whole_days = !lens.job || body.get("startOfDayIntervalMatching") == Some(&json!(true));
    let matching = matching(lens, interval, whole_days, entries);
    let total = store.number(&Sql::with(format!("SELECT count(*) {}", matching.text), matching.values.clone()))?;
    let mut page = matching.clone().around("SELECT c.n ", &order);
    page.push_text(&format!(" LIMIT {size} OFFSET {}", size * (number - 1)));
    let found = store.rows(&page, |row| row.get::<_, i64>(0))?;
    let mut answer = json!({ "totalHits": total });
    if let Some(answer) = answer.as_object_mut() {
        if !found.is_empty() {
            answer.insert("conversations".into(), conversation::details(store, lens, &found)?.into());
        }
        if let Some(facets) = facets::count(store, lens, body, &matching)? {
            answer.insert("aggregations".into(), facets);
        }
    }
    Ok(answer)
}

/// `GET /api/v2/analytics/conversations/{conversationId}/details`.
pub(super) fn by_id(store: &Store, lens: Lens, id: &str) -> Result<Value, Problem> {
    let number = Sql::with("SELECT n FROM conversations WHERE id = ?", vec![Cell::Text(id.to_owned())]);
    let number = store.rows(&number, |row| row.get::<_, i64>(0))?;
    conversation::details(store, lens, &number)?.pop().ok_or_else(Problem::not_found)
}

/// `GET /api/v2/analytics/conversations/details?id=...`: those that there are.
pub(super) fn by_ids(store: &Store, lens: Lens, params: &Params) -> Result<Value, Problem> {
    let ids = params.list("id");
    if ids.is_empty() || ids.len() > 100 {
        return Err(Problem::bad("`id` has to list 1 to 100 conversations"));
    }
    let mut numbers = Vec::new();
    for id in ids {
        let number = Sql::with("SELECT n FROM conversations WHERE id = ?", vec![Cell::Text(id.to_owned())]);
        numbers.extend(store.rows(&number, |row| row.get::<_, i64>(0))?);
    }
    let found = conversation::details(store, lens, &numbers)?;
    Ok(if found.is_empty() { json!({}) } else { json!({ "conversations": found }) })
}

/// `FROM conversations c WHERE ...`
fn matching(lens: Lens, interval: Interval, whole_days: bool, entries: Vec<Sql>) -> Sql {
    let mut sql = if whole_days {
        let days = interval.days();
        let bounds = vec![Cell::Integer(days.from), Cell::Integer(days.until)];
        Sql::with("FROM conversations c WHERE c.start >= ? AND c.start < ? AND ", bounds)
    } else {
        let bounds = vec![Cell::Integer(interval.until), Cell::Integer(interval.from)];
        Sql::with("FROM conversations c WHERE c.start < ? AND c.end > ? AND ", bounds)
    };
    if lens.is_visible_world() {
        sql.push_text("c.n IN (SELECT conversation FROM seen) AND ");
    }
    sql.push(&if entries.is_empty() || lens.blind {
        Sql::always()
    } else if lens.traits.entries_and {
        Sql::all(entries)
    } else {
        Sql::any(entries)
    });
    sql
}

/// One entry as a condition on `c`.
fn entry(lens: Lens, level: Level, node: &Node) -> Result<Sql, Problem> {
    let table = lens.legs;
    let parts = match level {
        Level::Conversation => return lens.condition(level, Some(node)),
        Level::Evaluation if lens.is_visible_world() => {
            "FROM evaluations e WHERE e.leg IN (SELECT id FROM seen) AND ".to_owned()
        }
        Level::Survey if lens.is_visible_world() => {
            "FROM surveys s WHERE s.leg IN (SELECT id FROM seen) AND ".to_owned()
        }
        Level::Evaluation => "FROM evaluations e WHERE ".to_owned(),
        Level::Survey => "FROM surveys s WHERE ".to_owned(),
        _ => format!("FROM {table} l WHERE "),
    };
    let has = |sql: Sql| sql.around(&format!("c.n IN (SELECT conversation {parts}"), ")");
    if level == Level::Segment && !lens.traits.same_segment {
        return spread(lens, node, &has);
    }
    lens.condition(level, Some(node)).map(has)
}

/// Each predicate may hold on a segment of its own.
fn spread(lens: Lens, node: &Node, has: &dyn Fn(Sql) -> Sql) -> Result<Sql, Problem> {
    let each = |nodes: &[Node]| nodes.iter().map(|node| spread(lens, node, has)).collect::<Result<Vec<_>, _>>();
    match node {
        Node::Atom(_) => lens.condition(Level::Segment, Some(node)).map(has),
        Node::All(nodes) => Ok(Sql::all(each(nodes)?)),
        Node::Any(nodes) => Ok(Sql::any(each(nodes)?)),
    }
}

fn order(body: &Value, lens: Lens) -> Result<String, Problem> {
    let word = |member: &str, default: &str| match body.get(member) {
        None | Some(Value::Null) => Ok(default.to_owned()),
        Some(Value::String(text)) => Ok(text.to_ascii_lowercase()),
        Some(_) => Err(Problem::bad(format!("`{member}` must be a text"))),
    };
    let direction = match word("order", "asc")?.as_str() {
        "asc" | "unordered" => "ASC",
        "desc" => "DESC",
        other => return Err(Problem::value(format!("`{other}` is no order"))),
    };
    let table = lens.legs;
    let key = match word("orderBy", "conversationstart")?.as_str() {
        "conversationstart" => "c.start".to_owned(),
        "conversationend" => "c.end".to_owned(),
        "segmentstart" => {
            format!("(SELECT min(l.start) FROM {table} l WHERE l.conversation = c.n)")
        }
        "segmentend" => format!("(SELECT max(l.end) FROM {table} l WHERE l.conversation = c.n)"),
        other => return Err(Problem::value(format!("`{other}` is nothing to order by"))),
    };
    Ok(format!(" ORDER BY {key} {direction}, c.n {direction}"))
}

pub(super) fn paging(body: &Value) -> Result<(i64, i64), Problem> {
    let paging = body.get("paging");
    let number = |key: &str, default: i64, most: i64| match paging.and_then(|paging| paging.get(key)) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value
            .as_i64()
            .filter(|value| (1..=most).contains(value))
            .ok_or_else(|| Problem::constraint(format!("`{key}` must be a number from 1 to {most}"))),
    };
    Ok((number("pageSize", 25, 100)?, number("pageNumber", 1, 1_000_000)?))
}
